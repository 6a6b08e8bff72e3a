"""The loop that gets work done: claim what is due, look at each object, say when to look again.

Level-triggered: a controller is told which object to look at, never what happened. Errors are kept on the work item
and retried with growing pauses; one failing object delays no other.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from datetime import timedelta

from django.conf import settings
from django.db import close_old_connections, connection

from catalog.controllers import work
from catalog.controllers.registry import controller_of
from catalog.kinds.registry import kind_named

log = logging.getLogger("stagecraft.reconcile")
FIRST_RETRY = timedelta(milliseconds=200)
LONGEST_RETRY = timedelta(minutes=5)
stopping = threading.Event()
"""Set when the worker is asked to stop: the running look ends, the rest of the batch is given back."""


def drain(*, deadline: float | None = None, limit: int | None = None) -> int:
    """Look at due objects until none is left. Returns how many looks were taken.

    `deadline` is a `time.monotonic()` value after which no new batch is claimed; `limit` bounds the number of looks.
    """
    owner = work.process_identity()
    looks = 0
    while not stopping.is_set() and (deadline is None or time.monotonic() < deadline):
        size = settings.RECONCILE_BATCH if limit is None else min(settings.RECONCILE_BATCH, limit - looks)
        batch = work.claim(size, owner) if size > 0 else []
        if not batch:
            break
        looks += run_batch(batch)
    return looks


def run_batch(batch: list[work.Claim]) -> int:
    """Look at every object of a batch, in order."""
    for index, item in enumerate(batch):
        if stopping.is_set():
            work.release(batch[index:])
            return index
        reconcile_one(item)
    return len(batch)


def reconcile_one(item: work.Claim) -> None:
    """One look at one object."""
    controller = controller_of(item.kind)
    manager = kind_named(item.kind).objects.system("reconcile")
    rows = manager.filter(pk=item.object_id)
    if controller is not None and controller.related:
        rows = rows.select_related(*controller.related)
    obj = rows.first()
    if controller is None or obj is None:
        work.forget(item.kind, item.object_id)
        return
    generation = obj.generation
    try:
        result = controller.reconcile(obj)
    except Exception as error:
        pause = retry_pause(item.attempts)
        log.exception("%s %s: look failed, next in %.1f s", item.kind, obj, pause.total_seconds())
        if not connection.in_atomic_block:  # a caller's transaction would end with its connection
            close_old_connections()
        work.fail(item, f"{type(error).__name__}: {error}", again_after=pause)
        return
    work.finish(item, observed_generation=generation, again_after=result.again_after)


def retry_pause(attempts: int) -> timedelta:
    """Exponential, with jitter so that what failed together does not return together."""
    seconds = min(FIRST_RETRY.total_seconds() * 2 ** min(attempts, 20), LONGEST_RETRY.total_seconds())
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311 - jitter, not a secret
