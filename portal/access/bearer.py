"""Authentication of API requests: `Authorization: Bearer <token>`, the scheme in any case.

A token is one of our own (`stg_…`, looked up) or signed by an issuer that we trust (a JWT, verified). Either way it is
made sure at each request that the account behind it is still what it was, so that whoever has been shut out is out.
"""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings
from django.http import HttpRequest

from portal.access import known_tokens
from portal.accounts.identity import Identity, anonymous
from portal.accounts.issuers import identity_of_jwt
from portal.accounts.jwt_verification import MAX_BYTES, Refused
from portal.accounts.models import TOKEN_PREFIX
from portal.accounts.tokens import identity_of_token

MESSAGES = {
    "MISSING_TOKEN": "missing or invalid authentication token",
    "INVALID_TOKEN": "invalid or expired token",
    "INVALID_CLAIMS": "token claims validation failed",
}


class Unauthenticated(Exception):
    """Nobody is signed in; `code` and `message` are the contract's."""

    def __init__(self, code: str) -> None:
        super().__init__(MESSAGES[code])
        self.code, self.message = code, MESSAGES[code]


def authenticate(request: HttpRequest, resource: str = "") -> Identity:
    """Who the request comes from, by its token; one for `resource` alone counts too. Raises `Unauthenticated`."""
    if not settings.SECURITY_ENABLED:
        return anonymous()
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("MISSING_TOKEN")
    if len(token) > MAX_BYTES:
        raise Unauthenticated("INVALID_TOKEN")
    identity = identity_by_lookup(token) if token.startswith(TOKEN_PREFIX) else identity_by_signature(token, resource)
    if not identity.is_usable:
        raise Unauthenticated("INVALID_TOKEN")
    return identity


def identity_by_lookup(token: str) -> Identity:
    """Who an access token of ours is of; one query for a token that is known here."""
    found, moment = known_tokens.lookup(token)
    if found is None:
        raise Unauthenticated("INVALID_TOKEN")
    return identity_of_token(found, moment)


def identity_by_signature(token: str, resource: str = "") -> Identity:
    """Who a signed token speaks of."""
    moment = known_tokens.moment_before_reading()
    try:
        return replace(identity_of_jwt(token, resource), moment=moment)
    except Refused as refused:
        raise Unauthenticated(refused.code) from None
