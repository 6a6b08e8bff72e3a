"""Authentication of API requests: `Authorization: Bearer <token>`, the scheme in any case."""

from __future__ import annotations

from django.http import HttpRequest

from portal.accounts.models import User, valid_token


class Unauthenticated(Exception):
    """Nobody is signed in; `code` and `message` are the contract's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def authenticate(request: HttpRequest) -> User:
    """The user whose token the request carries; one query. Raises `Unauthenticated`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("MISSING_TOKEN", "missing or invalid authentication token")
    found = valid_token(token)
    if found is None:
        raise Unauthenticated("INVALID_TOKEN", "invalid or expired token")
    request.credential = f"token:{found.pk}"  # type: ignore[attr-defined]  # for the audit; never the token itself
    return found.user
