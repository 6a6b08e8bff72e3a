"""Giving and taking by hand, for whoever may: a role or a single action, to a user or a group, at one place.

The same guard as for bindings (`catalog.access.escalation`): the right to write bindings there, nothing that one does
not hold oneself, nothing to or from oneself. What bindings give is taken by changing the binding (`revoking`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone

from catalog.access import grant_rows
from catalog.access.compile import scope_object
from catalog.access.escalation import lacking
from catalog.access.models import GRANTS
from catalog.access.permissions import ROLES, SCOPES, key_of
from catalog.kinds.base import PlatformObject
from catalog.store.read import get_or_none
from portal.access import guard
from portal.access.actions import LEVELS, WITHIN, action_named, all_actions
from portal.access.engine import Access
from portal.access.guard import Forbidden
from portal.access.holding import hold_policy
from portal.access.place import Place
from portal.access.subject import entitlement
from portal.accounts.actor import Actor
from portal.accounts.models import User
from portal.audit.operation import Target, operation

KIND = "Grant"


class BadGrant(ValueError):
    """What was asked for cannot be given; the text is for users, `field` says what to correct."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Asked:
    """A grant that somebody wants to give: checked against what there is, not yet against what they may."""

    scope: Any
    place: Place
    holder: User | Group
    permission: Permission
    patterns: tuple[str, ...]
    expires_at: datetime | None = None


def binding_action(place: Place, verb: str) -> tuple[str, Place]:
    """The action by which grants at a place are judged, and where: as for the bindings that could say the same."""
    if place.namespace:
        return f"authzrolebinding:{verb}", Place(place.namespace)
    return f"clusterauthzrolebinding:{verb}", Place()


def may(access: Access | None, verb: str, place: Place) -> bool:
    """Whether grants at a place may be seen (`view`), given (`create`) or taken (`delete`)."""
    if access is None:
        return False
    return access.allows(*binding_action(place, verb)) or (verb == "view" and access.allows("authz:view", place))


def ask(
    place: Place,
    *,
    user: str = "",
    group: str = "",
    role: str = "",
    action: str = "",
    expires_at: datetime | None = None,
) -> Asked:
    """Read a request. `user` is a user name, `group` a claim's value (`groups:dev`), `role` is `Kind/name`.

    Raises `BadGrant`.
    """
    scope = scope_object(place)
    if scope is None:
        raise BadGrant("scope", f"there is no {place.level} at {place.path}")
    if bool(user) == bool(group):
        raise BadGrant("user", "give either a user or a group")
    if bool(role) == bool(action):
        raise BadGrant("role", "give either a role or a single action")
    if expires_at is not None and expires_at <= timezone.now():
        raise BadGrant("expires_at", "it must end in the future")
    codename, patterns = role_given(place, role) if role else action_given(place, action)
    content_type = ContentType.objects.get_for_model(SCOPES[place.level])
    permission = Permission.objects.get(content_type=content_type, codename=f"{place.level}|{codename}")
    return Asked(scope, place, holder_given(user, group), permission, patterns, expires_at)


def role_given(place: Place, text: str) -> tuple[str, tuple[str, ...]]:
    """A role by `ClusterAuthzRole/name` or `AuthzRole/name`: what permissions call it, and its entries."""
    kind, _, name = text.partition("/")
    if kind not in ROLES or not name:
        raise BadGrant("role", f"{text!r} is not ClusterAuthzRole/NAME or AuthzRole/NAME")
    if kind == "AuthzRole" and not place.namespace:
        raise BadGrant("role", "the role of one namespace cannot be given for the whole cluster")
    found = get_or_none(kind, place.namespace if kind == "AuthzRole" else "", name)
    if found is None:
        raise BadGrant("role", f"there is no {kind} {name}")
    return key_of(found), tuple(found.spec.get("actions") or ())


def action_given(place: Place, name: str) -> tuple[str, tuple[str, ...]]:
    known = action_named(name)
    if known is None:
        raise BadGrant("action", f"there is no action {name!r}")
    if known.lowest_scope not in WITHIN[place.level]:
        outer = [level for level in LEVELS if known.lowest_scope in WITHIN[level]]
        raise BadGrant("action", f"{name} cannot be given at a {place.level}, only at a {' or '.join(outer)}")
    return name, (name,)


def holder_given(user: str, group: str) -> User | Group:
    """Who is to get it. A claim's group that nobody has named so far is made when it is given something."""
    if user:
        found = User.objects.filter(username=user).first()
        if found is None:
            raise BadGrant("user", f"there is no user {user!r}")
        return found
    claim, colon, value = group.partition(":")
    name = entitlement(claim, value)
    held = Group.objects.filter(name__in=[name, group]).first()
    if held is None and not (claim and colon and value):
        raise BadGrant("group", f"{group!r} is neither a group nor a claim and its value, such as groups:developers")
    return held or Group(name=name)


