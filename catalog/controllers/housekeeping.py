"""In every worker: a thread that drops what has had its time: old releases, and drift that is long over."""

from __future__ import annotations

import logging
import threading
from typing import Any

from celery.signals import worker_ready, worker_shutting_down
from django.db import close_old_connections, connection

from catalog.delivery import drift_records
from catalog.releases import retention

log = logging.getLogger("stagecraft.housekeeping")
EVERY = 3600.0  # seconds


class Housekeeper(threading.Thread):
    """Many workers may run one; what is gone already is gone."""

    def __init__(self, every: float = EVERY) -> None:
        super().__init__(name="housekeeper", daemon=True)
        self.every = every
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(self.every):
            try:
                close_old_connections()
                keep_house()
            except Exception:
                log.exception("housekeeping failed; the next try is in %s s", self.every)
            finally:
                connection.close()


def keep_house() -> None:
    """One round."""
    if gone := retention.prune():
        log.info("%s old releases were dropped: %s", len(gone), ", ".join(gone[:20]))
    if count := drift_records.forget_old():
        log.info("%s records of drift that is over were dropped", count)


_housekeeper: Housekeeper | None = None


@worker_ready.connect
def start(**_: Any) -> None:
    global _housekeeper
    _housekeeper = Housekeeper()
    _housekeeper.start()


@worker_shutting_down.connect
def stop(**_: Any) -> None:
    if _housekeeper is not None:
        _housekeeper.stopped.set()
