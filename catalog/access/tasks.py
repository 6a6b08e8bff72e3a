"""In every worker: a thread that cleans away what has expired."""

from __future__ import annotations

import logging
import threading
from typing import Any

from celery.signals import worker_ready, worker_shutting_down
from django.db import close_old_connections, connection

from catalog.access import expiry

log = logging.getLogger("stagecraft.access")
EVERY = 600.0  # seconds


class Cleaner(threading.Thread):
    """Many workers may run one; each removal looks again under a lock."""

    def __init__(self, every: float = EVERY) -> None:
        super().__init__(name="access-cleaner", daemon=True)
        self.every = every
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(self.every):
            try:
                close_old_connections()
                if count := expiry.clean():
                    log.info("%s expired grants and bindings were removed", count)
            except Exception:
                log.exception("cleaning failed; the next try is in %s s", self.every)
            finally:
                connection.close()


_cleaner: Cleaner | None = None


@worker_ready.connect
def start(**_: Any) -> None:
    global _cleaner
    _cleaner = Cleaner()
    _cleaner.start()


@worker_shutting_down.connect
def stop(**_: Any) -> None:
    if _cleaner is not None:
        _cleaner.stopped.set()
