"""The six kinds of planes: created as they are, and gone when nobody needs them."""

from __future__ import annotations

import pytest

from catalog import store
from tests.catalog.controllers import installation as it
from tests.factories import TESTER

pytestmark = pytest.mark.django_db
AGENT = {"clientCA": {"value": "a certificate"}}
SPEC = {"planeID": "edge", "clusterAgent": AGENT}
WORDS = {
    "DataPlane": "Dataplane is created",
    "ClusterDataPlane": "ClusterDataplane is created",
    "WorkflowPlane": "Workflowplane is created",
    "ClusterWorkflowPlane": "Workflowplane is created",
    "ObservabilityPlane": "Observabilityplane is created",
    "ClusterObservabilityPlane": "Observabilityplane is created",
}


@pytest.fixture(autouse=True)
def namespace():
    it.apply("Namespace", "default")


def apply_plane(kind):
    observer = {"observerURL": "https://observer.example"} if "Observability" in kind else {}
    it.apply(kind, "edge", {**SPEC, **observer})


@pytest.mark.parametrize("kind", WORDS)
def test_a_plane_is_created_in_the_words_of_its_kind(kind):
    apply_plane(kind)
    it.settle(kind)
    plane = it.get(kind, "edge")
    assert it.state(plane, "Created") == ("True", f"{kind}Created")
    assert it.message(plane, "Created") == WORDS[kind]
    assert plane.status["agentConnection"] == {
        "connected": False,
        "connectedAgents": 0,
        "message": "No agents connected",
    }


@pytest.mark.parametrize("kind", WORDS)
def test_a_plane_that_nobody_needs_goes_at_once(kind):
    apply_plane(kind)
    it.settle(kind)
    plane = it.get(kind, "edge")
    store.delete(kind, plane.namespace_name, "edge", TESTER)
    it.settle(kind)
    assert it.gone(kind, "edge")


@pytest.mark.parametrize("kind", ["DataPlane", "ClusterDataPlane"])
def test_a_data_plane_with_environments_stays_until_they_are_gone(kind):
    apply_plane(kind)
    it.apply("Environment", "one", {"dataPlaneRef": {"kind": kind, "name": "edge"}})
    it.settle(kind)
    plane = it.get(kind, "edge")
    store.delete(kind, plane.namespace_name, "edge", TESTER)
    it.settle(kind)
    plane = it.get(kind, "edge")
    assert it.state(plane, "Finalizing") == ("False", "DeletionBlocked")
    words = "Deletion blocked: dataplane is still referenced by 1 environment(s)"
    assert it.message(plane, "Finalizing") == words
    store.delete("Environment", "default", "one", TESTER)
    it.settle(kind, "Environment")
    assert it.gone(kind, "edge")


def test_what_an_agent_reports_of_its_connection_is_kept():
    apply_plane("DataPlane")
    it.settle("DataPlane")
    plane = it.get("DataPlane", "edge")
    store.write_status(plane, {**plane.status, "agentConnection": {"connected": True}}, it.DELIVERY)
    it.look_again("DataPlane", "edge")
    it.settle("DataPlane")
    assert it.get("DataPlane", "edge").status["agentConnection"] == {"connected": True}
