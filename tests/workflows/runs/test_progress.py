"""Status, logs and events of workflow runs, from what is stored of them."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from catalog import store
from catalog.delivery import drivers
from catalog.delivery.plane import Capabilities, LogLine, NotThere
from portal.accounts.models import issue_token
from tests.catalog.access.conftest import person
from tests.catalog.api.conftest import ApiClient, admin, api, namespace, stranger_api
from tests.catalog.controllers import installation as it
from tests.factories import TESTER

__all__ = ["admin", "api", "namespace", "stranger_api"]  # fixtures
pytestmark = pytest.mark.django_db
RUNS = "/api/v1/namespaces/acme/workflowruns"


@pytest.fixture
def run(api, namespace):
    template = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"name": "${metadata.workflowRunName}", "namespace": "${metadata.namespace}"},
    }
    api.create("/api/v1/namespaces/acme/workflows", {"metadata": {"name": "w"}, "spec": {"runTemplate": template}})
    api.create(RUNS, {"metadata": {"name": "one"}, "spec": {"workflow": {"kind": "Workflow", "name": "w"}}})
    return store.get("WorkflowRun", "acme", "one")


def condition(name, status="True"):
    return {"type": name, "status": status, "reason": name, "message": "", "lastTransitionTime": "2026-11-21T00:00:00Z"}


def test_a_run_without_conditions_is_pending(api, run):
    assert api.get(f"{RUNS}/one/status").json() == {"status": "Pending", "steps": [], "hasLiveObservability": False}


@pytest.mark.parametrize(
    ("conditions", "status"),
    [
        ([("WorkflowCompleted", "False")], "Pending"),
        ([("WorkflowRunning", "True")], "Running"),
        ([("WorkflowRunning", "False"), ("WorkflowSucceeded", "True")], "Succeeded"),
        ([("WorkflowSucceeded", "True"), ("WorkflowFailed", "True")], "Failed"),
    ],
)
def test_the_status_is_that_of_the_first_condition_that_tells_the_end(api, run, conditions, status):
    store.write_status(run, {"conditions": [condition(*item) for item in conditions]}, TESTER)
    assert api.get(f"{RUNS}/one/status").json()["status"] == status


def test_steps_are_the_tasks_in_the_contracts_words(api, run):
    times = {"startedAt": "2026-11-21T00:00:00Z", "completedAt": "2026-11-21T00:01:00Z"}
    tasks = [
        {"name": "checkout", "phase": "Succeeded", **times},
        {"name": "build", "phase": "Omitted"},
        {"name": "push", "phase": "Whatever"},
    ]
    store.write_status(run, {"tasks": tasks}, TESTER)
    assert api.get(f"{RUNS}/one/status").json()["steps"] == [
        {
            "name": "checkout",
            "phase": "Succeeded",
            "startedAt": "2026-11-21T00:00:00Z",
            "finishedAt": "2026-11-21T00:01:00Z",
        },
        {"name": "build", "phase": "Skipped"},
        {"name": "push", "phase": "Error"},
    ]


class WorkflowPlane:
    """Stands in for a cluster on which a run has two pods; whatever else lies there is not the run's."""

    driver = "kubernetes"
    capabilities = Capabilities(reports_events=True, streams_logs=True, runs_workflows=True)

    def find(self, version, kind, namespace, name):
        found = {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace, "uid": "u"}}
        return found if (kind, namespace, name) == ("Workflow", "workflows-acme", "one") else None

    def offspring(self, document):
        assert document["metadata"]["uid"] == "u"
        return [pod("one[1].push", "two"), pod("one[0].build", "one"), {"kind": "Job", "metadata": {"name": "j"}}]

    def read_log(self, pod, container, since_seconds=None):
        if (pod["metadata"]["name"], container) == ("two", "main"):
            raise NotThere("waiting to start")
        yield LogLine("2026-11-21T02:36:04.5Z", container, f"{pod['metadata']['name']} {container} {since_seconds}")
        yield LogLine("2026-11-21T02:36:05Z", container, "  ")

    def events(self, key):
        times = {"one": {"eventTime": "2026-11-21T02:00:02Z"}, "two": {"firstTimestamp": "2026-11-21T02:00:01Z"}}
        event = {"type": "Normal", "reason": "Scheduled", "message": f"assigned {key.name}"}
        return [{**event, **times[key.name]}, {**event, "reason": "Timeless"}]


def pod(node, name):
    containers = [{"name": "init"}, {"name": "main"}, {"name": "wait"}]
    metadata = {"name": name, "namespace": "workflows-acme", "annotations": {"workflows.argoproj.io/node-name": node}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers}}


