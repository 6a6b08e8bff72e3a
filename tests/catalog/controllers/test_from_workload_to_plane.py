"""The whole way: what a developer applies ends up on the plane, and the developer's objects say so."""

from __future__ import annotations

import pytest

from catalog import store
from catalog.controllers import runtime
from catalog.controllers.models import WorkItem
from catalog.kinds.rendered_object import RenderedObject
from tests.catalog.controllers import components as c
from tests.catalog.controllers import installation as it
from tests.catalog.controllers.installation import TESTER, gone

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def installation() -> None:
    c.install()
    it.apply_data_plane(driver="git")


def drain() -> None:
    runtime.drain()
    assert not WorkItem.objects.exclude(last_error="").values_list("kind", "last_error")


def test_a_component_and_its_workload_become_objects_on_the_plane() -> None:
    c.apply_component()
    c.apply_workload(endpoints={"http": c.HTTP})
    drain()
    assert c.ready(c.component())[:2] == ("True", "ComponentReleaseReady")
    assert c.ready(c.binding()) == ("True", "Ready", "ReleaseBinding is ready")
    applied = RenderedObject.objects.system("test").filter(rendered_release=c.rendered()).exclude(applied_hash="")
    assert {item.kind for item in applied} == {"Deployment", "Service", "NetworkPolicy"}


def test_a_new_image_travels_the_same_way_and_the_binding_is_ready_again() -> None:
    c.apply_component()
    c.apply_workload()
    drain()
    c.apply_workload(image="web:2")
    drain()
    assert c.container_of()["image"] == "web:2"
    assert c.ready(c.binding())[0] == "True"
    stale = RenderedObject.objects.system("test").filter(rendered_release=c.rendered())
    assert all(item.applied_hash == item.manifest_id for item in stale)


def test_a_deleted_component_leaves_nothing_behind() -> None:
    c.apply_component()
    c.apply_workload()
    drain()
    store.delete(c.COMPONENT, "default", "web", TESTER)
    drain()
    assert gone(c.COMPONENT, "web")
    assert gone(c.BINDING, "web-development")
    assert gone(c.RENDERED, "web-development")
    assert c.releases() == []