def give(access: Access, actor: Actor, asked: Asked) -> Any:
    """Give it, and return the row. Raises `Forbidden`; either way one event is written."""
    action, where = binding_action(asked.place, "create")
    with operation(actor, action, Target(KIND, where.namespace, holder_label(asked.holder))), transaction.atomic():
        hold_policy(access, exclusively=True)
        guard.require_at(access, action, where, kind=KIND)
        forbid(access, asked.place, asked.holder, asked.patterns, action)
        holder = asked.holder
        if holder.pk is None:
            holder, _ = Group.objects.get_or_create(name=holder_label(holder))
        model = GRANTS[asked.place.level][0 if isinstance(holder, User) else 1]
        return grant_rows.give(model, asked.permission, holder, asked.scope, expires_at=asked.expires_at)


def take(access: Access, actor: Actor, row: Any, *, reason: str = "") -> bool:
    """Take back what was given by hand. Returns whether it has ended; bindings may still give it.

    Raises `Forbidden`.
    """
    place = grant_rows.place_of_scope(row.content_object)
    action, where = binding_action(place, "delete")
    holder = row.user if hasattr(row, "user_id") else row.group
    with operation(actor, action, Target(KIND, where.namespace, holder_label(holder))), transaction.atomic():
        hold_policy(access, exclusively=True)
        guard.require_at(access, action, where, kind=KIND)
        forbid(access, place, holder, (), action)
        forbid_taking_the_last_way(row, place, action)
        return grant_rows.take(row, reason=reason)


def change_end(access: Access, actor: Actor, row: Any, expires_at: datetime | None) -> Any:
    """Set a new end to what was given by hand: the same as giving it again. Raises `Forbidden` or `BadGrant`."""
    from catalog.access.grant_listing import roles_of

    if expires_at is not None and expires_at <= timezone.now():
        raise BadGrant("expires_at", "it must end in the future")
    holder = row.user if hasattr(row, "user_id") else row.group
    patterns = roles_of([row.permission_id])[row.permission_id].patterns
    place = grant_rows.place_of_scope(row.content_object)
    return give(access, actor, Asked(row.content_object, place, holder, row.permission, patterns, expires_at))


def forbid(access: Access, place: Place, holder: User | Group, patterns: Iterable[str], action: str) -> None:
    """The guard of bindings, for a grant. Raises `Forbidden`."""
    if access.subject.breaks_glass:
        return
    is_own = (
        holder.pk == access.subject.user_id if isinstance(holder, User) else holder.name in access.subject.entitlements
    )
    if is_own:
        raise Forbidden(action, KIND, place, is_hidden=False, message="the grant is about yourself")
    if missing := lacking(access, patterns, place, "authz:bind"):
        raise Forbidden(action, KIND, place, is_hidden=False, message=f"you do not hold {missing} there yourself")


def forbid_taking_the_last_way(row: Any, place: Place, action: str) -> None:
    """Refuse to take the last grant of everything everywhere while no superuser is left to mend it."""
    from catalog.access.grant_listing import Scope, Wanted, grants_query, read

    if place.namespace or User.objects.filter(is_superuser=True, is_active=True).exists():
        return
    table = "user" if hasattr(row, "user_id") else "group"
    givers = read(grants_query(Wanted((Scope("cluster"),), is_expired=False)))
    ways = [one for one in givers if one.effect == "allow" and not one.conditions and "*" in one.role.patterns]
    others = [one for one in ways if (one.table, one.row) != (table, row.pk) or one.bindings]
    if ways and not others:
        message = "it is the last way to everything, and there is no superuser"
        raise Forbidden(action, KIND, place, is_hidden=False, message=message)


def row_of(key: str, *, manual_only: bool = True) -> Any:
    """The row of `table:level:key`, None if there is none that was given by hand."""
    table, _, rest = key.partition(":")
    level, _, number = rest.partition(":")
    if table not in ("user", "group") or level not in GRANTS or not number.isdecimal():
        return None
    model = GRANTS[level][0 if table == "user" else 1]
    related = ("permission", "content_object", "user" if table == "user" else "group")
    rows = model._default_manager.select_related(*related).filter(pk=int(number))
    return (rows.filter(is_manual=True) if manual_only else rows).first()


def roles_for(place: Place) -> list[PlatformObject]:
    """The roles that could be given at a place, for who may give any there: their names are no secret from those."""
    why = "roles that may be given, for who may give roles"
    found: list[PlatformObject] = list(ROLES["ClusterAuthzRole"].objects.system(why).order_by("name"))
    if place.namespace:
        found += ROLES["AuthzRole"].objects.system(why).filter(namespace_id=place.namespace).order_by("name")
    return found


def actions_for(place: Place) -> list[Any]:
    """The single actions that can be given at a place."""
    return [action for action in all_actions() if action.lowest_scope in WITHIN[place.level]]


def holder_label(holder: User | Group) -> str:
    return holder.get_username() if isinstance(holder, User) else str(holder.name)
