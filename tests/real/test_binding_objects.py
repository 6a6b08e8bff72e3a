"""What a release binding has brought to a real cluster, over REST: the objects with their pods, events, logs, jobs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from catalog.controllers import runtime
from catalog.controllers.models import WorkItem
from tests.catalog.api.conftest import ApiClient, admin, api
from tests.catalog.controllers import components as c
from tests.catalog.controllers import installation as it

__all__ = ["admin", "api"]  # fixtures
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.real("kubernetes"),
    pytest.mark.xdist_group("kubernetes"),
]
SECONDS = 60.0
ROOT = "/api/v1/namespaces/default/releasebindings"
CRON_JOB = {
    "id": "cronjob",
    "template": {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "${metadata.name}", "namespace": "${metadata.namespace}"},
        "spec": {
            "schedule": "0 0 1 1 *",
            "jobTemplate": {
                "metadata": {"labels": {"app": "task"}},
                "spec": {
                    "template": {
                        "spec": {
                            "restartPolicy": "Never",
                            "containers": [{"name": "main", "image": "task:1"}],
                        }
                    }
                },
            },
        },
    },
}
DEPLOYMENT = {
    "id": "deployment",
    "template": {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "${metadata.name}", "namespace": "${metadata.namespace}"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": "${metadata.podSelectors}"},
            "template": {
                "metadata": {"labels": "${metadata.podSelectors}"},
                "spec": {"containers": [{"name": "main", "image": "${workload.container.image}"}]},
            },
        },
    },
}


@pytest.fixture
def installed(cluster, settings, tmp_path) -> None:
    """An installation whose plane is the cluster, with a Deployment and a cron job delivered."""
    settings.KUBERNETES_CLUSTERS = tmp_path
    (tmp_path / "test.kubeconfig").write_text(cluster.kubeconfig)
    c.install()
    annotations = {"stagecraft.dev/driver": "kubernetes", "stagecraft.dev/kubernetes-cluster": "test"}
    agent = {"clientCA": {"value": "a certificate"}}
    it.apply("ClusterDataPlane", "default", {"planeID": "default", "clusterAgent": agent}, annotations=annotations)
    c.apply_type(resources=[DEPLOYMENT])
    c.apply_type("task", workloadType="cronjob", resources=[CRON_JOB])
    for name, kind in (("web", "deployment/service"), ("task", "cronjob/task")):
        c.apply_component(name, type_name=kind)
        c.apply_workload(name)
    until(settled)


def settled() -> bool:
    """Look at what is due. What came before its namespace was refused, and is tried again in a moment."""
    runtime.drain()
    return not WorkItem.objects.exclude(last_error="").exists()


def until(look: Callable[[], Any], seconds: float = SECONDS) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.2)
    return found


def nodes(api: ApiClient, name: str) -> list[dict[str, Any]]:
    reply = api.get(f"{ROOT}/{name}-development/k8sresources/tree")
    assert reply.status_code == 200, reply.content
    (release,) = reply.json()["renderedReleases"]
    found: list[dict[str, Any]] = release["nodes"]
    return found


def kinds(api: ApiClient, name: str) -> list[str]:
    return [node["kind"] for node in nodes(api, name)]


def test_a_bindings_objects_are_shown_as_they_are_and_its_jobs_started(api, installed, cluster):
    """One story, as a cluster takes its time to make: tree, events, logs, trigger."""
    until(lambda: kinds(api, "web").count("Pod") == 2)
    found = nodes(api, "web")
    assert [node["kind"] for node in found] == ["Deployment", "Pod", "Pod", "NetworkPolicy"]
    deployment, pod = found[0], found[1]
    assert pod["parentRefs"][0]["uid"] == deployment["uid"]
    assert deployment["resourceVersion"] and deployment["createdAt"].endswith("Z")
    assert "managedFields" not in deployment["object"]["metadata"]

    query = f"version=v1&kind=Pod&name={pod['name']}"
    events = until(lambda: api.get(f"{ROOT}/web-development/k8sresources/events?{query}").json()["events"])
    assert "Scheduled" in {event["reason"] for event in events}
    assert set(events[0]) >= {"type", "reason", "message", "firstTimestamp", "lastTimestamp", "source"}

    logs = f"{ROOT}/web-development/k8sresources/logs"
    assert api.get(f"{logs}?podName=absent").json()["error"] == "Resource not found"
    assert api.get(f"{logs}?podName={pod['name']}&container=nope").json()["error"] == "Container not found in pod"

    trigger = "/api/v1alpha1/namespaces/default/releasebindings/task-development/trigger"
    made = api.post(trigger).json()
    assert made["jobName"].startswith(made["cronJobName"])
    job = cluster.call("GET", f"/apis/batch/v1/namespaces/{made['namespace']}/jobs/{made['jobName']}")
    assert job["metadata"]["labels"]["app"] == "task"
    until(lambda: kinds(api, "task")[:3] == ["CronJob", "Job", "Pod"])
    job_node, pod_node = nodes(api, "task")[1:3]
    assert (job_node["name"], pod_node["parentRefs"][0]["kind"]) == (made["jobName"], "Job")
    of_task = pod_node["name"]
    assert api.get(f"{logs}?podName={of_task}").status_code == 404  # it is the other binding's
