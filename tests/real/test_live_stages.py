"""The stages of a recorded control plane on a real cluster: the same conditions, reasons, endpoints and states.

Deliberate differences are named here, each with its reason; whatever else differs fails.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalog import store
from catalog.delivery.tracking import RELEASE_NAME, RELEASE_NAMESPACE
from tests.catalog.controllers.installation import TESTER
from tests.catalog.controllers.test_live_conformance import conditions, made
from tests.real.cluster_installation import live
from tests.real.live_stages import (
    ClusterReplay,
    add_kinds,
    apply_elsewhere,
    hold,
    let_go,
    make_routes_newer,
    make_routes_older,
    recorded_deletions,
    states,
    strike_the_hour,
)

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.real("kubernetes"),
    pytest.mark.xdist_group("kubernetes-apart"),
    pytest.mark.timeout(600),
]
Key = tuple[str, str, str]
Recorded = dict[Key, dict[str, Any]]
DELETED = ("demo-app-web-service", "react-starter")
ELSEWHERE = "acme"
GONE_AT_ONCE = {
    ("Component", ELSEWHERE, f"{name}-service") for name in ("greeting", "patient-management", "reading-list")
}
"""Components that were never deployed: there is nothing to wait for. Upstream asks again after five seconds."""


@pytest.fixture
def plane(own_cluster, settings, tmp_path):
    settings.KUBERNETES_CLUSTERS = tmp_path
    settings.MANAGE_PROJECT_RELEASE_BINDINGS = False  # there, people made them
    (tmp_path / "test.kubeconfig").write_text(own_cluster.kubeconfig)
    add_kinds(own_cluster)
    return own_cluster


def test_the_stages_of_the_recording_come_about_on_a_real_cluster(plane, conformance):
    """One story, as it was recorded: each stage begins with what the one before has left."""
    first = ClusterReplay(conformance, "gcp-before-redis-is-pinned", ("gcp-microservices-demo",), cluster=plane)
    assert first.play() == {}

    newer = make_routes_older(plane)
    second = ClusterReplay(conformance, "apply-errors", cluster=plane)
    assert second.play() == {}
    for item in second.refused():
        assert "resources" not in item["status"]  # deliberate: there the first refusal ends it, here the rest goes on
        assert {kind for kind, *_ in states(made(item)).values()} >= {"Deployment", "Service", "NetworkPolicy"}

    make_routes_newer(plane, newer)
    third = ClusterReplay(conformance, "settled", with_cases=True, cluster=plane)
    third.apply_inputs()
    third.work_until(lambda: bool(made(third.recorded["RenderedRelease", "github-issue-reporter-development"])))
    strike_the_hour(plane, "github-issue-reporter")
    assert third.work_until_as_recorded() == {}
    delete_as_recorded(third, conformance)


def delete_as_recorded(replay: ClusterReplay, conformance: Path) -> None:
    """Two components, an environment that is in use, and a whole project in a namespace of its own."""
    cluster = replay.cluster
    apply_elsewhere(conformance, ELSEWHERE)
    assert replay.work_until_as_recorded() == {}
    held = []
    for (plural, namespace, name), item in live(cluster).items():
        labels = item["metadata"]["labels"]
        if plural == "deployments" and labels[RELEASE_NAME].startswith(DELETED):
            held.append(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
        if plural == "namespaces" and labels[RELEASE_NAMESPACE] == ELSEWHERE:
            path = f"/api/v1/namespaces/{name}/configmaps"
            cluster.call("POST", path, {"metadata": {"name": "held"}})
            held.append(f"{path}/held")
    for path in held:
        hold(cluster, path)
    for name in DELETED:
        store.delete("Component", "default", name, TESTER)
    store.delete("Environment", "default", "staging", TESTER)
    store.delete("Project", ELSEWHERE, "default", TESTER)

    recorded = recorded_deletions(conformance, "deleting-1s")
    assert replay.work_until(lambda: deletions(recorded) == {key: expected(recorded, key) for key in recorded}) == {}, (
        deletions(recorded)
    )
    for path in held:
        let_go(cluster, path)
    last = recorded_deletions(conformance, "deleting-21s")
    only_these = {key: expected(last, key) if key in last else None for key in recorded}
    assert replay.work_until(lambda: deletions(recorded) == only_these) == {}, deletions(recorded)
    left = [item["metadata"]["labels"] for item in live(cluster).values()]
    assert not [labels for labels in left if labels[RELEASE_NAMESPACE] == ELSEWHERE]
    assert not [labels for labels in left if labels[RELEASE_NAME].startswith(DELETED)]


def deletions(recorded: Recorded) -> dict[Key, Any]:
    """Conditions and finalizers of our objects, None for those that are gone."""
    found = {}
    for key in recorded:
        obj = store.get_or_none(*key)
        found[key] = None if obj is None else summary(store.to_document(obj))
    return found


def expected(recorded: Recorded, key: Key) -> Any:
    return None if key in GONE_AT_ONCE else summary(recorded[key])


def summary(item: dict[str, Any]) -> Any:
    return conditions(item), item["metadata"].get("finalizers"), "deletionTimestamp" in item["metadata"]
