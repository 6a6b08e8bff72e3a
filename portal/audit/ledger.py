"""Events, and the one statement that writes them.

Plain SQL, because it stands in the path of every write: one statement for all events of a transaction. Nothing here
reads; the chain of hashes comes later (`sealing`).
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone

from portal.audit.models import AuditEvent
from portal.audit.redaction import redact_text

TABLE = AuditEvent._meta.db_table
MAX_DETAILS = 64 * 1024
_WRITTEN = [item for item in AuditEvent._meta.concrete_fields if item.name not in ("seal", "hash")]
_COLUMNS = ", ".join(item.column for item in _WRITTEN)
_NAMES = tuple(item.name for item in _WRITTEN)
_LENGTHS = {item.name: item.max_length for item in _WRITTEN if item.get_internal_type() == "CharField"}


@dataclass(slots=True)
class Event:
    """One event before it is written. `details` is plain JSON, free of secrets (`redaction`, `difference`)."""

    action: str
    actor: str
    actor_kind: str
    surface: str
    request_id: str
    outcome: str = "success"
    on_behalf_of: str = ""
    credential: str = ""
    kind: str = ""
    namespace: str = ""
    project: str = ""
    component: str = ""
    name: str = ""
    uid: uuid.UUID | None = None
    generation: int | None = None
    decision: str = ""
    status: int | None = None
    parent: uuid.UUID | None = None
    source_ip: str | None = None
    details: dict[str, Any] = field(default_factory=dict)
    id: uuid.UUID = field(default_factory=lambda: next_id())
    recorded_at: datetime = field(default_factory=timezone.now)


def write(events: Sequence[Event]) -> None:
    """Write events in the transaction that is open, or in one of their own."""
    if not events:
        return
    row = f"({', '.join(['%s'] * len(_WRITTEN))})"
    is_sqlite = connection.vendor == "sqlite"
    # SQLite takes 32,766 parameters a statement at most.
    for start in range(0, len(events), 500):
        batch = events[start : start + 500]
        parameters = [value for event in batch for value in columns_of(event, is_sqlite)]
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {TABLE} ({_COLUMNS}, hash) VALUES "  # noqa: S608
                + ", ".join([row.removesuffix(")") + ", '')"] * len(batch)),
                parameters,
            )


def columns_of(event: Event, is_sqlite: bool) -> list[Any]:
    """The event's values as the database's driver wants them, in the order of the columns."""
    values = []
    for name in _NAMES:
        value = getattr(event, name)
        if name in _LENGTHS:
            value = clean(value, _LENGTHS[name])
        elif name == "details":
            value = canonical(value)
        elif is_sqlite and isinstance(value, uuid.UUID):
            value = value.hex
        elif name == "recorded_at":
            value = connection.ops.adapt_datetimefield_value(value)
        values.append(value)
    return values


def canonical(details: dict[str, Any]) -> str:
    """Details as text: sorted keys, never too long, never with a NUL (which PostgreSQL cannot store as text)."""
    text = orjson.dumps(details, option=orjson.OPT_SORT_KEYS, default=str).decode()
    if len(text) > MAX_DETAILS:
        return orjson.dumps({"omitted": f"{len(text)} characters"}).decode()
    return text


def clean(text: str, limit: int) -> str:
    """A text from outside for a column: on one line, without control characters, at most `limit` long."""
    if not text.isprintable():
        text = "".join(
            character if character.isprintable() else f"\\u{ord(character):04x}" for character in text[: limit * 2]
        )
    return text[:limit]


def clean_free_text(text: str, limit: int) -> str:
    """A text that somebody else has chosen (a user agent, a name that was refused): clean, and without secrets."""
    return clean(redact_text(text[: limit * 4]), limit)


_lock = threading.Lock()
_last = 0


def next_id() -> uuid.UUID:
    """A UUID of version 7 that grows within this process even inside of one millisecond (RFC 9562, method 1)."""
    global _last
    with _lock:
        # 48 bits of milliseconds and 12 of a counter; a busy millisecond borrows from the next.
        _last = max(_last + 1, (time.time_ns() // 1_000_000) << 12)
        stamp = _last
    milliseconds, counter = stamp >> 12, stamp & 0xFFF
    value = (milliseconds & (2**48 - 1)) << 80 | 0x7 << 76 | counter << 64
    return uuid.UUID(int=value | 0b10 << 62 | (uuid.uuid4().int & (2**62 - 1)))
