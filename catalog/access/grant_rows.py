"""Grants by hand as rows: given, prolonged, taken. Nothing here asks whether somebody may (`hand_grants` does).

Each change is one transaction with its audit event, and counts from the next request on.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from catalog.access.hierarchy import place_of
from catalog.access.models import GRANTS, Cluster, CompiledMapping
from portal.access.actions import LEVELS, Level
from portal.access.place import Place
from portal.accounts.actor import Actor, system
from portal.audit.ledger import Event, clean_free_text
from portal.audit.operation import current, record_changes


def level_of(model: type[Any]) -> Level:
    """The level of a table of grants."""
    return next(level for level in LEVELS if model in GRANTS[level])


def place_of_scope(scope: Any) -> Place:
    """The place of a scope object; the cluster's is the empty one."""
    if isinstance(scope, Cluster):
        return Place()
    return place_of(scope.kind, scope.namespace_name, scope.name, scope.spec, scope.labels)


def give(
    model: type[Any], permission: Permission, holder: Any, scope: Any, *, expires_at: datetime | None = None
) -> Any:
    """Give a permission by hand until `expires_at`, or set a new end to what was given. Returns the row."""
    holder_field = "group" if isinstance(holder, Group) else "user"
    name = current_author().name
    with transaction.atomic():
        keys = {holder_field: holder, "permission": permission, "content_object": scope}
        held, is_new = model._default_manager.get_or_create(
            **keys, defaults={"is_manual": True, "granted_by": name, "hand_expires_at": expires_at}
        )
        if not is_new and not held.is_manual:
            held.granted_by = name
        held.is_manual, held.hand_expires_at = True, expires_at
        held.expires_at = latest_end(held)
        held.save()
        after_change(held, "create" if is_new else "update")
    return held


def take(row: Any, *, reason: str = "") -> bool:
    """Take back what was given by hand. Returns whether the row has ended; bindings may still give it."""
    with transaction.atomic():
        held = type(row)._default_manager.filter(pk=row.pk, is_manual=True).select_for_update().first()
        if held is None:
            return False
        after_change(held, "delete", **({"reason": reason} if reason else {}))
        if mappings_behind(held).exists():
            held.is_manual, held.hand_expires_at, held.granted_by = False, None, ""
            held.expires_at = latest_end(held)
            held.save()
            return False
        held.delete()
        return True


def mappings_behind(row: Any) -> Any:
    """The mappings of bindings that a row also stands for."""
    granted = CompiledMapping.objects.system("what a grant rests on").filter(
        state=CompiledMapping.State.GRANTED, level=level_of(type(row)), grant_row=row.pk
    )
    # Bindings write to groups only.
    return granted if hasattr(row, "group_id") else granted.none()


def latest_end(row: Any) -> datetime | None:
    """When the last of what a row stands for ends; None for never."""
    ends = list(mappings_behind(row).values_list("expires_at", flat=True))
    if row.is_manual:
        ends.append(row.hand_expires_at)
    return None if None in ends or not ends else max(ends)


def after_change(row: Any, verb: str, **details: Any) -> None:
    """Make the change count, and write its event."""
    from catalog.access.permissions import touch_policy

    touch_policy()
    record_changes([event_of(row, verb, details)])


def event_of(row: Any, verb: str, details: dict[str, Any]) -> Event:
    """The event of a grant by hand: who got what, where, until when."""
    actor, place = current_author(), place_of_scope(row.content_object)
    holder = holder_name(row)
    kind = "authzrolebinding" if place.namespace else "clusterauthzrolebinding"
    shown = {
        "origin": "manual",
        "to": holder,
        "permission": row.permission.codename,
        "scope": place.path,
        "expiresAt": None if row.hand_expires_at is None else row.hand_expires_at.isoformat(),
    }
    return Event(
        action=f"{kind}:{verb}",
        actor=actor.name,
        actor_kind=actor.kind,
        surface=actor.surface,
        request_id=actor.request_id,
        kind="Grant",
        namespace=place.namespace,
        project=place.project,
        component=place.component,
        name=clean_free_text(f"{holder}: {row.permission.codename}", 253),
        details={**shown, **details},
    )


def holder_name(row: Any) -> str:
    """Who holds a grant: `groups:dev`, or `user ann`."""
    return str(row.group.name) if hasattr(row, "group_id") else f"user {row.user.get_username()}"


def current_author() -> Actor:
    """Who acts now: the open operation's actor, or the command line."""
    opened = current()
    return opened.actor if opened is not None and opened.actor is not None else system("command-line", surface="cli")
