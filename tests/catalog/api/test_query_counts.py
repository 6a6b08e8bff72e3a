"""Every read costs the same number of queries, however much there is to read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.api import noted_reads
from catalog.api.routes import collections_by_route
from catalog.controllers import runtime
from catalog.delivery import drivers
from portal.access.actions import contract_actions
from portal.accounts.models import issue_token
from tests.catalog.access.conftest import bind, role
from tests.catalog.api.cluster import Cluster
from tests.catalog.controllers import components as c
from tests.catalog.controllers import installation as it

pytestmark = pytest.mark.django_db
BINDING = "/api/v1/namespaces/default/releasebindings/web-development"
MOST = 12
"""No read of one object or page takes more, the token and the rights included."""


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    found = Cluster()
    monkeypatch.setitem(drivers.DRIVERS, "kubernetes", drivers.Driver(Cluster.capabilities, lambda location: found))
    c.install()
    c.apply_component()
    c.apply_workload()
    runtime.drain()
    return found


@pytest.fixture
def reader(reader_api: Any) -> Any:
    """Somebody whose rights have to be looked up, in many bindings."""
    return reader_api


def cost(api: Any, path: str) -> int:
    api.get(path)  # what a process learns once
    with CaptureQueriesContext(connection) as queries:
        reply = api.get(path)
    assert reply.status_code == 200, (path, reply.content)
    return len(queries)


def grows_not(api: Any, path: str, grow: Callable[[], None]) -> None:
    """The cost before and after is the same, and modest."""
    before = cost(api, path)
    grow()
    assert cost(api, path) == before <= MOST, path


def test_a_list_costs_the_same_for_one_object_and_for_a_page_of_them(cluster: Cluster, api: Any) -> None:
    for number in range(20):
        it.apply("Trait", f"trait-{number:02}", {})
    for plural, namespaced in collections_by_route():
        base = "/api/v1/namespaces/default" if namespaced else "/api/v1"
        assert cost(api, f"{base}/{plural}?limit=1") == cost(api, f"{base}/{plural}?limit=100") <= MOST, plural


def test_a_list_costs_the_same_however_many_bindings_the_reader_has(cluster: Cluster, reader: Any) -> None:
    role("viewer", *(action.name for action in contract_actions() if action.only_reads))

    def grow() -> None:
        for number in range(30):
            bind(f"more-{number}", "sub:reader", "viewer", scope={"namespace": "default", "project": "shop"})

    grows_not(reader, "/api/v1/namespaces/default/components", grow)


def test_a_components_schema_costs_the_same_for_one_trait_and_for_many(cluster: Cluster, api: Any) -> None:
    size = {"openAPIV3Schema": {"type": "object", "properties": {"size": {"type": "integer"}}}}
    for number in range(10):
        it.apply("Trait", f"quota-{number}", {"environmentConfigs": size})
    c.apply_component("one", traits=[{"name": "quota-0", "instanceName": "a"}])
    path = "/api/v1/namespaces/default/components/one/schema"

    def grow() -> None:
        c.apply_component("one", traits=[{"name": f"quota-{n}", "instanceName": f"q{n}"} for n in range(10)])

    grows_not(api, path, grow)
    assert len(api.get(path).json()["properties"]["traitEnvironmentConfigs"]["properties"]) == 10


@pytest.mark.parametrize("driver", ["kubernetes", "git"])
def test_a_tree_costs_the_same_for_few_objects_and_for_many(
    cluster: Cluster, api: Any, settings: Any, tmp_path: Any, driver: str
) -> None:
    settings.HOME = tmp_path
    settings.GIT_PLANE_REPOSITORY = str(tmp_path / "planes" / "default.git")
    it.apply_data_plane(driver=driver)
    runtime.drain()
    maps = {
        "id": "maps",
        "forEach": "${['a','b','c','d','e','f','g','h']}",
        "var": "item",
        "template": {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "${metadata.name + '-' + item}", "namespace": "${metadata.namespace}"},
        },
    }

    def grow() -> None:
        c.apply_type(resources=[c.DEPLOYMENT, maps])
        runtime.drain()

    grows_not(api, f"{BINDING}/k8sresources/tree", grow)
    nodes = api.get(f"{BINDING}/k8sresources/tree").json()["renderedReleases"][0]["nodes"]
    assert len([node for node in nodes if node["kind"] == "ConfigMap"]) == 8


def test_events_and_logs_cost_the_same_however_many_components_there_are(
    cluster: Cluster, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noted_reads, "was_noted", lambda key: True)  # no minute ends meanwhile
    nodes = api.get(f"{BINDING}/k8sresources/tree").json()["renderedReleases"][0]["nodes"]
    pod = next(node["name"] for node in nodes if node["kind"] == "Pod")
    before = [cost(api, f"{BINDING}/k8sresources/{part}") for part in parts(pod)]
    for number in range(5):
        c.apply_component(f"other-{number}")
        c.apply_workload(f"other-{number}")
    runtime.drain()
    assert [cost(api, f"{BINDING}/k8sresources/{part}") for part in parts(pod)] == before
    assert max(before) <= MOST


def parts(pod: str) -> list[str]:
    return [f"events?version=v1&kind=Pod&name={pod}", f"logs?podName={pod}"]


def test_lists_of_ours_cost_the_same_for_one_entry_and_for_a_page_of_them(
    cluster: Cluster, api: Any, admin: Any
) -> None:
    """The log, histories, the audit, grants, tokens, what can come back, secrets."""
    ours = "/api/stagecraft/v1"
    role("viewer", "component:view")
    api.create("/api/v1/namespaces/default/traits", {"metadata": {"name": "edited"}})
    api.create("/api/v1/namespaces/default/traits", {"metadata": {"name": "gone-0"}})
    api.delete("/api/v1/namespaces/default/traits/gone-0")
    bind("v-0", "sub:reader-0", "viewer", scope={"namespace": "default"})
    paths = (
        f"{ours}/changes?since=0&limit=100",
        f"{ours}/changes?since=0&limit=100&kinds=Trait&documents=true",
        f"{ours}/watch?since=0&wait=0&kinds=Trait",
        f"{ours}/namespaces/default/traits/edited/history?limit=100",
        f"{ours}/audit?limit=100",
        f"{ours}/access/grants?limit=100",
        f"{ours}/access/tokens",
        f"{ours}/deleted",
        "/api/v1/authz/actions",
    )
    before = [cost(api, path) for path in paths]
    for number in range(1, 12):
        api.put("/api/v1/namespaces/default/traits/edited", {"metadata": {"labels": {"n": str(number)}}})
        api.create("/api/v1/namespaces/default/traits", {"metadata": {"name": f"gone-{number}"}})
        api.delete(f"/api/v1/namespaces/default/traits/gone-{number}")
        bind(f"v-{number}", f"sub:reader-{number}", "viewer", scope={"namespace": "default"})
        issue_token(admin, f"more-{number}")
    for path, held in zip(paths, before, strict=True):
        assert cost(api, path) == held <= 2 * MOST, path
