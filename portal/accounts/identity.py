"""Who a request comes from, as its credential proves it: a user, what the credential says of them, and its limits.

Every way to sign in ends in an `Identity`. It is what a request knows; rights are worked out from it elsewhere
(`portal.access.subject`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.accounts.limits import Limits
from portal.accounts.models import User

ANONYMOUS = "anonymous"
NOT_AUTHENTICATED = "authn=disabled"


@dataclass(frozen=True, slots=True)
class Identity:
    """A user and what their credential proves. `credential` names it for the audit, and never is the secret itself.

    `claims` are pairs of a claim and its value (`("groups", "dev")`) that count for this request only, besides what is
    stored about the user. `acting_for` is the person for whom an agent acts, `expires_at` the end of an access token.
    """

    user: User
    credential: str = ""
    claims: frozenset[tuple[str, str]] = frozenset()
    limits: Limits | None = None
    acting_for: Identity | None = None
    expires_at: datetime | None = None
    is_authenticated: bool = True
    moment: tuple[int, str] | None = None
    """What rights were (`portal.access.moment`) when the credential was made sure of; None if that is not known."""

    @property
    def is_usable(self) -> bool:
        """Whether everybody involved may act at all at this moment."""
        return self.user.is_usable and (self.acting_for is None or self.acting_for.is_usable)


def anonymous() -> Identity:
    """Who comes while security is switched off."""
    return Identity(User(username=ANONYMOUS), NOT_AUTHENTICATED, is_authenticated=False)
