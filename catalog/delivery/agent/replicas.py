"""Who is connected where: rows that each replica of the gateway keeps, by a lease, and that everybody else reads."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from catalog.delivery.agent.heads import Head
from catalog.delivery.agent.models import ConnectedAgent, GatewayReplica

LEASE = timedelta(seconds=12)
RENEW_SECONDS = 3.0
FORGET = 3 * LEASE


class Connected(NamedTuple):
    """An agent's connection as a replica writes it down."""

    id: str
    plane_type: str
    plane_id: str
    planes: Collection[Head]
    connected_at: datetime


def renew(name: str, url: str, agents: Sequence[Connected]) -> None:
    """Write down that the replica runs, and which agents are connected to it."""
    now = timezone.now()
    with transaction.atomic():
        _, is_new = GatewayReplica.objects.update_or_create(name=name, defaults={"url": url, "renewed_at": now})
        if is_new:
            # Whoever had this address before has died.
            GatewayReplica.objects.filter(url=url).exclude(name=name).delete()
        held = {row.id: row for row in ConnectedAgent.objects.filter(replica_id=name)}
        for agent in agents:
            row = held.pop(agent.id, None)
            planes = sorted(map(str, agent.planes))
            if row is None or row.planes != planes:
                ConnectedAgent.objects.update_or_create(
                    id=agent.id,
                    defaults={
                        "replica_id": name, "plane_type": agent.plane_type, "plane_id": agent.plane_id,
                        "planes": planes, "connected_at": agent.connected_at,
                    },
                )  # fmt: skip
        if held:
            ConnectedAgent.objects.filter(id__in=held).delete()


def forget_dead_replicas() -> bool:
    """Remove replicas that ended without a word, and their agents; whether there were any. Workers ask this."""
    return bool(GatewayReplica.objects.filter(renewed_at__lt=timezone.now() - FORGET).delete()[0])


def give_up(name: str) -> None:
    """The replica ends."""
    GatewayReplica.objects.filter(name=name).delete()


def holders(head: Head, besides: str = "") -> list[str]:
    """The addresses of replicas to which an agent of the plane is connected, in any order."""
    rows = live().filter(plane_type=head.plane_type, plane_id=head.plane_id).exclude(replica_id=besides)
    found = {row.replica.url for row in rows if str(head) in row.planes}
    return random.sample(sorted(found), len(found))


def is_known(head: Head) -> bool:
    """Whether any agent is connected that says it is of that type and id, for whichever object."""
    return live().filter(plane_type=head.plane_type, plane_id=head.plane_id).exists()


def is_running() -> bool:
    """Whether there is any gateway."""
    return GatewayReplica.objects.filter(renewed_at__gt=timezone.now() - LEASE).exists()


def counts() -> Counter[str]:
    """How many agents each plane has."""
    return Counter(head for row in live() for head in row.planes)


def live() -> QuerySet[ConnectedAgent]:
    """The agents of replicas whose lease has not run out."""
    return ConnectedAgent.objects.filter(replica__renewed_at__gt=timezone.now() - LEASE).select_related("replica")