@pytest.fixture
def submitted(monkeypatch, run):
    """The run, on a plane."""
    found = WorkflowPlane()
    monkeypatch.setitem(drivers.DRIVERS, "kubernetes", drivers.Driver(found.capabilities, lambda location: found))
    annotations = {"stagecraft.dev/driver": "kubernetes", "stagecraft.dev/kubernetes-cluster": "test"}
    agent = {"clientCA": {"value": "a certificate"}}
    it.apply("ClusterWorkflowPlane", "default", {"planeID": "default", "clusterAgent": agent}, annotations=annotations)
    reference = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "name": "one",
        "namespace": "workflows-acme",
    }
    store.write_status(run, {"runReference": reference}, TESTER)
    return found


def test_logs_of_a_run_are_those_of_its_pods_step_after_step_without_the_engines_own(api, submitted):
    assert api.get(f"{RUNS}/one/logs").json() == [{"log": "one main None", "timestamp": "2026-11-21T02:36:04.5Z"}]
    assert api.get(f"{RUNS}/one/logs?task=build&sinceSeconds=60").json()[0]["log"] == "one main 60"
    assert api.get(f"{RUNS}/one/logs?task=build&sinceSeconds=0").json()[0]["log"] == "one main None"
    assert api.get(f"{RUNS}/one/logs?task=push").json() == []
    assert api.get(f"{RUNS}/one/logs?task=uild").json() == []


def test_events_of_a_run_are_those_of_its_pods_oldest_first(api, submitted):
    found = api.get(f"{RUNS}/one/events").json()
    assert [(event["message"], event["timestamp"]) for event in found] == [
        ("assigned two", "2026-11-21T02:00:01Z"),
        ("assigned one", "2026-11-21T02:00:02Z"),
    ]
    assert set(found[0]) == {"timestamp", "type", "reason", "message"}
    assert [event["message"] for event in api.get(f"{RUNS}/one/events?task=push").json()] == ["assigned two"]


def test_a_run_that_has_vanished_from_its_plane_has_no_logs(api, submitted, monkeypatch):
    monkeypatch.setattr(WorkflowPlane, "find", lambda *_: None)
    assert api.get(f"{RUNS}/one/logs").json() == api.get(f"{RUNS}/one/events").json() == []


def test_a_plane_that_shows_no_logs_says_so(api, submitted, monkeypatch, settings, tmp_path):
    settings.HOME = tmp_path
    it.apply("ClusterWorkflowPlane", "default", store.get("ClusterWorkflowPlane", "", "default").spec, annotations={})
    reply = api.get(f"{RUNS}/one/logs")
    assert (reply.status_code, reply.json()["code"]) == (501, "NOT_IMPLEMENTED")


def test_logs_and_events_are_bare_lists(api, run):
    assert api.get(f"{RUNS}/one/logs?task=main&sinceSeconds=5").json() == []
    assert api.get(f"{RUNS}/one/events?task=main").json() == []


def test_a_bad_parameter_is_told_before_the_token_is_looked_at(stranger_api):
    reply = stranger_api.get(f"{RUNS}/one/logs?sinceSeconds=x")
    assert (reply.status_code, reply["Content-Type"]) == (400, "text/plain; charset=utf-8")


@pytest.mark.parametrize("part", ["status", "logs", "events"])
def test_an_absent_run_and_one_that_may_not_be_seen_look_the_same(api, run, part):
    absent = api.get(f"{RUNS}/absent/{part}")
    hidden = ApiClient(Client(), issue_token(person("nobody"), "tests")).get(f"{RUNS}/one/{part}")
    assert absent.json() == hidden.json() == {"code": "NOT_FOUND", "error": "WorkflowRun not found"}
    assert (absent.status_code, hidden.status_code) == (404, 404)


STATES = {"Pending", "Running", "Succeeded", "Failed"}


def test_recorded_runs_have_the_status_that_their_conditions_tell(api, run, conformance):
    """The four states that were recorded, Argo's Error among them, which is a failed run."""
    seen = set()
    for line in (conformance / "live" / "objects.jsonl").open():
        recorded = json.loads(line)["object"]
        if recorded["kind"] != "WorkflowRun" or "status" not in recorded:
            continue
        store.write_status(run, recorded["status"], TESTER)
        reply = api.get(f"{RUNS}/one/status").json()
        reasons = {item["type"]: item["status"] for item in recorded["status"]["conditions"]}
        ended = [name for name in ("Failed", "Succeeded", "Running") if reasons.get(f"Workflow{name}") == "True"]
        assert reply["status"] == (ended[0] if ended else "Pending")
        assert [step["name"] for step in reply["steps"]] == [
            task["name"] for task in recorded["status"].get("tasks", ())
        ]
        seen.add(reply["status"])
    assert seen == STATES
