"""Accounts, memberships and grants by hand as they were at a moment, as far as they were recorded.

What was recorded before the moment counts; failing that, what was recorded after it tells what was before; failing
that, it is taken to have been as it is, and a note says so.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Q
from django.utils.dateparse import parse_datetime

from catalog.access.journal import REASON, AccessChange, grant_change
from catalog.access.models import GRANTS
from portal.accounts.models import User

What = AccessChange.What


@dataclass(frozen=True, slots=True)
class HandGrant:
    """A grant by hand as it was."""

    level: str
    row: int
    user_id: int | None
    group: str
    scope_uid: Any
    permission: str
    role: tuple[str, str]
    """Kind and shown name of the role, ("", "") for a single action."""
    expires_at: datetime | None


def record_began() -> datetime | None:
    """Since when changes are recorded."""
    rows = AccessChange.objects.system(REASON).filter(what=What.BEGAN)
    found: datetime | None = rows.values_list("recorded_at", flat=True).first()
    return found


def account_at(user: User, at: datetime) -> User:
    """The account as it was: a copy of the user that must not be saved."""
    state: dict[str, Any] = {}
    is_there = True
    rows = AccessChange.objects.system(REASON).filter(what=What.ACCOUNT, user_id=user.pk)
    if (earlier := rows.filter(recorded_at__lte=at).last()) is not None:
        state, is_there = earlier.after, earlier.holds
    elif (later := rows.filter(recorded_at__gt=at).first()) is not None:
        is_there = later.before.get("exists", True)
        state = later.before
    then = copy.copy(user)
    for name, value in state.items():
        if name == "expires_at" and value:
            value = parse_datetime(value)
        if hasattr(then, name):
            setattr(then, name, value)
    then.is_active = then.is_active and is_there
    return then


def was_usable(then: User, at: datetime) -> bool:
    """Whether an account, as `account_at` gave it, might act at the moment: an agent needs an owner who might."""
    if not then.is_active or (then.expires_at is not None and then.expires_at <= at):
        return False
    if then.principal_kind != User.PrincipalKind.AGENT:
        return True
    owner = None if then.owner_id is None else User.objects.filter(pk=then.owner_id).first()
    return owner is not None and not owner.is_machine and was_usable(account_at(owner, at), at)


def groups_at(user: User, at: datetime) -> frozenset[str]:
    """The names of the groups that the user was in."""
    rows = AccessChange.objects.system(REASON).filter(what=What.MEMBER, user_id=user.pk).order_by("id")
    recorded = state_at(rows, at, lambda row: row.group)
    held = set(Group.objects.filter(user=user).values_list("name", flat=True))
    found = {name for name, (_, holds) in recorded.items() if holds}
    return frozenset(found | (held - recorded.keys()))


def grants_at(user: User, groups: Collection[str], at: datetime) -> tuple[list[HandGrant], bool]:
    """What was given by hand to the user and its groups, and whether the beginning of any of it is unknown."""
    whose = Q(user_id=user.pk) | Q(group__in=sorted(groups))
    rows = AccessChange.objects.system(REASON).filter(whose, what=What.GRANT).order_by("id")
    recorded = state_at(rows, at, lambda row: (row.level, bool(row.group), row.row))
    found = [grant_of(row) for row, holds in recorded.values() if holds]
    unrecorded = list(grants_without_record(user, groups, at, recorded))
    return [grant for grant in found + unrecorded if lasts(grant, at)], bool(unrecorded)


def state_at(
    rows: Iterable[AccessChange], at: datetime, key: Callable[[AccessChange], Hashable]
) -> dict[Any, tuple[AccessChange, bool]]:
    """For each key the row that tells how it was, and whether it held: the last up to the moment, or the first after
    it, before which it was the other way round."""
    found: dict[Any, tuple[AccessChange, bool]] = {}
    for row in rows:
        if row.recorded_at <= at:
            found[key(row)] = (row, row.holds)
        elif key(row) not in found:
            found[key(row)] = (row, row.before.get("held", not row.holds))
    return found


def grants_without_record(
    user: User, groups: Collection[str], at: datetime, recorded: Collection[Any]
) -> Iterator[HandGrant]:
    """Grants by hand of which nothing was recorded: made before the record began, or around it."""
    for level, (user_grants, group_grants) in GRANTS.items():
        for model, whose in ((user_grants, {"user": user}), (group_grants, {"group__name__in": sorted(groups)})):
            rows = model._default_manager.filter(is_manual=True, **whose).select_related("permission", "content_object")
            for row in rows:
                is_group = hasattr(row, "group_id")
                if (level, is_group, row.pk) in recorded or getattr(row, "granted_at", at) > at:
                    continue
                yield grant_of(grant_change(row, holds=True))


def grant_of(row: AccessChange) -> HandGrant:
    role = (row.after.get("kind", ""), row.after.get("name", ""))
    return HandGrant(
        row.level, row.row or 0, row.user_id, row.group, row.scope_uid, row.permission, role, row.expires_at
    )


def lasts(grant: HandGrant, at: datetime) -> bool:
    return grant.expires_at is None or grant.expires_at > at
