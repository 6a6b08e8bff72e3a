"""Which clusters and kinds are to be watched, and the lease of the process that watches a cluster."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from catalog.delivery.kubernetes.models import WatchedCluster, WatchedKind

LEASE = timedelta(seconds=10)
BELIEVED_SECONDS = 1.0
"""How long a process believes what it has read about a cluster's watch."""
_registered: set[tuple[str, str]] = set()
_watched_until: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class ClusterWatchRequest:
    """What a driver asks of the watch of its cluster."""

    cluster: str

    def cover(self, kinds: Iterable[str]) -> None:
        """Have objects of these kinds watched, before the first of them goes there."""
        new = [name for name in kinds if (self.cluster, name) not in _registered]
        if not new:
            return
        WatchedCluster.objects.get_or_create(name=self.cluster)
        rows = [WatchedKind(cluster_id=self.cluster, name=name) for name in new]
        WatchedKind.objects.bulk_create(rows, ignore_conflicts=True)
        transaction.on_commit(lambda: _registered.update((self.cluster, name) for name in new))

    def is_up_to_date(self) -> bool:
        """Whether some process sees every change there. Asks the database once a second."""
        now = time.monotonic()
        if _watched_until.get(self.cluster, 0.0) > now:
            return True
        held = WatchedCluster.objects.filter(name=self.cluster, renewed_at__gt=timezone.now() - LEASE)
        if not held.exclude(holder="").exists():
            return False
        _watched_until[self.cluster] = now + BELIEVED_SECONDS
        return True


def kinds_to_watch(cluster: str) -> set[str]:
    return set(WatchedKind.objects.filter(cluster_id=cluster).values_list("name", flat=True))


def clusters_to_watch() -> list[str]:
    return list(WatchedCluster.objects.values_list("name", flat=True))


def take(cluster: str, holder: str) -> bool:
    """Take the cluster's lease if nobody has it, or if it is the holder's own. `renew` makes it count."""
    now = timezone.now()
    free = Q(holder="") | Q(holder=holder) | Q(renewed_at=None) | Q(renewed_at__lt=now - LEASE)
    # The lease of somebody else's that has run out is taken over with the time of its end, not as one that watches.
    taken = WatchedCluster.objects.filter(free, name=cluster).exclude(holder=holder)
    if taken.update(holder=holder, renewed_at=now - LEASE):
        return True
    return WatchedCluster.objects.filter(name=cluster, holder=holder).exists()


def renew(cluster: str, holder: str) -> bool:
    """Say that the holder's watches are up to date. False if somebody else has taken the lease."""
    return bool(WatchedCluster.objects.filter(name=cluster, holder=holder).update(renewed_at=timezone.now()))


def give_up(cluster: str, holder: str) -> None:
    """Let the next one watch at once."""
    WatchedCluster.objects.filter(name=cluster, holder=holder).update(holder="", renewed_at=None)
