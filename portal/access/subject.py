"""Who asks: a person, a service account or an agent, with the groups that count for this request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from urllib.parse import quote

from portal.accounts.models import User

OWN_CLAIMS = frozenset({"sub", "email"})
"""Claims that name one subject: what is bound to them is bound to the subject itself."""
GROUP_NAME_MAX = 150


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is asking. `entitlements` are names of groups beyond those that the database has the user in."""

    user_id: int | None
    name: str
    kind: str = "human"
    entitlements: frozenset[str] = frozenset()
    is_active: bool = True
    is_superuser: bool = False
    acting_for: Subject | None = None
    """The person on whose behalf an agent acts: it then may do only what both may."""

    @property
    def is_agent(self) -> bool:
        return self.kind == "agent"

    @property
    def breaks_glass(self) -> bool:
        """Whether everything is allowed without a grant: superusers, but never an agent."""
        return self.is_active and self.is_superuser and not self.is_agent


def entitlement(claim: str, value: str) -> str:
    """The name of the group that stands for a claim's value.

    The claim is quoted, so that no claim can contain the separator and pose as another claim's value. A name that is
    too long for a group ends in its hash.
    """
    name = f"{quote(claim, safe='')}:{value}"
    if len(name) <= GROUP_NAME_MAX:
        return name
    digest = sha256(name.encode()).hexdigest()[:32]
    return f"{name[: GROUP_NAME_MAX - len(digest) - 1]}~{digest}"


def names_one_subject(group_name: str) -> bool:
    """Whether the group stands for one subject: `sub:…`."""
    return group_name.partition(":")[0] in OWN_CLAIMS and ":" in group_name


def subject_of(user: User, *, groups: Iterable[str] = ()) -> Subject:
    """The subject that a signed-in user is. `groups` are those of its verified token (claim `groups`)."""
    own = {entitlement("sub", user.get_username())}
    acting_for: User | None = getattr(user, "acting_for", None)
    return Subject(
        user_id=user.pk,
        name=user.get_username(),
        kind=user.principal_kind,
        entitlements=frozenset(own | {entitlement("groups", group) for group in groups}),
        is_active=user.is_active,
        is_superuser=user.is_superuser,
        acting_for=None if acting_for is None else replace(subject_of(acting_for), acting_for=None),
    )


def entitled(claim: str, values: Iterable[str], kind: str = "human") -> Subject:
    """A subject that is known only by a claim of its token, as the contract's `evaluates` names it."""
    names = frozenset(entitlement(claim, value) for value in values)
    return Subject(user_id=None, name=", ".join(sorted(names)), kind=kind, entitlements=names)
