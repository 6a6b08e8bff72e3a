"""Marking, claiming and finishing work: the few statements that make reconciliation safe.

Marking happens inside the transaction of the change that causes it, so a committed change is never without its work
item. Claiming takes a lease, so two workers never reconcile one object at once. Finishing clears `due_at` only if no
wake-up has arrived meanwhile. A worker that dies leaves a lease behind, which runs out or is freed by `free_orphans`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from catalog.controllers.models import WakeUp, WorkItem

TABLE = WorkItem._meta.db_table
GATE = WakeUp._meta.db_table
MARK_BATCH = 200


@dataclass(frozen=True, slots=True)
class Claim:
    """An item held by this process: the object, the version that was seen, and how often it has failed in a row."""

    id: int
    kind: str
    object_id: int
    version: int
    attempts: int


def process_identity() -> str:
    """host:pid:start, so that a later look can tell whether this very process still lives."""
    return f"{socket.gethostname()}:{os.getpid()}:{start_time_of(os.getpid())}"


def start_time_of(pid: int) -> str:
    """When the process started, in kernel ticks; "" if it does not run. Guards against reused process ids."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def mark_due(items: Iterable[tuple[str, int]], due_at: datetime | None = None) -> None:
    """Say that these objects (kind, primary key) need a look at `due_at`, now if None, in the caller's transaction."""
    due = due_at or timezone.now()
    unique = list(dict.fromkeys(items))
    for start in range(0, len(unique), MARK_BATCH):
        batch = unique[start : start + MARK_BATCH]
        values = ", ".join(["(%s, %s, %s, 1, '', 0, 0, '')"] * len(batch))
        parameters = [value for kind, identity in batch for value in (kind, identity, adapt(due))]
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {TABLE} (kind, object_id, due_at, version, lease_owner, attempts,"  # noqa: S608
                f" observed_generation, last_error) VALUES {values}"
                f" ON CONFLICT (kind, object_id) DO UPDATE SET version = {TABLE}.version + 1,"
                f" due_at = CASE WHEN {TABLE}.due_at IS NULL OR {TABLE}.due_at > excluded.due_at"
                f" THEN excluded.due_at ELSE {TABLE}.due_at END",
                parameters,
            )


def claim(limit: int, owner: str) -> list[Claim]:
    """Take up to `limit` due items, the longest-waiting first, by a lease."""
    now = timezone.now()
    until = now + timedelta(seconds=settings.RECONCILE_LEASE_SECONDS)
    skip_locked = "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    with transaction.atomic(), connection.cursor() as cursor:
        # Apart, as PostgreSQL may run a subquery once for each row, and its limit would count anew each time.
        cursor.execute(
            f"WITH due AS (SELECT id FROM {TABLE}"  # noqa: S608
            f" WHERE due_at <= %s AND (lease_until IS NULL OR lease_until < %s) ORDER BY due_at LIMIT %s {skip_locked})"
            f" UPDATE {TABLE} SET lease_owner = %s, lease_until = %s WHERE id IN (SELECT id FROM due)"
            " RETURNING id, kind, object_id, version, attempts",
            [adapt(now), adapt(now), limit, owner, adapt(until)],
        )
        return [Claim(*row) for row in cursor.fetchall()]


def finish(claimed: Claim, *, observed_generation: int, again_after: timedelta | None) -> None:
    """The object was looked at; look again after `again_after`, or when something changes."""
    next_look = None if again_after is None else timezone.now() + again_after
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {TABLE} SET lease_owner = '', lease_until = NULL, attempts = 0, last_error = '',"  # noqa: S608
            " observed_generation = %s, due_at = CASE WHEN version = %s THEN %s ELSE due_at END WHERE id = %s",
            [observed_generation, claimed.version, adapt(next_look), claimed.id],
        )


def fail(claimed: Claim, error: str, *, again_after: timedelta) -> None:
    """The look failed; keep the reason and try again after the pause, or at once if something has changed meanwhile."""
    WorkItem.objects.filter(id=claimed.id).update(
        lease_owner="",
        lease_until=None,
        attempts=claimed.attempts + 1,
        last_error=error[:10_000],
        due_at=Case(When(version=claimed.version, then=Value(timezone.now() + again_after)), default=F("due_at")),
    )


def forget(kind: str, object_id: int) -> None:
    """The object is gone."""
    WorkItem.objects.filter(kind=kind, object_id=object_id).delete()


def release(claimed: Iterable[Claim]) -> None:
    """Give items back untouched, as when a worker stops in the middle of its batch."""
    WorkItem.objects.filter(id__in=[item.id for item in claimed]).update(lease_owner="", lease_until=None)


def free_orphans() -> int:
    """Free the leases of processes of this host that no longer run. Returns how many there were."""
    host = socket.gethostname()
    dead = []
    owners = (
        WorkItem.objects.filter(lease_owner__startswith=f"{host}:").values_list("lease_owner", flat=True).distinct()
    )
    for owner in owners:
        _, pid, started = owner.rsplit(":", 2)
        if started and start_time_of(int(pid)) != started:
            dead.append(owner)
    if not dead:
        return 0
    return WorkItem.objects.filter(lease_owner__in=dead).update(lease_owner="", lease_until=None)


def due_count() -> int:
    """How many items could be claimed now."""
    now = timezone.now()
    return WorkItem.objects.filter(due_at__lte=now).filter(Q(lease_until=None) | Q(lease_until__lt=now)).count()


def is_due(kind: str, object_id: int) -> bool:
    """Whether the object waits for a look, or is being looked at."""
    return WorkItem.objects.filter(kind=kind, object_id=object_id, due_at__lte=timezone.now()).exists()


def unconverged_count() -> int:
    """How many items are due now, held or not: zero means that every change has been acted on."""
    return WorkItem.objects.filter(due_at__lte=timezone.now()).count()


def wake_up_needed(stale_after: timedelta = timedelta(seconds=5)) -> bool:
    """Whether to send a message: true once, then false until a worker has answered or the message must be lost."""
    now = timezone.now()
    open_gate = Q(sent_at=None) | Q(sent_at__lt=now - stale_after)
    with connection.cursor() as cursor:
        # With each change: the one look that nearly always is enough.
        cursor.execute(f"SELECT 1 FROM {GATE} WHERE id = 1 AND sent_at >= %s", [adapt(now - stale_after)])  # noqa: S608
        if cursor.fetchone() is not None:
            return False
    WakeUp.objects.get_or_create(id=1)
    return bool(WakeUp.objects.filter(id=1).filter(open_gate).update(sent_at=now))


def wake_up_answered() -> None:
    """A worker begins to look: the next change sends a message again."""
    WakeUp.objects.filter(id=1).exclude(sent_at=None).update(sent_at=None)


def adapt(moment: datetime | None) -> object:
    """A time as the database driver wants it in plain SQL."""
    return None if moment is None else connection.ops.adapt_datetimefield_value(moment)
