"""Writing rendered releases: owned by the binding that made them, and left alone when they are in step."""

from __future__ import annotations

from typing import Any

import pytest

from catalog import store
from catalog.releases.rendered import ReleaseOwnershipConflict, ReleaseTerminating, put_rendered_release
from catalog.store.write import Outcome
from tests.catalog.controllers import components as c
from tests.catalog.controllers import installation as it
from tests.catalog.controllers.installation import TESTER

pytestmark = pytest.mark.django_db

CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"a": "1"}}


@pytest.fixture(autouse=True)
def binding() -> Any:
    it.install()
    return c.apply_binding("", "development")


def put(owner: Any, *resources: dict[str, Any], **more: Any) -> Outcome:
    entries = [{"id": f"resource-{index}", "object": item} for index, item in enumerate(resources)]
    owner_of_spec = {"projectName": "shop", "componentName": "web"}
    labels = {"openchoreo.dev/component": "web"}
    return put_rendered_release(
        "web-development", "default", owner, owner_of_spec, "development", "dataplane", entries, labels, TESTER, **more
    )


def test_it_is_created_changed_or_left_alone(binding: Any) -> None:
    assert put(binding, CONFIG).action == "created"
    assert put(binding, CONFIG).action == "unchanged"
    assert put(binding, {**CONFIG, "data": {"a": "2"}}).action == "changed"
    assert put(binding).action == "changed"


def test_an_equal_one_costs_one_query(binding: Any, django_assert_num_queries: Any) -> None:
    put(binding, CONFIG)
    with django_assert_num_queries(1):
        put(binding, CONFIG)


def test_one_that_the_caller_holds_costs_none(binding: Any, django_assert_num_queries: Any) -> None:
    put(binding, CONFIG)
    held = c.rendered()
    with django_assert_num_queries(0):
        assert put(binding, CONFIG, held=held).action == "unchanged"


def test_annotations_come_and_go(binding: Any) -> None:
    put(binding, CONFIG)
    assert put(binding, CONFIG, annotations={"openchoreo.dev/restartedAt": "now"}).action == "changed"
    assert put(binding, CONFIG, annotations={"openchoreo.dev/restartedAt": "now"}).action == "unchanged"
    assert put(binding, CONFIG).action == "changed"
    assert c.rendered().annotations == {}


def test_one_that_belongs_to_another_is_refused(binding: Any) -> None:
    put(binding, CONFIG)
    other = c.apply_binding("", "staging")
    with pytest.raises(ReleaseOwnershipConflict, match='Release "web-development" exists but is owned by another'):
        put(other, CONFIG)


def test_one_that_is_being_deleted_is_waited_for(binding: Any) -> None:
    put(binding, CONFIG)
    store.delete(c.RENDERED, "default", "web-development", TESTER)
    with pytest.raises(ReleaseTerminating, match='Release "web-development" is being deleted'):
        put(binding, CONFIG)
