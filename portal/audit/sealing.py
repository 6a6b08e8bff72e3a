"""The sealer: links events into one chain of hashes, after the fact and in the background.

A chain in the path of every write would let only one of them happen at a time (measured: a third of the writes). So
events are inserted plainly, and a worker gives each the next number and `SHA-256(previous hash, number, event)`. An
event that is committed late gets a later number: nothing is ever inserted before what has been sealed. Only what is
younger than the pause between two looks is not yet protected.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson
from django.db import connection, transaction
from django.utils import timezone

from portal.audit import checkpoints
from portal.audit.models import AuditCheckpoint, AuditEvent

SEAL_LOCK = 0x57A6EA1D  # any constant will do, as long as all sealers use the same
BATCH = 500
TABLE = AuditEvent._meta.db_table
HASHED = tuple(item.attname for item in AuditEvent._meta.concrete_fields if item.attname not in ("seal", "hash"))


def seal_pending(*, with_checkpoint: bool = False) -> int:
    """Seal all events that are committed. Returns how many. Another sealer at work makes this one return at once.

    A checkpoint follows when the last is older than `checkpoints.INTERVAL`, or at once if asked for.
    """
    sealed = 0
    while number := seal_batch():
        sealed += number
        if number < BATCH:
            break
    write_checkpoint(is_due=with_checkpoint)
    return sealed


def seal_batch() -> int:
    """Seal up to `BATCH` events in one transaction."""
    if not AuditEvent.objects.system("seal").filter(seal=None).exists():
        return 0
    with transaction.atomic():
        if not locked():
            return 0
        number, digest = head()
        rows = list(AuditEvent.objects.system("seal").filter(seal=None).order_by("id").values(*HASHED)[:BATCH])
        updates = []
        for row in rows:
            number += 1
            digest = link(digest, number, row)
            updates.append((number, digest, row["id"], row["recorded_at"]))
        with connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {TABLE} SET seal = %s, hash = %s WHERE id = %s AND recorded_at = %s",  # noqa: S608
                [adapted(update) for update in updates],
            )
    return len(rows)


def adapted(update: tuple[int, str, Any, datetime]) -> tuple[Any, ...]:
    number, digest, identity, moment = update
    if connection.vendor == "sqlite":
        identity = identity.hex
    return number, digest, identity, connection.ops.adapt_datetimefield_value(moment)


def locked() -> bool:
    """Whether this transaction is the one sealer now; on SQLite there is one writer at a time anyway."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEAL_LOCK])
        return bool(cursor.fetchone()[0])


def head() -> tuple[int, str]:
    """Number and hash of the last sealed event; (0, GENESIS) before the first.

    If the last checkpoint is ahead of the events, somebody has cut them off: the chain goes on behind the checkpoint,
    so that the gap stays to be seen.
    """
    newest = AuditEvent.objects.system("seal").exclude(seal=None).order_by("-seal").values_list("seal", "hash").first()
    stated = checkpoints.latest()
    if stated is not None and (newest is None or stated.seal > newest[0]):
        return stated.seal, stated.hash
    return newest or (0, checkpoints.GENESIS)


def link(previous: str, number: int, row: dict[str, Any]) -> str:
    """The hash of an event: of the hash before it, its number and every column."""
    return sha256(previous.encode() + b"\n" + str(number).encode() + b"\n" + canonical(row)).hexdigest()


def canonical(row: dict[str, Any]) -> bytes:
    """The bytes of an event: JSON with sorted keys, times in UTC with microseconds."""
    moment = row["recorded_at"].astimezone(UTC).isoformat(timespec="microseconds")
    return orjson.dumps({**row, "recorded_at": moment}, option=orjson.OPT_SORT_KEYS)


def write_checkpoint(*, is_due: bool) -> AuditCheckpoint | None:
    """Make and publish a checkpoint of the head, if it has moved since the last and it is time."""
    stated = checkpoints.latest()
    if stated is not None and not is_due and timezone.now() - stated.recorded_at < checkpoints.INTERVAL:
        return None
    newest = AuditEvent.objects.system("seal").exclude(seal=None).order_by("-seal").values_list("seal", "hash").first()
    if newest is None or (stated is not None and stated.seal >= newest[0]):
        return None
    made = checkpoints.make(*newest)
    checkpoints.publish(made)
    return made


def unsealed() -> Iterable[datetime]:
    """When the events that are not sealed yet were recorded, oldest first."""
    return AuditEvent.objects.system("seal").filter(seal=None).order_by("id").values_list("recorded_at", flat=True)
