"""Who asks: a person, a service account or an agent, with the groups that count for this request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote

from django.conf import settings

from portal.accounts.identity import Identity
from portal.accounts.limits import Limits
from portal.accounts.models import User
from portal.accounts.outside_people import PLAIN_NAME

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
    limits: Limits | None = None
    """What the credential of this request may be used for at most."""
    is_unchecked: bool = False
    """Permission is switched off (`SECURITY_ENABLED`, `AUTHZ_ENABLED`): whatever is asked is allowed."""

    @property
    def is_agent(self) -> bool:
        return self.kind == "agent"

    @property
    def needs_no_grant(self) -> bool:
        """Whether no grant is asked for: of superusers, but never of an agent. What the credential is limited to still
        counts."""
        return self.is_active and (self.is_unchecked or (self.is_superuser and not self.is_agent))

    @property
    def breaks_glass(self) -> bool:
        """Whether everything is allowed, with nothing that could narrow it."""
        return self.needs_no_grant and self.limits is None and self.acting_for is None


@lru_cache(maxsize=4096)
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


def subject_of(user: User, *, groups: Iterable[str] = (), claims: Iterable[tuple[str, str]] = ()) -> Subject:
    """The subject that a user is, whatever their credential. `claims` are further ones of a verified token, as pairs of
    claim and value; `groups` is short for those of the claim `groups`."""
    said = {entitlement("groups", group) for group in groups} | {entitlement(claim, value) for claim, value in claims}
    return Subject(
        user_id=user.pk,
        name=user.get_username(),
        kind=user.principal_kind,
        entitlements=frozenset(said | {entitlement("sub", name) for name in own_names(user)}),
        is_active=user.is_usable,
        is_superuser=user.is_superuser,
        is_unchecked=is_unchecked(),
    )


def subject_of_identity(identity: Identity) -> Subject:
    """The subject that a request comes from: with the claims and the limits of its credential, and the person behind
    it."""
    subject = subject_of(identity.user, claims=identity.claims)
    if subject.is_unchecked or (identity.limits is None and identity.acting_for is None):
        return subject
    behind = None if identity.acting_for is None else subject_of_identity(identity.acting_for)
    return replace(subject, limits=identity.limits, acting_for=behind)


def is_unchecked() -> bool:
    """Whether permission is switched off."""
    return not (settings.SECURITY_ENABLED and settings.AUTHZ_ENABLED)


def own_names(user: User) -> set[str]:
    """The values of the claim `sub` that mean this user: the user name, which nobody else has; and the subject of an
    outside issuer, unless it reads like a user name and so could be somebody else's."""
    names = {user.get_username()}
    if user.subject and PLAIN_NAME.fullmatch(user.subject) is None:
        names.add(user.subject)
    return names


def entitled(claim: str, values: Iterable[str], kind: str = "human") -> Subject:
    """A subject that is known only by a claim of its token, as the contract's `evaluates` names it."""
    names = frozenset(entitlement(claim, value) for value in values)
    shown = ", ".join(sorted(names))
    return Subject(user_id=None, name=shown, kind=kind, entitlements=names, is_unchecked=is_unchecked())
