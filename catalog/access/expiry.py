"""What has expired is cleaned away: grants by hand as rows, bindings as documents, each with its event.

A grant stops giving anything at its end, by itself: no query finds it any more. It stays to be seen for
`EXPIRED_GRANTS_DAYS`, so that nobody wonders where it went, and is then removed by the platform, as `system:expiry`.
Several workers may do this at once: each looks again under a lock before it removes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from catalog import store
from catalog.access import grant_rows
from catalog.access.compile import expiry_of
from catalog.access.models import GRANTS, CompiledMapping, GrantUse, PolicyException
from portal.access.actions import LEVELS
from portal.accounts.actor import system
from portal.audit import operation as audit
from portal.audit.operation import Target

ACTOR = system("expiry")
WHY = "what has expired is cleaned away"
BATCH = 500


def clean(now: datetime | None = None) -> int:
    """Remove what expired long enough ago, and the notes of uses of what is gone. Returns how many grants and bindings
    were removed; at most a batch of each table, the rest next time."""
    before = (now or timezone.now()) - timedelta(days=settings.EXPIRED_GRANTS_DAYS)
    removed = sum(end_bindings(before))
    for pair in GRANTS.values():
        for model in pair:
            removed += end_hand_grants(model, before)
    forget_uses()
    return removed


def end_hand_grants(model: type[Any], before: datetime) -> int:
    """Take back what was given by hand until before a moment."""
    expired = model._default_manager.filter(is_manual=True, hand_expires_at__lte=before)
    holder = "user" if model is GRANTS[grant_rows.level_of(model)][0] else "group"
    count = 0
    for row in expired.select_related("permission", "content_object", holder).order_by("pk")[:BATCH]:
        place = grant_rows.place_of_scope(row.content_object)
        kind = "authzrolebinding" if place.namespace else "clusterauthzrolebinding"
        target = Target("Grant", place.namespace, grant_rows.holder_name(row))
        with audit.operation(ACTOR, f"{kind}:delete", target):
            grant_rows.take(row, reason="expired")
        count += 1
    return count


def end_bindings(before: datetime) -> list[bool]:
    """Delete the bindings that ended before a moment."""
    expired = CompiledMapping.objects.system(WHY).filter(expires_at__lte=before)
    names = expired.values_list("binding_kind", "binding_namespace", "binding_name").distinct().order_by()
    return [end_binding(kind, namespace, name, before) for kind, namespace, name in names[:BATCH]]


def end_binding(kind: str, namespace: str, name: str, before: datetime) -> bool:
    """Delete a binding if it still is what has expired: somebody may have prolonged it meanwhile."""
    with (
        audit.operation(ACTOR, f"{kind.lower()}:delete", Target(kind, namespace, name)) as opened,
        store.transaction(),
    ):
        opened.reason = {"because": "expired"}
        held = store.lock(kind, namespace, name)
        ends = None if held is None else expiry_of(held)
        if ends is None or ends > before:
            opened.is_rehearsal = True  # nothing is done, and nothing is to be told
            return False
        store.delete(kind, namespace, name, ACTOR)
        return True


def forget_uses() -> None:
    """Drop the notes of grants that are gone. One query for each table."""
    gone = Q(pk__in=[])
    for level in LEVELS:
        user_grants, group_grants = GRANTS[level]
        exceptions = PolicyException.objects.system(WHY).filter(level=level)
        for table, rows in (("user", user_grants._default_manager), ("group", group_grants._default_manager)):
            gone |= Q(table=table, level=level) & ~Q(row__in=rows.values("pk"))
        gone |= Q(table="exception", level=level) & ~Q(row__in=exceptions.values("pk"))
    GrantUse.objects.filter(gone).delete()
