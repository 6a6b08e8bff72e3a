"""What workers do again and again: it goes on after a failure, and it ends with the worker."""

from __future__ import annotations

import logging
import threading

import pytest
from celery.signals import worker_ready, worker_shutting_down

from portal.periodic import Periodic, in_every_worker

pytestmark = pytest.mark.django_db(transaction=True)  # the threads close connections
SECONDS = 20


def test_it_comes_round_after_a_failure_which_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    turns, twice = [], threading.Event()

    def act() -> None:
        turns.append(None)
        if len(turns) == 1:
            raise ValueError("the first time")
        twice.set()

    thread = Periodic("a chore", lambda: 0.01, act)
    with caplog.at_level(logging.ERROR, "portal.periodic"):
        thread.start()
        assert twice.wait(SECONDS)
    thread.stopped.set()
    thread.join(SECONDS)
    assert not thread.is_alive()
    assert "a chore failed; the next try is in 0.01 s" in caplog.text


def test_it_begins_and_ends_with_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    # Only what is registered here hears of this worker.
    monkeypatch.setattr(worker_ready, "receivers", [])
    monkeypatch.setattr(worker_shutting_down, "receivers", [])
    came = threading.Event()
    in_every_worker("another chore", lambda: 0.01, came.set)
    worker_ready.send(sender=None)
    assert came.wait(SECONDS)
    (thread,) = (each for each in threading.enumerate() if each.name == "another chore")
    worker_shutting_down.send(sender=None)
    thread.join(SECONDS)
    assert not thread.is_alive()
