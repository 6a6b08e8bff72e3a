"""Workflow runs on a real cluster with Argo's own definitions: submitted, followed to their end, taken away.

No Argo controller runs: its part, the status of the Workflow, is written by the test as Argo writes it.
"""

from __future__ import annotations

from typing import Any

import pytest

from catalog import store
from catalog.controllers import work
from catalog.controllers.runtime import drain
from catalog.delivery.plane import PlaneError
from tests.catalog.api.conftest import admin, api
from tests.catalog.controllers import installation as it
from tests.factories import TESTER
from tests.real.cluster.cluster import Cluster
from tests.real.test_kubernetes_plane import until
from workflows.runs.controller import reconcile

__all__ = ["admin", "api"]  # fixtures
pytestmark = [pytest.mark.django_db, pytest.mark.real("kubernetes"), pytest.mark.xdist_group("kubernetes")]
WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/workflows-default/workflows"
RUN_TEMPLATE = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"name": "${metadata.workflowRunName}", "namespace": "${metadata.namespace}"},
    "spec": {
        "serviceAccountName": "workflow-sa",
        "entrypoint": "build",
        "arguments": {"parameters": [{"name": "depth", "value": "${parameters.depth}"}]},
        "templates": [{"name": "build", "container": {"image": "builder:1"}}],
    },
}
SETTINGS = {
    "id": "settings",
    "template": {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "${metadata.workflowRunName}-settings", "namespace": "${metadata.namespace}"},
        "data": {"loud": "true"},
    },
}


@pytest.fixture
def run(cluster, settings, tmp_path):
    """A run of a workflow whose plane is the cluster, submitted."""
    settings.KUBERNETES_CLUSTERS = tmp_path
    (tmp_path / "test.kubeconfig").write_text(cluster.kubeconfig)
    it.apply("Namespace", "default")
    annotations = {"stagecraft.dev/driver": "kubernetes", "stagecraft.dev/kubernetes-cluster": "test"}
    agent = {"clientCA": {"value": "a certificate"}}
    it.apply("ClusterWorkflowPlane", "default", {"planeID": "default", "clusterAgent": agent}, annotations=annotations)
    schema = {"type": "object", "properties": {"depth": {"type": "integer", "default": 1}}}
    spec = {"parameters": {"openAPIV3Schema": schema}, "runTemplate": RUN_TEMPLATE, "resources": [SETTINGS]}
    it.apply("ClusterWorkflow", "build", spec)
    it.apply("WorkflowRun", "build-1", {"workflow": {"kind": "ClusterWorkflow", "name": "build"}})
    drain()
    yield "build-1"
    if store.get_or_none("WorkflowRun", "default", "build-1") is not None:
        store.delete("WorkflowRun", "default", "build-1", TESTER)
        drain()


def status_of(name: str) -> dict[str, Any]:
    found = store.to_document(store.get("WorkflowRun", "default", name))
    return {**found["status"], "conditions": {item["type"]: item for item in found["status"]["conditions"]}}


def reported(cluster: Cluster, name: str, status: dict[str, Any]) -> dict[str, Any]:
    """What the run says after Argo has written that status."""
    cluster.call("PATCH", f"{WORKFLOWS}/{name}", {"status": status}, content_type="application/merge-patch+json")
    work.mark_due([("WorkflowRun", store.get("WorkflowRun", "default", name).pk)])
    drain()
    return status_of(name)


def test_a_run_is_submitted_with_all_that_it_needs(cluster, run):
    held = status_of(run)
    assert held["runReference"] == {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": run, "namespace": "workflows-default",
    }  # fmt: skip
    assert held["resources"] == [
        {"apiVersion": "v1", "kind": "ConfigMap", "name": f"{run}-settings", "namespace": "workflows-default"}
    ]
    assert held["conditions"]["WorkflowCompleted"]["message"] == "Workflow has not completed yet"
    workflow = cluster.call("GET", f"{WORKFLOWS}/{run}")
    assert workflow["spec"]["arguments"]["parameters"] == [{"name": "depth", "value": "1"}]
    assert workflow["metadata"]["labels"]["openchoreo.dev/workflowrun"] == run
    roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/workflows-default"
    assert cluster.call("GET", f"{roles}/roles/workflow-sa-role")["rules"][0]["resources"] == ["workflowtaskresults"]
    assert (
        cluster.call("GET", f"{roles}/rolebindings/workflow-sa-role-binding")["roleRef"]["name"] == "workflow-sa-role"
    )


