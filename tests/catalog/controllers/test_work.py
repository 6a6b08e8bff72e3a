"""The work list: no change is without its look, no object has two lookers, no wake-up is lost."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.utils import timezone

from catalog import store
from catalog.controllers import runtime, work
from catalog.controllers.models import WakeUp, WorkItem
from catalog.controllers.registry import Controller
from tests.factories import NamespaceFactory

ME = "host:1:1"


@pytest.fixture(autouse=True)
def empty_work_list(db):
    """A new database has a namespace; that is due, and a message has been sent."""
    WorkItem.objects.all().delete()
    WakeUp.objects.all().delete()


def due(kind="Component", identity=1):
    work.mark_due([(kind, identity)])


@pytest.mark.django_db
def test_a_marked_object_is_claimed_once():
    due()
    (claimed,) = work.claim(10, ME)
    assert (claimed.kind, claimed.object_id) == ("Component", 1)
    assert work.claim(10, "host:2:2") == []


@pytest.mark.django_db
def test_a_finished_object_is_not_due_until_it_is_marked_again():
    due()
    (claimed,) = work.claim(10, ME)
    work.finish(claimed, observed_generation=3, again_after=None)
    assert work.claim(10, ME) == []
    assert WorkItem.objects.get().observed_generation == 3
    due()
    assert len(work.claim(10, ME)) == 1


@pytest.mark.django_db
def test_a_wake_up_during_a_look_causes_another_look():
    due()
    (claimed,) = work.claim(10, ME)
    due()
    work.finish(claimed, observed_generation=1, again_after=None)
    assert len(work.claim(10, ME)) == 1


@pytest.mark.django_db
def test_a_wake_up_during_a_failing_look_is_not_put_off():
    due()
    (claimed,) = work.claim(10, ME)
    due()
    work.fail(claimed, "no route to plane", again_after=timedelta(hours=1))
    assert len(work.claim(10, ME)) == 1


@pytest.mark.django_db
def test_a_failed_look_keeps_its_reason_and_waits():
    due()
    (claimed,) = work.claim(10, ME)
    work.fail(claimed, "no route to plane", again_after=timedelta(hours=1))
    item = WorkItem.objects.get()
    assert (item.last_error, item.attempts) == ("no route to plane", 1)
    assert work.claim(10, ME) == []


@pytest.mark.django_db
def test_a_failing_look_inside_a_callers_transaction_leaves_it_its_connection(monkeypatch):
    """A connection past its age is given up after a failure; not one that a transaction still runs on."""
    NamespaceFactory(name="acme")
    namespace = store.get("Namespace", "", "acme")
    work.mark_due([("Namespace", namespace.pk)])

    def fail(obj):
        raise RuntimeError("the plane is on fire")

    monkeypatch.setattr(runtime, "controller_of", lambda kind: Controller(kind, fail, ()))
    monkeypatch.setattr(connections[DEFAULT_DB_ALIAS], "close_at", 0.0)  # the proxy would lose it afterwards
    (claimed,) = (item for item in work.claim(10, ME) if item.object_id == namespace.pk)
    runtime.reconcile_one(claimed)
    item = WorkItem.objects.get(kind="Namespace", object_id=namespace.pk)
    assert item.last_error == "RuntimeError: the plane is on fire"


@pytest.mark.django_db
def test_a_later_date_never_puts_off_an_earlier_one():
    due()
    work.mark_due([("Component", 1)], timezone.now() + timedelta(hours=1))
    assert len(work.claim(10, ME)) == 1


@pytest.mark.django_db
def test_the_longest_waiting_is_first():
    work.mark_due([("Component", 1)], timezone.now() - timedelta(seconds=1))
    work.mark_due([("Component", 2)], timezone.now() - timedelta(seconds=9))
    claimed = [item.object_id for item in [*work.claim(1, ME), *work.claim(1, ME)]]
    assert claimed == [2, 1]


@pytest.mark.django_db
def test_a_lease_that_ran_out_is_taken_over():
    due()
    work.claim(10, ME)
    WorkItem.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert len(work.claim(10, "host:2:2")) == 1


@pytest.mark.django_db
def test_the_leases_of_dead_processes_are_freed_and_those_of_the_living_kept():
    WorkItem.objects.all().delete()
    work.mark_due([("Component", 1), ("Component", 2)])
    mine = work.process_identity()
    host = mine.rsplit(":", 2)[0]
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    started = work.start_time_of(child.pid)
    child.wait()
    work.claim(1, f"{host}:{child.pid}:{started}")
    work.claim(1, mine)
    assert work.free_orphans() == 1
    assert [item.object_id for item in work.claim(10, mine)] == [1]


@pytest.mark.django_db
def test_a_reused_process_id_is_not_taken_for_the_dead_worker():
    due()
    host = work.process_identity().rsplit(":", 2)[0]
    work.claim(1, f"{host}:{os.getpid()}:1")
    assert work.free_orphans() == 1


@pytest.mark.django_db
def test_a_burst_of_changes_sends_one_message():
    assert work.wake_up_needed()
    assert not work.wake_up_needed()
    work.wake_up_answered()
    assert work.wake_up_needed()


@pytest.mark.django_db
def test_a_lost_message_is_sent_again():
    assert work.wake_up_needed()
    assert work.wake_up_needed(stale_after=timedelta(seconds=-1))


@pytest.mark.django_db
def test_a_mark_is_part_of_the_transaction_that_causes_it():
    with transaction.atomic():
        due()
        transaction.set_rollback(True)
    assert not WorkItem.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_hold_the_same_object():
    total = 300
    work.mark_due([("Component", number) for number in range(total)])
    claims: list[int] = []
    failures: list[BaseException] = []

    def take(owner: str) -> None:
        try:
            while batch := work.claim(7, owner):
                claims.extend(item.object_id for item in batch)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(f"host:{number}:{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(claims) == list(range(total))
