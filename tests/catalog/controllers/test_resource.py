"""Resource: its releases, the bindings that follow them, and how it goes."""

from __future__ import annotations

import pytest

from catalog import store
from catalog.kinds.resource_release import ResourceRelease
from tests.catalog.controllers import installation as it
from tests.factories import TESTER

pytestmark = pytest.mark.django_db
BINDING = "ResourceReleaseBinding"


@pytest.fixture(autouse=True)
def installed():
    it.install()
    it.apply_project()
    it.apply_resource_type()


def test_a_new_resource_is_ready_with_a_release_of_its_type():
    it.apply_resource()
    it.settle("Resource")
    resource = it.get("Resource", "cache")
    latest = resource.status["latestRelease"]
    assert latest["name"] == f"cache-{latest['hash']}"
    assert it.state(resource, "Ready") == ("True", "Reconciled")
    assert it.message(resource, "Ready") == f"ResourceRelease {latest['name']} in place"
    release = it.get("ResourceRelease", latest["name"])
    assert release.spec["owner"] == {"projectName": "shop", "resourceName": "cache"}
    assert release.spec["parameters"] == {"size": 1}


def test_without_its_type_a_resource_says_so_and_recovers_when_the_type_comes():
    it.apply_resource(type_name="later")
    it.settle("Resource")
    resource = it.get("Resource", "cache")
    assert it.state(resource, "Ready") == ("False", "ResourceTypeNotFound")
    assert it.message(resource, "Ready") == 'ClusterResourceType "later" not found'
    it.apply_resource_type(name="later")
    it.settle("Resource")
    assert it.state(it.get("Resource", "cache"), "Ready") == ("True", "Reconciled")


def test_a_changed_type_is_a_new_release_and_pins_stay():
    it.apply_resource()
    it.settle("Resource")
    first = it.get("Resource", "cache").status["latestRelease"]["name"]
    it.apply_resource_binding(first)
    it.apply_resource_type(outputs=None)
    it.settle("Resource")
    assert it.get("Resource", "cache").status["latestRelease"]["name"] != first
    assert ResourceRelease.objects.system("test").count() == 2
    assert it.get(BINDING, "cache-development").spec["resourceRelease"] == first


def test_an_empty_pin_is_never_filled():
    it.apply_resource()
    it.apply_resource_binding()
    it.settle("Resource", BINDING)
    assert "resourceRelease" not in it.get(BINDING, "cache-development").spec


def test_a_binding_that_asks_for_it_follows_the_newest_release():
    it.apply_resource()
    it.settle("Resource")
    it.apply_resource_binding(annotations={"stagecraft.dev/follow-latest": "true"})
    it.settle("Resource")
    first = it.get("Resource", "cache").status["latestRelease"]["name"]
    assert it.get(BINDING, "cache-development").spec["resourceRelease"] == first
    it.apply_resource(size=2)
    it.settle("Resource")
    second = it.get("Resource", "cache").status["latestRelease"]["name"]
    assert second != first
    assert it.get(BINDING, "cache-development").spec["resourceRelease"] == second


def test_a_converged_resource_is_looked_at_without_a_write():
    it.apply_resource()
    it.apply_resource_binding(annotations={"stagecraft.dev/follow-latest": "true"})
    it.settle("Resource")
    newest = store.position()
    it.look_again("Resource", "cache")
    it.settle("Resource")
    assert store.position() == newest


def test_a_release_name_held_by_another_resource_is_refused_with_a_reason():
    it.apply_resource("cache-a")
    it.settle("Resource")
    held = it.get("Resource", "cache-a").status["latestRelease"]
    spec = dict(it.get("ResourceRelease", held["name"]).spec)
    it.apply("ResourceRelease", f"cache-{held['hash']}", spec)
    it.apply_resource("cache")
    it.settle("Resource")
    assert it.state(it.get("Resource", "cache"), "Ready") == ("False", "ReleaseOwnershipConflict")


def test_a_deleted_resource_takes_its_bindings_then_its_releases():
    it.apply_resource()
    it.settle("Resource")
    it.apply_resource_binding(it.get("Resource", "cache").status["latestRelease"]["name"])
    it.settle("Resource", BINDING)
    store.delete("Resource", "default", "cache", TESTER)
    it.settle("Resource", BINDING)
    resource = it.get("Resource", "cache")
    assert it.state(resource, "Finalizing") == ("True", "Finalizing")
    assert it.message(resource, "Finalizing") == "Waiting for ResourceReleaseBindings to be deleted"
    assert ResourceRelease.objects.system("test").count() == 1
    it.finish_cleanup()
    it.settle("Resource", BINDING)
    assert it.gone("Resource", "cache")
    assert ResourceRelease.objects.system("test").count() == 0


@pytest.mark.parametrize("where", ["binding", "type"])
def test_what_is_retained_holds_the_resource_and_says_how_to_let_go(where):
    if where == "type":
        it.apply_resource_type(retainPolicy="Retain")
    it.apply_resource()
    it.settle("Resource")
    release = it.get("Resource", "cache").status["latestRelease"]["name"]
    it.apply_resource_binding(release, **({"retain": "Retain"} if where == "binding" else {}))
    it.settle("Resource", BINDING)
    store.delete("Resource", "default", "cache", TESTER)
    it.settle("Resource", BINDING)
    assert it.get(BINDING, "cache-development").deleted_at is None
    words = it.message(it.get("Resource", "cache"), "Finalizing")
    assert "cache-development" in words
    assert "stagecraft.dev/delete-retained" in words

    document = store.to_document(it.get(BINDING, "cache-development"))
    document["metadata"]["annotations"] = {"stagecraft.dev/delete-retained": "true"}
    store.replace(document, TESTER)
    it.settle("Resource", BINDING)
    it.finish_cleanup()
    it.settle("Resource", BINDING)
    assert it.gone(BINDING, "cache-development")
    assert it.gone("Resource", "cache")
