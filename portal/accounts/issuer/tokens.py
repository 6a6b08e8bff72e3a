"""The texts of tokens: an access token is a JWT signed by us, a refresh token is random.

What the grants have found out is read by `vars(request)`: as an attribute, oauthlib's request also answers with any
parameter of that name that the client has sent.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import jwt
from oauthlib.oauth2.rfc6749 import errors
from oauthlib.oauth2.rfc6749.tokens import BearerToken

from portal.accounts.issuer import claims, keys, limits
from portal.accounts.models import User

REFRESH_PREFIX = "stgr_"


class Bearer(BearerToken):  # type: ignore[misc]
    """oauthlib's bearer tokens, with ours as their texts."""

    def __init__(self, request_validator: Any) -> None:
        super().__init__(request_validator, access_token, expires_in, refresh_token)

    def create_token(self, request: Any, refresh_token: bool = False, **options: Any) -> Any:
        """As oauthlib's; no refresh token for a client that gets none."""
        self.request_validator.settle_resource(request)
        user = subject_of(request)
        if limits.has_too_many(request.client.pk, user.pk):
            raise errors.CustomOAuth2Error(
                error="slow_down",
                description=f"At most {limits.TOKENS_PER_MINUTE} tokens a minute; keep the one you have.",
                status_code=429,
                request=request,
            )
        return super().create_token(request, refresh_token and request.client.issues_refresh_tokens, **options)


def access_token(request: Any) -> str:
    """The JWT for a request that the protocol has let pass. `request.actor` acts for `request.user`."""
    said = claims.access_claims(
        subject_of(request),
        request.client,
        audience=request.resource or [claims.issuer()],
        scopes=request.scopes or (),
        lifetime=timedelta(seconds=request.expires_in),
        actor=vars(request).get("actor"),
    )
    return signed(said, "at+jwt")


def subject_of(request: Any) -> User:
    """Whose the token will be. Raises `invalid_grant` for an account that may not act."""
    user: User | None = request.client.bound_user if request.grant_type == "client_credentials" else request.user
    if user is None or not user.is_usable:
        raise errors.InvalidGrantError(description="The account is not active.", request=request)
    return user


def refresh_token(request: Any) -> str:
    return REFRESH_PREFIX + secrets.token_urlsafe(32)


def expires_in(request: Any) -> int:
    """Seconds that the access token lasts; one that was exchanged never outlives the token that it came from."""
    given = vars(request).get("seconds_left")
    return int(request.client.lifetime.total_seconds()) if given is None else given


def signed(said: Mapping[str, Any], kind: str) -> str:
    """The claims as a JWT under the key that signs now. `kind` is its header `typ`."""
    kid, key = keys.current_key()
    return jwt.encode(dict(said), key, algorithm=keys.ALGORITHM, headers={"kid": kid, "typ": kind})
