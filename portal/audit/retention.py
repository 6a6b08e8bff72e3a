"""Retention: whole months go, and a signed anchor says up to where and with which hash, so that the rest stays proven.

On PostgreSQL a month is a partition, and dropping it costs nothing; on SQLite its rows are deleted. Events of the
boundary that were recorded before midnight and sealed after it may stand in between: the anchor keeps the hashes that
stood before them ("bridges").
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from portal.audit import checkpoints, partitions, sealing
from portal.audit.models import AuditEvent


@dataclass(frozen=True)
class Dropped:
    """What retention has done: `before` is the first day that was kept."""

    events: int
    before: date
    seal: int


def retain(months: int) -> Dropped:
    """Drop the events of all months before the last `months` full ones. Raises `ValueError` if some are unsealed."""
    cutoff = partitions.months_before(partitions.first_of_month(timezone.now().date()), months)
    sealing.seal_pending(with_checkpoint=True)
    begin = datetime.combine(cutoff, time.min, UTC)
    with transaction.atomic():
        old = old_events(begin, cutoff)
        if old.filter(seal=None).exists():
            raise ValueError("some of the old events are not sealed yet; try again")
        last = old.order_by("-seal").values_list("seal", "hash").first()
        if last is None:
            return Dropped(0, cutoff, 0)
        count = old.count()
        made = checkpoints.make(*last, bridges=bridges_below(last[0], old))
        drop(old, cutoff)
    checkpoints.publish(made)
    return Dropped(count, cutoff, last[0])


def old_events(begin: datetime, cutoff: date) -> Any:
    """The events that will go."""
    events = AuditEvent.objects.system("retention").filter(recorded_at__lt=begin)
    if connection.vendor == "postgresql":
        # Only what lies in partitions that go as a whole; the oldest of them is where the table begins.
        with connection.cursor() as cursor:
            months = [month for month, _ in partitions.partitions(cursor) if month < cutoff]
        first = datetime.combine(min(months, default=cutoff), time.min, UTC)
        events = events.filter(recorded_at__gte=first)
    return events


def bridges_below(seal: int, old: Any) -> dict[int, str]:
    """For each event that is kept although its number is lower: the hash of the event before it."""
    kept = list(
        AuditEvent.objects.system("retention")
        .filter(seal__lt=seal)
        .exclude(id__in=old.values("id"))
        .values_list("seal", flat=True)
    )
    if not kept:
        return {}
    anchor = checkpoints.latest_anchor()
    known = {} if anchor is None else {int(number): text for number, text in anchor.bridges.items()}
    if anchor is not None:
        known.setdefault(anchor.seal + 1, anchor.hash)
    before = dict(
        AuditEvent.objects.system("retention")
        .filter(seal__in=[number - 1 for number in kept])
        .values_list("seal", "hash")
    )
    return {number: known.get(number) or before.get(number - 1, checkpoints.GENESIS) for number in kept}


def drop(old: Any, cutoff: date) -> None:
    """Remove the events."""
    if connection.vendor != "postgresql":
        old._raw_delete(old.db)
        return
    with connection.cursor() as cursor:
        for month, name in list(partitions.partitions(cursor)):
            if month < cutoff:
                cursor.execute(f"DROP TABLE {name}")
