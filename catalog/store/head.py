"""The end of the log, followed once for each process: whoever waits for changes is woken, and finds them read already.

Any number of watches in a process share one thread and one database connection here, and only while there are any. On
PostgreSQL the thread sleeps until a writer's commit notifies it (`log.append`); elsewhere, and where notifications do
not come through (some connection poolers), it looks at the log now and then. It reads the new rows, and the objects
that they are about, once for all, and keeps the last of them for a short while.

    with head.following(wake):             # `wake` is called after each change, from the thread: it must be quick
        found = head.after(position)       # None: that is longer ago than what is kept, ask the database
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection, connections

from catalog.store import log
from catalog.store.errors import Gone
from catalog.store.models import Revision

logger = logging.getLogger(__name__)
LOOK_SECONDS = 0.1
"""How often the newest sequence is looked at where the database does not tell."""
ASSURE_SECONDS = 1.0
"""How often it is looked at although the database tells."""
GATHER_SECONDS = 0.03
"""Changes that follow each other this closely wake the readers once."""
KEPT_BATCHES, KEPT_SECONDS = 100, 30.0
BATCH = 200

Wake = Callable[[], None]
Prepare = Callable[[list[Revision]], list[Any]]


@dataclass(frozen=True, slots=True)
class Kept:
    """What has been prepared of some rows: all that came after `since`, up to and with `upto`."""

    since: int
    upto: int
    items: list[Any]
    read_at: float


class Head:
    """The end of the log as one process sees it. `prepare` makes of rows what readers share."""

    def __init__(self, prepare: Prepare) -> None:
        self._prepare = prepare
        self._lock = threading.Lock()
        self._wakes: list[Wake] = []
        self._kept: deque[Kept] = deque()
        self._thread: threading.Thread | None = None
        self._nudge = threading.Event()

    @contextmanager
    def following(self, wake: Wake) -> Iterator[None]:
        """Call `wake` after each change for as long as the context is open; the first follower starts the thread."""
        with self._lock:
            self._wakes.append(wake)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="log-head", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._wakes.remove(wake)
                if not self._wakes:
                    self._kept.clear()
                    self._nudge.set()

    def after(self, position: int) -> tuple[list[Any], int] | None:
        """What was prepared of the rows after a position, and the position that they reach. None: ask the database."""
        with self._lock:
            if not self._kept or position < self._kept[0].since or position > self._kept[-1].upto:
                return None
            batches = [kept for kept in self._kept if kept.upto > position]
            return [item for kept in batches for item in kept.items], self._kept[-1].upto

    # The thread

    def _run(self) -> None:
        """Follow until nobody listens."""
        try:
            while self._is_wanted():
                try:
                    self._follow()
                except Exception as error:
                    known = isinstance(error, DatabaseError | Gone)
                    text = "the end of the log cannot be read, which is tried again: %s"
                    logger.warning(text, error, exc_info=not known)
                    connections.close_all()
                    self._forget()
                    self._wake_all()  # they may be luckier
                    time.sleep(ASSURE_SECONDS)
        finally:
            connections.close_all()

    def is_running(self) -> bool:
        """Whether the thread is there."""
        return self._thread is not None

    def _is_wanted(self) -> bool:
        """Whether somebody listens; if not, this thread is no more the one that is asked."""
        with self._lock:
            if self._wakes and self._thread is threading.current_thread():
                return True
            if self._thread is threading.current_thread():
                self._thread = None
                self._kept.clear()
                self._nudge.clear()
            return False

    def _forget(self) -> None:
        with self._lock:
            self._kept.clear()

    def _follow(self) -> None:
        """Read whatever comes, until nobody listens or the database fails."""
        waits = connection.vendor == "postgresql"
        if waits:
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {log.CHANNEL}")
        position = log.position()
        with self._lock:
            self._kept.clear()
            self._kept.append(Kept(position, position, [], time.monotonic()))
        self._wake_all()  # whoever came before this began may have missed something
        while self._is_wanted():
            rows = log.changes_since(position, limit=BATCH)
            if rows:
                self._keep(Kept(position, rows[-1].sequence, self._prepare(rows), time.monotonic()))
                position = rows[-1].sequence
                self._wake_all()
                time.sleep(GATHER_SECONDS)
            elif waits:
                for _ in connection.connection.notifies(timeout=ASSURE_SECONDS, stop_after=1):
                    pass
            else:
                self._nudge.wait(LOOK_SECONDS)
                self._nudge.clear()

    def _keep(self, new: Kept) -> None:
        """Add what is new, and let go of what is too old or too much."""
        with self._lock:
            self._kept.append(new)
            oldest = time.monotonic() - KEPT_SECONDS
            while len(self._kept) > 1 and (len(self._kept) > KEPT_BATCHES or self._kept[0].read_at < oldest):
                self._kept.popleft()

    def _wake_all(self) -> None:
        with self._lock:
            wakes = list(self._wakes)
        for wake in wakes:
            wake()