def test_a_run_is_followed_to_its_end_with_its_steps(cluster, run):
    nodes = {
        "b": {"type": "Pod", "name": f"{run}[1].push", "displayName": "push", "phase": "Pending"},
        "a": {
            "type": "Pod", "name": f"{run}[0].build", "displayName": "build", "phase": "Running",
            "startedAt": "2026-01-01T10:00:00Z",
        },
        "s": {"type": "Steps", "name": run, "phase": "Running"},
    }  # fmt: skip
    held = reported(cluster, run, {"phase": "Running", "nodes": nodes})
    assert held["conditions"]["WorkflowRunning"]["status"] == "True"
    assert held["tasks"] == [
        {"name": "build", "phase": "Running", "startedAt": "2026-01-01T10:00:00Z"},
        {"name": "push", "phase": "Pending"},
    ]
    held = reported(cluster, run, {"phase": "Succeeded"})
    reasons = {name: (item["status"], item["reason"]) for name, item in held["conditions"].items()}
    assert reasons == {
        "WorkflowCompleted": ("True", "WorkflowSucceeded"),
        "WorkflowRunning": ("False", "WorkflowRunning"),
        "WorkflowSucceeded": ("True", "WorkflowSucceeded"),
    }
    assert held["completedAt"]


@pytest.mark.parametrize("phase", ["Failed", "Error"])
def test_a_run_that_fails_there_has_failed(cluster, run, phase):
    held = reported(cluster, run, {"phase": phase})
    assert held["conditions"]["WorkflowFailed"]["status"] == "True"
    assert held["conditions"]["WorkflowCompleted"]["message"] == "Workflow has completed with failure"


def test_a_run_that_vanishes_from_its_plane_has_failed(cluster, run):
    cluster.call("DELETE", f"{WORKFLOWS}/{run}")
    work.mark_due([("WorkflowRun", store.get("WorkflowRun", "default", run).pk)])
    drain()
    assert status_of(run)["conditions"]["WorkflowCompleted"]["message"] == "Workflow is not found in the cluster"


def test_a_run_that_is_deleted_leaves_nothing_on_the_plane(cluster, run):
    store.delete("WorkflowRun", "default", run, TESTER)
    drain()
    assert store.get_or_none("WorkflowRun", "default", run) is None
    assert cluster.call("GET", WORKFLOWS)["items"] == []
    maps = cluster.call("GET", "/api/v1/namespaces/workflows-default/configmaps")["items"]
    assert [item["metadata"]["name"] for item in maps if item["metadata"]["name"] == f"{run}-settings"] == []


def test_a_plane_that_does_not_answer_is_named_and_tried_again(cluster, run, settings, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "test.kubeconfig").write_text(cluster.kubeconfig.replace(str(cluster.port), "1"))
    settings.KUBERNETES_CLUSTERS = elsewhere
    it.apply("WorkflowRun", "build-2", {"workflow": {"kind": "ClusterWorkflow", "name": "build"}})
    with pytest.raises(PlaneError):
        reconcile(store.get("WorkflowRun", "default", "build-2"))
    message = status_of("build-2")["conditions"]["WorkflowCompleted"]["message"]
    assert message.startswith("Workflow cannot be submitted: cluster test (https://127.0.0.1:1) does not answer")
    settings.KUBERNETES_CLUSTERS = tmp_path
    drain()
    assert status_of("build-2")["runReference"]["name"] == "build-2"


def test_logs_and_events_of_a_run_are_those_of_its_own_pods(cluster, run, api):
    uid = cluster.call("GET", f"{WORKFLOWS}/{run}")["metadata"]["uid"]
    pods = "/api/v1/namespaces/workflows-default/pods"
    owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": run, "uid": uid}
    for name, owners in ((f"{run}-build", [owner]), ("stray", [])):
        metadata = {
            "name": name, "labels": {"workflows.argoproj.io/workflow": run}, "ownerReferences": owners,
            "annotations": {"workflows.argoproj.io/node-name": f"{run}[0].build"},
        }  # fmt: skip
        cluster.call("POST", pods, {"metadata": metadata, "spec": {"containers": [{"name": "main", "image": "b:1"}]}})
    path = f"/api/v1/namespaces/default/workflowruns/{run}"
    until(lambda: api.get(f"{path}/events?task=build").json())
    messages = [event["message"] for event in api.get(f"{path}/events").json()]
    assert messages and not any("stray" in message for message in messages)
    assert api.get(f"{path}/events?task=push").json() == []
    assert api.get(f"{path}/logs?task=push").json() == []
    assert api.get(f"{path}/status").json()["hasLiveObservability"] is True
