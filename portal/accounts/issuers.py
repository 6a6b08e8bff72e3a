"""The issuers whose tokens count: the outside one of the settings, and whatever registers itself.

    identity = identity_of_jwt(text)        raises `Refused`

The issuer's name in the token chooses keys, audiences and who its subjects are; a name that is not here is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings

from portal.accounts.identity import Identity
from portal.accounts.jwks import RemoteKeys
from portal.accounts.jwt_verification import KeySource, Refused, unverified, verify
from portal.accounts.outside_people import identity_of_claims

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Issuer:
    """An issuer that we trust. `identify` makes of verified claims whoever they speak of, or raises `Refused`; it is
    also where an issuer checks whether the token has been revoked."""

    name: str
    audiences: Sequence[str]
    keys: KeySource
    identify: Callable[[Mapping[str, Any]], Identity]
    algorithms: Sequence[str]


_finders: list[Callable[[str], Issuer | None]] = []


def register(find: Callable[[str], Issuer | None]) -> None:
    """Add an issuer of our own: `find` is given a token's `iss` and returns the issuer if it is its name."""
    if find not in _finders:
        _finders.append(find)


def trusted(name: object) -> Issuer | None:
    """The issuer of that name, None if it is not trusted."""
    if not isinstance(name, str) or not name:
        return None
    if name == settings.OIDC_ISSUER:
        return outside(
            name,
            tuple(settings.OIDC_AUDIENCE),
            settings.OIDC_JWKS_URL,
            tuple(settings.OIDC_PRIVATE_NETWORKS),
            tuple(settings.OIDC_ALGORITHMS),
        )
    return next((found for find in _finders if (found := find(name)) is not None), None)


@lru_cache(maxsize=8)
def outside(
    name: str, audiences: tuple[str, ...], jwks_url: str, networks: tuple[str, ...], algorithms: tuple[str, ...]
) -> Issuer:
    return Issuer(name, audiences, RemoteKeys(name, jwks_url, networks), identity_of_claims, algorithms)


def identity_of_jwt(token: str, resource: str = "") -> Identity:
    """Who comes with a signed token. Raises `Refused`; the reason goes to the log, at level INFO.

    `resource` is the address that was called, where a token may be for that alone (RFC 8707).
    """
    try:
        claims = unverified(token)[1]
        issuer = trusted(claims.get("iss"))
        if issuer is None:
            raise Refused("INVALID_CLAIMS", "an issuer that is not trusted")
        proved = verify(
            token,
            issuer=issuer.name,
            audiences=(*issuer.audiences, resource) if resource and issuer.audiences else issuer.audiences,
            keys=issuer.keys,
            algorithms=issuer.algorithms,
            leeway=settings.OIDC_LEEWAY_SECONDS,
        )
        return issuer.identify(proved)
    except Refused as refused:
        log.info("token refused: %s", str(refused).encode("unicode_escape").decode()[:300])
        raise
