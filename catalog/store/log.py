"""The log: every accepted change as one row, in the order of commits.

Sequences are handed out before commits, so a reader could see row 8 while 7 is still being written and never find 7.
On PostgreSQL a transaction therefore takes one advisory lock before it writes its rows and keeps it until it has
committed; on SQLite there is one writer at a time anyway. The rows are buffered and written last, so that the lock is
held for one insert and the commit.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Max, QuerySet
from django.utils import timezone

from catalog.kinds.base import Document
from catalog.kinds.registry import kind_named
from catalog.store.documents import Key
from catalog.store.errors import Gone, NotFound
from catalog.store.models import LogHorizon, Revision
from portal.accounts.actor import Actor

LOG_LOCK = 0x57A6EC7A  # any constant will do, as long as all writers use the same
CHANNEL = "stagecraft_log"
"""On PostgreSQL whoever listens to this is notified of each commit that wrote rows."""


def entry(
    key: Key,
    uid: uuid.UUID,
    action: str,
    generation: int,
    actor: Actor,
    before: Document | None,
    after: Document | None,
) -> Revision:
    """A row of the log, not yet written."""
    return Revision(
        recorded_at=timezone.now(),
        kind=key.kind,
        namespace=key.namespace,
        name=key.name,
        uid=uid,
        action=action,
        generation=generation,
        actor=actor.name,
        actor_kind=actor.kind,
        surface=actor.surface,
        request_id=actor.request_id,
        before=before,
        after=after,
    )


def append(entries: list[Revision]) -> None:
    """Write rows as the last act of a transaction."""
    if not entries:
        return
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s), pg_notify(%s, '')", [LOG_LOCK, CHANNEL])
    Revision.objects.system("log").bulk_create(entries)


def position() -> int:
    """The newest sequence: list the objects, then watch from here. Take it before the list, never after."""
    return Revision.objects.system("log").aggregate(newest=Max("sequence"))["newest"] or 0


def changes_since(
    sequence: int,
    *,
    kinds: Collection[str] | None = None,
    namespace: str | None = None,
    name: str | None = None,
    limit: int = 500,
) -> list[Revision]:
    """The next rows after `sequence`, oldest first. Raises `Gone` if rows after it have been dropped already."""
    rows: QuerySet[Revision] = Revision.objects.system("log").filter(sequence__gt=sequence)
    if kinds is not None:
        rows = rows.filter(kind__in=kinds)
    if namespace is not None:
        rows = rows.filter(namespace=namespace)
    if name is not None:
        rows = rows.filter(name=name)
    found = list(rows.order_by("sequence")[:limit])
    # Afterwards: what was dropped while the rows were read has moved the horizon by now.
    horizon = LogHorizon.objects.filter(id=1).values_list("oldest_sequence", flat=True).first() or 1
    if sequence + 1 < horizon:
        raise Gone(f"the log begins at {horizon}; {sequence} is too old: list the objects and watch from there")
    return found


def watch(
    since: int,
    *,
    kinds: Collection[str] | None = None,
    namespace: str | None = None,
    timeout: float | None = None,
    interval: float = 0.2,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Revision]:
    """Yield changes after `since` as they are committed, until `timeout` seconds have passed or `stopped()` is true.

    `interval` is the pause, in seconds, between looks at the log while nothing new is there.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    while not stopped():
        rows = changes_since(since, kinds=kinds, namespace=namespace)
        for row in rows:
            yield row
            since = row.sequence
        if deadline is not None and time.monotonic() >= deadline:
            return
        if not rows:
            time.sleep(interval)


def history(kind: str, namespace: str, name: str, *, with_status: bool = False) -> QuerySet[Revision]:
    """The revisions of the objects that bore this name, oldest first."""
    rows: QuerySet[Revision] = Revision.objects.system("log").filter(kind=kind, namespace=namespace, name=name)
    if not with_status:
        rows = rows.exclude(action=Revision.Action.STATUS)
    return rows.order_by("sequence")


def read_as_of(kind: str, namespace: str, name: str, as_of: int | datetime) -> Document:
    """The document as it stood at a sequence or at a moment. Raises `NotFound` if it did not exist then."""
    rows = history(kind, namespace, name, with_status=True)
    rows = rows.filter(recorded_at__lte=as_of) if isinstance(as_of, datetime) else rows.filter(sequence__lte=as_of)
    newest = rows.exclude(action=Revision.Action.STATUS).last()
    if newest is None or newest.after is None:
        raise NotFound(kind, namespace, name)
    document: dict[str, Any] = dict(newest.after)
    model = kind_named(kind)
    if "spec" in document:
        document["spec"] = model.unpack_spec(document["spec"])
    status = rows.filter(action=Revision.Action.STATUS, uid=newest.uid).last()
    document["status"] = {} if status is None or status.after is None else status.after["status"]
    return document
