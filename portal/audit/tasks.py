"""In every worker: a thread that seals new events and keeps the months' partitions ahead."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from celery.signals import worker_ready, worker_shutting_down
from django.conf import settings
from django.db import close_old_connections, connection

from portal.audit import partitions, sealing

log = logging.getLogger("stagecraft.audit")
PARTITIONS_EVERY = 3600.0  # seconds


class Sealer(threading.Thread):
    """Many workers may run one; they take turns by a lock of the database."""

    def __init__(self) -> None:
        super().__init__(name="audit-sealer", daemon=True)
        self.stopped = threading.Event()

    def run(self) -> None:
        looked = 0.0
        while not self.stopped.wait(settings.AUDIT_SEAL_SECONDS):
            try:
                close_old_connections()
                if connection.vendor == "postgresql" and time.monotonic() - looked > PARTITIONS_EVERY:
                    with connection.cursor() as cursor:
                        partitions.ensure_partitions(cursor)
                    looked = time.monotonic()
                sealing.seal_pending()
            except Exception:
                log.exception("sealing failed; the next try is in %s s", settings.AUDIT_SEAL_SECONDS)
                connection.close()


_sealer: Sealer | None = None


@worker_ready.connect
def start(**_: Any) -> None:
    global _sealer
    _sealer = Sealer()
    _sealer.start()


@worker_shutting_down.connect
def stop(**_: Any) -> None:
    if _sealer is not None:
        _sealer.stopped.set()
