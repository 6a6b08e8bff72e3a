"""The log: looking back, following on, and the promise about its order."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection, transaction
from django.utils import timezone

from catalog import store
from catalog.store.models import LogHorizon
from tests.factories import TESTER, ComponentFactory, NamespaceFactory, WorkloadFactory


@pytest.mark.django_db
def test_an_object_can_be_read_as_of_a_sequence_or_a_moment():
    NamespaceFactory.create()
    store.apply(WorkloadFactory.build(name="web", image="web:1"), TESTER)
    first, moment = store.position(), timezone.now()
    store.apply(WorkloadFactory.build(name="web", image="web:2"), TESTER)
    store.delete("Workload", "default", "web", TESTER)
    then = store.read_as_of("Workload", "default", "web", first)
    assert then["spec"]["container"]["image"] == "web:1"
    assert store.read_as_of("Workload", "default", "web", moment)["spec"] == then["spec"]
    assert store.read_as_of("Workload", "default", "web", first + 1)["spec"]["container"]["image"] == "web:2"
    with pytest.raises(store.NotFound):
        store.read_as_of("Workload", "default", "web", store.position())


@pytest.mark.django_db
def test_the_status_of_the_past_comes_with_the_document():
    NamespaceFactory.create()
    component = ComponentFactory.create(name="web")
    store.write_status(component, {"latestRelease": {"name": "web-1"}}, TESTER)
    then = store.position()
    store.write_status(component, {"latestRelease": {"name": "web-2"}}, TESTER)
    assert store.read_as_of("Component", "default", "web", then)["status"] == {"latestRelease": {"name": "web-1"}}
    assert store.read_as_of("Component", "default", "web", then - 1)["status"] == {}


@pytest.mark.django_db
def test_a_watch_yields_what_came_after_its_start_and_only_what_it_asked_for():
    NamespaceFactory.create()
    start = store.position()
    WorkloadFactory.create(name="a")
    ComponentFactory.create(name="b")
    rows = list(store.watch(start, kinds=["Component"], namespace="default", timeout=0))
    assert [(row.kind, row.name, row.action) for row in rows] == [("Component", "b", "created")]


@pytest.mark.django_db
def test_a_watch_from_before_the_horizon_is_told_to_list_anew():
    NamespaceFactory.create()
    LogHorizon.objects.create(id=1, oldest_sequence=store.position() + 1)
    with pytest.raises(store.Gone, match="list the objects"):
        list(store.watch(0, timeout=0))


@pytest.mark.django_db(transaction=True)
def test_a_reader_that_has_seen_a_row_never_finds_an_earlier_one_later():
    """Writers commit in an order other than that in which they began; the reader must not miss one of them."""
    NamespaceFactory.create()
    start = store.position()
    writers, each = 6, 15
    seen: list[int] = []
    failures: list[BaseException] = []
    finished = threading.Event()

    def write(number: int) -> None:
        try:
            for turn in range(each):
                with store.transaction():
                    store.apply(WorkloadFactory.build(name=f"w-{number}-{turn}"), TESTER)
                    time.sleep(0.001 * ((number * 7 + turn * 3) % 5))
                    store.apply(WorkloadFactory.build(name=f"v-{number}-{turn}"), TESTER)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    def follow() -> None:
        try:
            for row in store.watch(start, timeout=60, interval=0.001, stopped=finished.is_set):
                seen.append(row.sequence)
                if len(seen) == writers * each * 2:
                    return
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    reader = threading.Thread(target=follow)
    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in [reader, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    reader.join(timeout=10)
    finished.set()
    reader.join()
    assert failures == []
    written = [row.sequence for row in store.changes_since(start, limit=10_000)]
    assert len(written) == writers * each * 2
    assert seen == written


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_is_rolled_back_leaves_no_row():
    NamespaceFactory.create()
    start = store.position()
    with transaction.atomic():
        WorkloadFactory.create(name="a")
        transaction.set_rollback(True)
    assert store.changes_since(start) == []
