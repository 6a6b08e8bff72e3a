"""Our own access tokens when they come back: whose they are, and whether they still count.

The signature is checked with our own keys, in process (`jwt_verification` does it, as for outside issuers). Then the
row must be there: signing out, revoking, a refresh token used twice and disabling a client all remove or close it, so
a token that is withdrawn is refused by the very next request, on every replica. Whose it is, the row says, not the
name in the token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from portal.accounts.identity import Identity
from portal.accounts.issuer import claims as our
from portal.accounts.issuer.keys import ALGORITHM, OwnKeys
from portal.accounts.issuers import Issuer
from portal.accounts.jwt_verification import Refused, verify
from portal.accounts.models import User, digest_of
from portal.prepared import Prepared, prepare


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A token of ours that counts: its claims, whose it is, and the agent that acts for them, if one does.

    `ends` is set for clients that the person has let in: an access token made with this one ends with it. What is made
    with a client of our own (the command line) may last.
    """

    id: int
    claims: Mapping[str, Any]
    user: User
    actor: User | None
    ends: datetime | None = None

    @property
    def audiences(self) -> list[str]:
        audience = self.claims["aud"]
        return [audience] if isinstance(audience, str) else list(audience)


def found(name: str) -> Issuer | None:
    """We ourselves, if that is our name: what `issuers.register` wants. Tokens for the MCP endpoint alone are not for
    the REST API."""
    if not settings.BUILT_IN_ISSUER or name != our.issuer():
        return None
    return Issuer(name, (our.issuer(),), OwnKeys(), identify, (ALGORITHM,))


def identify(claims: Mapping[str, Any]) -> Identity:
    """Who comes with a token of ours that says so. Raises `Refused`.

    No claims count besides: groups are those of the database at this moment, not those of when the token was made.
    """
    held = held_row(claims)
    credential = f"oauth:{held.id}"
    person = Identity(held.user, credential, expires_at=held.ends)
    return person if held.actor is None else Identity(held.actor, credential, acting_for=person)


def held_token(token: str, audiences: Sequence[str] = ()) -> HeldToken:
    """The token, if it is ours, for one of the audiences (default: any of ours) and not withdrawn. Raises `Refused`."""
    said = verify(
        token,
        issuer=our.issuer(),
        audiences=audiences or our.audiences(),
        keys=OwnKeys(),
        algorithms=[ALGORITHM],
        leeway=0,
    )
    return held_row(said)


@cache
def by_checksum() -> Prepared:
    rows = get_access_token_model().objects.select_related("user__owner", "application__user__owner")
    return prepare(lambda checksum: rows.filter(token_checksum=checksum), "checksum")


def held_row(claims: Mapping[str, Any]) -> HeldToken:
    """The row of a token whose signature is proved. Raises `Refused`. One query."""
    identifier = claims.get("jti")
    if not isinstance(identifier, str):
        raise Refused("INVALID_CLAIMS", "no jti")
    row = by_checksum().row(checksum=digest_of(identifier))
    if row is None or row.expires <= timezone.now() or row.user is None:
        raise Refused("INVALID_TOKEN", "withdrawn, or at its end")
    if not row.application.is_usable(None) or not row.user.is_usable:
        raise Refused("INVALID_TOKEN", "withdrawn, or its account or client is disabled")
    actor = row.application.bound_user if "act" in claims else None
    return HeldToken(row.pk, claims, row.user, actor, None if row.application.skip_authorization else row.expires)
