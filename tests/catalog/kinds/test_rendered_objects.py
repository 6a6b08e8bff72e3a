"""Rendered releases keep a row for each Kubernetes object and each manifest once, with few queries."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from catalog.kinds.namespace import Namespace
from catalog.kinds.rendered_object import Manifest, RenderedObject, manifest_hash
from catalog.kinds.rendered_release import RenderedRelease

pytestmark = pytest.mark.django_db

QUERIES_MAX = 8  # two to store manifests, six to bring the rows in step


def manifest(kind: str, name: str, api_version: str = "v1", **content: Any) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "dp"}, **content}


def resources(*objects: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": "resource", "object": entry} for entry in objects]


@pytest.fixture
def release() -> RenderedRelease:
    Namespace.objects.system("test").get_or_create(name="default", defaults={"created_at": timezone.now()})
    return RenderedRelease.objects.system("test").create(
        namespace_id="default", name="web-development", created_at=timezone.now()
    )


def store(release: RenderedRelease, *objects: dict[str, Any], created: bool = False) -> list[RenderedObject]:
    """What the store does with a rendered release, as far as its kind has a part in it."""
    spec = {"owner": {"projectName": "shop"}, "environmentName": "development", "resources": resources(*objects)}
    release.spec = RenderedRelease.pack_spec(spec)
    release.save()
    release.after_save(created=created)
    return rows(release)


def rows(release: RenderedRelease) -> list[RenderedObject]:
    return list(release.rendered_objects.system("test").order_by("position"))


def test_the_spec_is_stored_by_hashes_and_read_back_whole(release: RenderedRelease) -> None:
    config = manifest("ConfigMap", "a", data={"b": 1, "a": [1.0, None, True]})
    store(release, config, manifest("Service", "a"), created=True)
    assert release.spec["resources"][0] == {"id": "resource", "hash": manifest_hash(config)}
    assert "data" not in str(release.spec)
    release.refresh_from_db()
    assert release.full_spec()["resources"] == resources(config, manifest("Service", "a"))
    assert release.full_spec()["owner"] == {"projectName": "shop"}


def test_a_release_without_resources_is_stored_as_it_is(release: RenderedRelease) -> None:
    release.spec = RenderedRelease.pack_spec({"environmentName": "development"})
    release.after_save(created=True)
    assert release.full_spec() == {"environmentName": "development"}
    assert rows(release) == []


def test_a_row_says_which_object_it_is(release: RenderedRelease) -> None:
    deployment, namespace = store(
        release,
        manifest("Deployment", "web", "apps/v1"),
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "dp"}},
        created=True,
    )
    assert (deployment.group, deployment.version, deployment.kind, deployment.namespace, deployment.name) == (
        "apps",
        "v1",
        "Deployment",
        "dp",
        "web",
    )
    assert (namespace.group, namespace.version, namespace.namespace) == ("", "v1", "")
    assert (deployment.resource_id, deployment.position, namespace.position) == ("resource", 0, 1)


def test_equal_manifests_are_kept_once_whatever_the_order_of_their_keys(release: RenderedRelease) -> None:
    store(release, {"kind": "A", "apiVersion": "v1"}, {"apiVersion": "v1", "kind": "A"}, created=True)
    assert Manifest.objects.system("test").count() == 1
    assert release.rendered_objects.system("test").count() == 2


def test_what_was_applied_and_observed_stays_with_an_object_that_stays(release: RenderedRelease) -> None:
    before = store(release, manifest("Service", "a"), manifest("Deployment", "a", "apps/v1", spec=1), created=True)
    release.rendered_objects.system("test").update(applied_hash="applied", health="Healthy", observed={"replicas": 1})
    after = store(
        release,
        manifest("Deployment", "a", "apps/v1beta1", spec=2),
        manifest("ConfigMap", "new"),
        manifest("Service", "a"),
    )
    deployment, config, service = after
    assert [row.kind for row in after] == ["Deployment", "ConfigMap", "Service"]
    assert (deployment.pk, service.pk) == (before[1].pk, before[0].pk)
    assert (deployment.applied_hash, deployment.health, deployment.observed) == ("applied", "Healthy", {"replicas": 1})
    assert deployment.version == "v1beta1"
    assert deployment.manifest_id == manifest_hash(manifest("Deployment", "a", "apps/v1beta1", spec=2))
    assert (config.applied_hash, config.observed) == ("", None)


def test_objects_that_are_no_longer_wanted_lose_their_rows(release: RenderedRelease) -> None:
    store(release, manifest("Service", "a"), manifest("Service", "b"), manifest("Service", "c"), created=True)
    left = store(release, manifest("Service", "c"))
    assert [(row.name, row.position) for row in left] == [("c", 0)]


def test_an_object_in_another_namespace_is_another_object(release: RenderedRelease) -> None:
    (before,) = store(release, manifest("Service", "a"), created=True)
    moved = manifest("Service", "a")
    moved["metadata"]["namespace"] = "elsewhere"
    (after,) = store(release, moved)
    assert after.pk != before.pk


def test_an_object_that_is_rendered_twice_has_two_rows(release: RenderedRelease) -> None:
    twice = manifest("Service", "a"), manifest("Service", "a", spec=2)
    first = store(release, *twice, created=True)
    again = store(release, *twice)
    assert [row.pk for row in again] == [row.pk for row in first]
    assert [row.pk for row in store(release, manifest("Service", "a"))] == [first[0].pk]


@pytest.mark.parametrize("count", [3, 60])
def test_the_number_of_queries_does_not_depend_on_the_number_of_objects(
    release: RenderedRelease, count: int, django_assert_max_num_queries: Any
) -> None:
    names = [f"object-{number}" for number in range(count)]
    with django_assert_max_num_queries(QUERIES_MAX + 1):  # and one to save the release itself
        store(release, *(manifest("Service", name) for name in names), created=True)
    # Every object moves and changes, one goes, one comes.
    with django_assert_max_num_queries(QUERIES_MAX + 2):  # and one in which the test reads the rows
        after = store(release, *(manifest("Service", name, spec=2) for name in [*reversed(names[1:]), "new"]))
    assert [row.name for row in after] == [*reversed(names[1:]), "new"]


def test_a_release_that_is_deleted_takes_its_rows_along(release: RenderedRelease) -> None:
    store(release, manifest("Service", "a"), created=True)
    release.delete()
    assert RenderedObject.objects.system("test").count() == 0
