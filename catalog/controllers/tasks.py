"""Celery's part: wake-up messages, and a sweep in every worker for the messages that were lost."""

from __future__ import annotations

import logging
import time
from typing import Any

from celery import shared_task
from celery.signals import worker_process_init, worker_ready, worker_shutting_down
from django.conf import settings
from django.db import connection

from catalog.controllers import housekeeping as housekeeping
from catalog.controllers import runtime, work
from catalog.delivery.agent.gateway.reporting import report_dead_gateways
from catalog.delivery.kubernetes.watching import Watching
from portal.periodic import in_every_worker

log = logging.getLogger("stagecraft.reconcile")
GATEWAYS_SECONDS = 15.0
LONGEST_DRAIN = 30.0  # seconds; a longer task would keep a stopping worker waiting


@shared_task(name="catalog.drain")
def drain() -> None:
    """Look at everything that is due. With much to do, wake a second worker too."""
    work.wake_up_answered()
    deadline = time.monotonic() + LONGEST_DRAIN
    if work.due_count() > settings.RECONCILE_BATCH:
        send_wake_up()
    runtime.drain(deadline=deadline)
    if work.due_count():
        send_wake_up()


def send_wake_up() -> None:
    """Send the message, unless one is on its way. A broker that does not answer costs time, never a change."""
    if not work.wake_up_needed():
        return
    try:
        drain.apply_async(retry=False)
    except Exception as error:
        log.warning("the broker took no message (%s); the workers' sweep will find the work", error)


def sweep() -> None:
    """Free the leases of the dead, and wake the worker for what has come due."""
    work.free_orphans()
    if work.due_count():
        send_wake_up()


in_every_worker("sweep", lambda: settings.RECONCILE_SWEEP_SECONDS, sweep)
in_every_worker("gateways", lambda: GATEWAYS_SECONDS, report_dead_gateways)
_watching: Watching | None = None


@worker_ready.connect
def start(**_: Any) -> None:
    """Free what an earlier worker of this machine left behind, and look at once."""
    global _watching
    work.free_orphans()
    send_wake_up()
    _watching = Watching(send_wake_up)
    _watching.start()


@worker_process_init.connect
def forget_inherited_connections(**_: Any) -> None:
    """A forked process must not share its parent's database socket."""
    connection.close()


@worker_shutting_down.connect
def stop(**_: Any) -> None:
    runtime.stopping.set()
    if _watching is not None:
        _watching.stopped.set()
