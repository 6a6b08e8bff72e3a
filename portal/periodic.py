"""What every worker does again and again beside its tasks, on a thread for each: sealing, sweeping, cleaning away.

    in_every_worker("audit-sealer", lambda: settings.AUDIT_SEAL_SECONDS, seal, keeps_connection=True)

The thread begins when the Celery worker is ready and ends with it. Many workers run one each, so whatever it does must
bear company: by a lock, or by looking again before it acts.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from celery.signals import worker_ready, worker_shutting_down
from django.db import close_old_connections, connection

log = logging.getLogger(__name__)


class Periodic(threading.Thread):
    """Calls `act` every so many seconds until it is `stopped`. What fails is logged, and tried again the next time."""

    def __init__(
        self, name: str, every: Callable[[], float], act: Callable[[], object], *, keeps_connection: bool = False
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.every, self.act, self.keeps_connection = every, act, keeps_connection
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(self.every()):
            try:
                close_old_connections()
                self.act()
            except Exception:
                log.exception("%s failed; the next try is in %s s", self.name, self.every())
                connection.close()
            if not self.keeps_connection:
                connection.close()
        connection.close()


def in_every_worker(
    name: str, every: Callable[[], float], act: Callable[[], object], *, keeps_connection: bool = False
) -> None:
    """Have each worker do it. Those that come round every few seconds keep their connection to the database."""
    running: list[Periodic] = []

    def start(**_: Any) -> None:
        running.append(Periodic(name, every, act, keeps_connection=keeps_connection))
        running[-1].start()

    def stop(**_: Any) -> None:
        for thread in running:
            thread.stopped.set()
        running.clear()

    worker_ready.connect(start, weak=False, dispatch_uid=f"start {name}")
    worker_shutting_down.connect(stop, weak=False, dispatch_uid=f"stop {name}")
