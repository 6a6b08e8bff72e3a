"""`status.agentConnection` of planes: how many agents are connected, over all replicas, and since when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from catalog import store
from catalog.controllers import work
from catalog.controllers.plane_watch import environments_on
from catalog.delivery.agent import replicas
from catalog.delivery.agent.heads import TYPES, head_of
from catalog.delivery.plane import OBSERVABILITY_PLANE
from catalog.kinds.base import PlatformObject
from catalog.kinds.registry import kind_named
from catalog.kinds.rendered_release import RenderedRelease
from catalog.store.documents import timestamp
from portal.accounts.actor import system

ACTOR = system("cluster-gateway")
HEARTBEAT = timedelta(minutes=1)
"""How old the time of the last heartbeat may get: it is written without a row of the log, but it is a write."""


def report_agents() -> None:
    """Write what has changed."""
    counts = replicas.counts()
    for kind in TYPES:
        for plane in kind_named(kind).objects.system("agents' connections").filter(deleted_at=None):
            count = counts[str(head_of(plane))]
            held = (plane.status or {}).get("agentConnection") or {}
            if count != held.get("connectedAgents", 0) or (count and is_old(held)):
                write(plane.pk, type(plane), count)


def report_dead_gateways() -> None:
    """What a gateway that died without a word would have reported. Workers ask this now and then."""
    if replicas.forget_dead_replicas():
        report_agents()


def is_old(held: dict[str, Any]) -> bool:
    last = parse_datetime(str(held.get("lastHeartbeatTime") or ""))
    return last is None or timezone.now() - last > HEARTBEAT


def write(pk: int, model: type[PlatformObject], count: int) -> None:
    """Write the count on a plane, read anew so that no other part of its status is lost."""
    with store.transaction():
        plane = model.objects.system("agents' connections").select_for_update().filter(pk=pk).first()
        if plane is None:
            return
        before = plane.status.get("agentConnection") or {}
        now = timestamp(timezone.now())
        found = {**before, "connected": bool(count), "connectedAgents": count, "message": words_for(count)}
        if count:
            found["lastHeartbeatTime"] = now
            if not before.get("connected"):
                found["lastConnectedTime"] = now
            if not before.get("lastConnectedTime"):
                look_at_releases(plane)
        elif before.get("connected"):
            found["lastDisconnectedTime"] = now
        store.write_status(plane, {**plane.status, "agentConnection": found}, ACTOR)


def look_at_releases(plane: PlatformObject) -> None:
    """The first agent of a plane that names no driver makes it a plane behind agents: what is delivered there moves."""
    rows = RenderedRelease.objects.system("a plane's first agent")
    if plane.kind in ("DataPlane", "ClusterDataPlane"):
        rows = rows.filter(environment__in=environments_on(plane))
    else:
        rows = rows.filter(spec__targetPlane=OBSERVABILITY_PLANE)
    work.mark_due(("RenderedRelease", pk) for pk in rows.values_list("pk", flat=True))


def words_for(count: int) -> str:
    if count > 1:
        return f"{count} agents connected (HA mode)"
    return "1 agent connected" if count else "No agents connected"
