"""What looks cost in queries: thousands of components share one database, so every query more is felt."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.controllers import runtime, work
from tests.catalog.controllers import components as c
from tests.catalog.controllers import installation as it

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def installation() -> None:
    c.install()


def claimed(kind: str) -> work.Claim:
    """The one thing of that kind that is due; whatever else is due is left aside."""
    (item,) = [item for item in work.claim(100, "test:1:1") if item.kind == kind]
    return item


def test_releasing_and_binding_a_new_component(django_assert_max_num_queries: Any) -> None:
    c.apply_component()
    c.apply_workload()
    item = claimed(c.COMPONENT)
    with django_assert_max_num_queries(32):
        runtime.reconcile_one(item)
    assert c.bindings() == ["web-development"]


def test_a_component_in_step(django_assert_max_num_queries: Any) -> None:
    c.deploy()
    it.look_again(c.COMPONENT, "web")
    item = claimed(c.COMPONENT)
    with django_assert_max_num_queries(6):
        runtime.reconcile_one(item)


def test_rendering_a_new_binding(django_assert_max_num_queries: Any) -> None:
    c.apply_component()
    c.apply_workload()
    it.settle(c.COMPONENT)
    it.look_again(c.BINDING, "web-development")
    item = claimed(c.BINDING)
    with django_assert_max_num_queries(25):
        runtime.reconcile_one(item)
    assert c.rendered()


def test_a_binding_in_step(django_assert_max_num_queries: Any) -> None:
    c.deploy("api", endpoints={"http": c.HTTP})
    dependency = {"component": "api", "name": "http", "visibility": "project", "envBindings": {"address": "API"}}
    c.deploy(dependencies={"endpoints": [dependency]})
    for _ in range(2):
        it.look_again(c.BINDING, "web-development")
        item = claimed(c.BINDING)
        with django_assert_max_num_queries(12):
            runtime.reconcile_one(item)
    it.look_again(c.BINDING, "web-development")
    item = claimed(c.BINDING)
    with django_assert_max_num_queries(7):
        runtime.reconcile_one(item)


def test_many_dependencies_cost_no_more_than_one(django_assert_max_num_queries: Any) -> None:
    names = [f"api-{number}" for number in range(8)]
    for name in names:
        c.deploy(name, endpoints={"http": c.HTTP})
    wanted = [{"component": name, "name": "http", "visibility": "project", "envBindings": {}} for name in names]
    c.deploy(dependencies={"endpoints": wanted})
    assert len(c.binding().status["resolvedConnections"]) == 8
    it.look_again(c.BINDING, "web-development")
    c.settle()
    it.look_again(c.BINDING, "web-development")
    item = claimed(c.BINDING)
    with django_assert_max_num_queries(7):
        runtime.reconcile_one(item)
