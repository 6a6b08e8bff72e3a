"""`wait`, `history`, `promote` and `rollback`, as a user runs them."""

from __future__ import annotations

import pytest

from catalog import store
from catalog.controllers import runtime, work
from tests.catalog.manifests.conftest import run
from tests.factories import TESTER, ComponentFactory, EnvironmentFactory, WorkloadFactory

pytestmark = pytest.mark.django_db


def test_wait_says_how_an_object_is_when_the_time_is_over():
    ComponentFactory.create(name="web")
    runtime.drain()
    ran = run("wait", "component/web", "--timeout", "0")
    assert ran.code == 1
    assert "timed out waiting for component/web: Ready is False (ComponentTypeNotFound)" in ran.err


def test_wait_is_met_by_a_condition():
    EnvironmentFactory.create(name="development")
    runtime.drain()
    ran = run("wait", "environment/development", "--timeout", "0")
    assert ran.code == 0
    assert "environment/development Ready is True" in ran.out


def test_wait_does_not_believe_a_condition_of_an_older_generation():
    EnvironmentFactory.create(name="development")
    runtime.drain()
    document = store.to_document(store.get("Environment", "default", "development"))
    document["spec"]["isProduction"] = True
    store.replace(document, TESTER)
    work.WorkItem.objects.update(due_at=None)  # as if its controller were slow
    ran = run("wait", "environment/development", "--timeout", "0")
    assert ran.code == 1
    assert "speaks of generation 1, the object has 2" in ran.err


def test_wait_does_not_believe_a_condition_before_the_controller_has_looked():
    EnvironmentFactory.create(name="development")
    runtime.drain()
    work.mark_due([("Environment", store.get("Environment", "default", "development").pk)])
    ran = run("wait", "environment/development", "--timeout", "0")
    assert ran.code == 1
    assert "has not looked at the latest change yet" in ran.err


def test_wait_for_deletion():
    assert run("wait", "workload/web", "--for", "delete", "--timeout", "0").code == 0
    WorkloadFactory.create(name="web")
    runtime.drain()
    assert run("wait", "workload/web", "--for", "delete", "--timeout", "0").code == 1


def test_wait_without_an_object_waits_for_the_consequences():
    ComponentFactory.create(name="web")
    ran = run("wait", "--timeout", "0")
    assert ran.code == 1 and "Is a worker running?" in ran.err
    runtime.drain()
    assert run("wait", "--timeout", "0").code == 0


def test_history_names_who_what_and_where():
    store.apply(WorkloadFactory.build(name="web", image="web:1"), TESTER)
    store.apply(WorkloadFactory.build(name="web", image="web:2"), TESTER)
    ran = run("history", "workloads", "web", "--diff")
    assert "created 1 tester cli" in ran.out and "changed 2 tester cli" in ran.out
    assert "-    image: web:1\n+    image: web:2\n" in ran.out


def test_history_shows_a_document_as_it_was():
    store.apply(WorkloadFactory.build(name="web", image="web:1"), TESTER)
    then = store.position()
    store.apply(WorkloadFactory.build(name="web", image="web:2"), TESTER)
    assert "image: web:1" in run("history", "workload", "web", "--as-of", str(then)).out
    assert run("history", "workload", "web", "--as-of", "0").code == 1


def test_history_of_what_never_was_says_so():
    ran = run("history", "workload", "nothing")
    assert ran.code == 1 and "has never existed" in ran.err


def test_promotion_without_a_path_says_what_is_missing():
    ComponentFactory.create(name="web", project="absent")
    ran = run("promote", "web", "--to", "staging")
    assert ran.code == 1 and 'Project "absent" not found' in ran.err


def test_rollback_of_what_is_not_bound_says_so():
    ComponentFactory.create(name="web", auto_deploy=False)
    ran = run("rollback", "web", "--in", "staging")
    assert ran.code == 1 and 'no release is bound in environment "staging"' in ran.err
