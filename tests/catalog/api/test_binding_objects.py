"""What a release binding has brought to its plane, over REST: tree, events, logs, and the trigger of cron jobs."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from django.test import Client

from catalog import store
from catalog.api import noted_reads
from catalog.controllers import runtime
from catalog.delivery import drivers
from catalog.delivery.plane import LogLine
from portal.accounts.models import issue_token
from portal.audit.models import AuditEvent
from tests.catalog.access.conftest import bind, person, role
from tests.catalog.api.cluster import BORN, Cluster
from tests.catalog.api.conftest import ApiClient
from tests.catalog.controllers import components as c
from tests.catalog.controllers import installation as it

pytestmark = pytest.mark.django_db
BINDING = "/api/v1/namespaces/default/releasebindings/web-development"
OBJECTS = f"{BINDING}/k8sresources"
TRIGGER = "/api/v1alpha1/namespaces/default/releasebindings/task-development/trigger"
CRON_JOB = {
    "id": "cronjob",
    "template": {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "${metadata.name}", "namespace": "${metadata.namespace}"},
        "spec": {
            "schedule": "1 * * * *",
            "jobTemplate": {
                "metadata": {"labels": {"app": "task"}, "annotations": {"a": "b"}},
                "spec": {"template": {"spec": {"containers": [{"name": "main", "image": "task:1"}]}}},
            },
        },
    },
}
SECRET = {
    "id": "secret",
    "template": {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "${metadata.name}", "namespace": "${metadata.namespace}"},
        "stringData": {"password": "canary-password"},
    },
}


@pytest.fixture
def cluster(monkeypatch):
    """An installation whose plane is a cluster, with a component deployed there."""
    found = Cluster()
    monkeypatch.setitem(drivers.DRIVERS, "kubernetes", drivers.Driver(Cluster.capabilities, lambda location: found))
    c.install()
    deploy("web")
    return found


def deploy(name, **spec):
    c.apply_component(name, **spec)
    c.apply_workload(name)
    runtime.drain()


@pytest.fixture
def git_plane(settings, tmp_path):
    """The same with the embedded Git plane."""
    settings.HOME = tmp_path
    settings.GIT_PLANE_REPOSITORY = str(tmp_path / "planes" / "default.git")
    c.install()
    it.apply_data_plane(driver="git")
    deploy("web")


def tree(api):
    reply = api.get(f"{OBJECTS}/tree")
    assert reply.status_code == 200, reply.content
    (release,) = reply.json()["renderedReleases"]
    return release


def test_the_tree_shows_the_objects_with_their_pods_as_children(api, cluster):
    release = tree(api)
    assert (release["name"], release["targetPlane"]) == ("web-development", "dataplane")
    assert [node["kind"] for node in release["nodes"]] == ["Deployment", "Pod", "NetworkPolicy"]
    deployment, pod, policy = release["nodes"]
    assert pod["parentRefs"] == [
        {
            "group": "apps",
            "version": "v1",
            "kind": "Deployment",
            "namespace": deployment["namespace"],
            "name": deployment["name"],
            "uid": deployment["uid"],
        }
    ]
    assert set(deployment) == {
        *("createdAt", "group", "health", "kind", "name", "namespace", "object", "resourceVersion", "uid", "version")
    }
    assert deployment["createdAt"] == BORN
    assert {node["health"]["status"] for node in release["nodes"]} == {"Healthy"}
    assert "managedFields" not in deployment["object"]["metadata"]
    assert "parentRefs" not in policy


def test_the_tree_holds_the_rendered_release_with_its_manifests(api, cluster):
    release = tree(api)["renderedRelease"]
    assert release["kind"] == "RenderedRelease"
    assert [item["object"]["kind"] for item in release["spec"]["resources"]] == ["Deployment", "NetworkPolicy"]
    assert release["status"]["conditions"][0]["reason"] == "ApplySucceeded"


def test_the_tree_has_the_keys_of_the_recorded_one(api, cluster, conformance):
    for line in (conformance / "live" / "rest.jsonl").open():
        exchange = json.loads(line)
        if exchange["n"] == 752:
            break
    (recorded,) = json.loads(exchange["response"])["renderedReleases"]
    ours = tree(api)
    assert set(ours) == set(recorded)
    by_kind = {node["kind"]: node for node in ours["nodes"]}
    for node in recorded["nodes"]:
        assert set(by_kind[node["kind"]]) == set(node)
        assert set(by_kind[node["kind"]]["health"]) == set(node["health"])


def test_values_of_secrets_are_not_in_the_tree(api, monkeypatch, cluster):
    c.apply_type(resources=[c.DEPLOYMENT, SECRET])
    runtime.drain()
    secret = next(node for node in tree(api)["nodes"] if node["kind"] == "Secret")
    assert "stringData" not in secret["object"]


def test_on_a_git_plane_the_tree_shows_what_was_delivered_and_health_is_unknown(api, git_plane):
    release = tree(api)
    assert [(node["kind"], node["health"]) for node in release["nodes"]] == [
        ("Deployment", {"status": "Unknown"}),
        ("NetworkPolicy", {"status": "Unknown"}),
    ]
    assert release["nodes"][0]["object"]["spec"]["template"]["spec"]["containers"][0]["image"] == "web:1"
    uids = [node["uid"] for node in release["nodes"]]
    assert len(set(uids)) == 2
    assert uids == [node["uid"] for node in tree(api)["nodes"]]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("events?version=v1&kind=Deployment&group=apps&name={name}", "cannot show events there"),
        ("events?version=v1&kind=Pod&name=web-pod", "cannot show events there"),
        ("logs?podName=web-pod", "cannot show logs there"),
    ],
)
def test_a_git_plane_says_that_it_cannot_show_events_and_logs(api, git_plane, path, words):
    name = tree(api)["nodes"][0]["name"]
    reply = api.get(f"{OBJECTS}/{path.format(name=name)}")
    assert (reply.status_code, reply.json()["code"]) == (501, "NOT_IMPLEMENTED")
    assert words in reply.json()["error"]


def test_before_the_first_rendering_the_tree_is_empty(api, cluster):
    it.apply("ComponentRelease", "v1", {**store.get("ComponentRelease", "default", c.releases()[0]).spec})
    c.apply_binding("absent", environment="staging")
    runtime.drain()
    reply = api.get("/api/v1/namespaces/default/releasebindings/web-staging/k8sresources/tree")
    assert (reply.status_code, reply.json()) == (200, {"renderedReleases": []})


def event(name, **changes):
    return {
        "type": "Normal",
        "reason": "Scheduled",
        "message": f"assigned {name}",
        "involvedObject": {"name": name},
        "reportingComponent": "default-scheduler",
        "eventTime": "2026-11-21T02:38:08.226108Z",
        **changes,
    }


def test_events_are_those_of_the_object_in_the_contracts_form(api, cluster):
    deployment, pod, _ = tree(api)["nodes"]
    old = {"count": 2, "firstTimestamp": BORN, "lastTimestamp": BORN, "source": {"component": "kubelet"}}
    cluster.reported = [event(pod["name"]), event(deployment["name"], eventTime=None, **old)]
    of_pod = api.get(f"{OBJECTS}/events?version=v1&kind=Pod&name={pod['name']}").json()
    moment = "2026-11-21T02:38:08.226108Z"
    assert of_pod == {
        "events": [
            {
                "firstTimestamp": moment,
                "lastTimestamp": moment,
                "message": f"assigned {pod['name']}",
                "reason": "Scheduled",
                "source": "default-scheduler",
                "type": "Normal",
            }
        ]
    }
    of_deployment = api.get(f"{OBJECTS}/events?group=apps&version=v1&kind=Deployment&name={deployment['name']}").json()
    assert of_deployment["events"][0]["count"] == 2
    assert of_deployment["events"][0]["source"] == "kubelet"


@pytest.mark.parametrize("query", ["version=v1&kind=Secret&name=absent", "version=v1&kind=Pod&name=absent"])
def test_events_of_an_object_that_is_not_the_bindings_are_not_found(api, cluster, query):
    reply = api.get(f"{OBJECTS}/events?{query}")
    assert (reply.status_code, reply.json()) == (404, {"code": "NOT_FOUND", "error": "Resource not found"})


@pytest.mark.parametrize(("path", "name"), [("events", "version"), ("events?version=v1", "kind"), ("logs", "podName")])
def test_a_missing_parameter_is_told_in_plain_text_even_without_a_token(stranger_api, path, name):
    reply = stranger_api.get(f"{OBJECTS}/{path}")
    assert (reply.status_code, reply.content.decode()) == (
        400,
        f"Query argument {name} is required, but not found\n",
    )


def line(text, second, container="main"):
    return LogLine(f"2026-11-21T02:36:{second}Z", container, text)


def test_logs_of_all_containers_make_one_time_line(api, cluster):
    pod = tree(api)["nodes"][1]["name"]
    spec = next(item for items in cluster.held.values() for item in items if item["kind"] == "Pod")["spec"]
    spec["containers"] = [{"name": "main"}, {"name": "side"}]
    cluster.logs = {
        (pod, "main"): [line("one", "04.2006"), line("three", "06")],
        (pod, "side"): [line("two", "05", "side")],
    }
    entries = api.get(f"{OBJECTS}/logs?podName={pod}").json()["logEntries"]
    assert [(entry["log"], entry["container"]) for entry in entries] == [
        ("one", "main"),
        ("two", "side"),
        ("three", "main"),
    ]
    assert entries[0]["timestamp"] == "2026-11-21T02:36:04.2006Z"
    only = api.get(f"{OBJECTS}/logs?podName={pod}&container=side&sinceSeconds=60").json()["logEntries"]
    assert [entry["log"] for entry in only] == ["two"]


def test_a_container_that_the_pod_does_not_have_is_a_bad_request(api, cluster):
    pod = tree(api)["nodes"][1]["name"]
    reply = api.get(f"{OBJECTS}/logs?podName={pod}&container=nope")
    assert (reply.status_code, reply.json()["error"]) == (400, "Container not found in pod")


def test_who_reads_a_log_is_written_down_once_a_minute(api, cluster, monkeypatch):
    monkeypatch.setattr(noted_reads, "time", SimpleNamespace(time=lambda: 90.0))
    events = AuditEvent.objects.system("test").filter(action="logs:view")
    pod = tree(api)["nodes"][1]["name"]
    for query in (f"podName={pod}", f"podName={pod}", f"podName={pod}&container=main", "podName=absent"):
        api.get(f"{OBJECTS}/logs?{query}")
    found = [(event.kind, event.name, event.actor, json.loads(event.details).get("pod")) for event in events]
    assert found == [("ReleaseBinding", "web-development", "admin", pod)] * 2
    monkeypatch.setattr(noted_reads, "time", SimpleNamespace(time=lambda: 150.0))
    api.get(f"{OBJECTS}/logs?podName={pod}")
    assert events.all().count() == 3


def test_a_pod_of_another_component_cannot_be_read_through_this_ones_binding(api, cluster):
    deploy("other")
    other = api.get(f"{OBJECTS.replace('web-', 'other-')}/tree").json()["renderedReleases"][0]["nodes"][1]["name"]
    assert api.get(f"{OBJECTS}/logs?podName={other}").json() == {"code": "NOT_FOUND", "error": "Resource not found"}
    assert api.get(f"{OBJECTS}/events?version=v1&kind=Pod&name={other}").status_code == 404


@pytest.mark.parametrize("part", ["tree", "events?version=v1&kind=Pod&name=x", "logs?podName=x"])
def test_who_may_not_see_the_binding_sees_nothing_of_it(api, cluster, part):
    hidden = ApiClient(Client(), issue_token(person("nobody"), "tests")).get(f"{OBJECTS}/{part}")
    absent = api.get(f"{OBJECTS.replace('web-', 'absent-')}/{part}")
    assert hidden.json() == absent.json() == {"code": "NOT_FOUND", "error": "ReleaseBinding not found"}


def test_a_condition_on_the_environment_decides_about_the_bindings_objects(api, cluster):
    """Upstream sends no environment here, so that a condition on it is not even asked."""
    role("viewer", "releasebinding:view")
    only_staging = [{"actions": ["releasebinding:view"], "expression": 'resource.environment == "default/staging"'}]
    bind("viewers", "sub:eve", "viewer", conditions=only_staging)
    eve = ApiClient(Client(), issue_token(person("eve"), "tests"))
    assert eve.get(f"{OBJECTS}/tree").status_code == 404


@pytest.fixture
def task(cluster):
    c.apply_type("task", workloadType="cronjob", resources=[CRON_JOB])
    deploy("task", type_name="cronjob/task")
    return cluster


def test_a_trigger_starts_a_job_of_the_cron_job_as_it_is(api, task):
    reply = api.post(TRIGGER)
    assert reply.status_code == 200, reply.content
    made = reply.json()
    prefix, seconds, random = made["jobName"].rsplit("-", 2)
    assert (prefix, seconds.isdigit(), len(random)) == (made["cronJobName"], True, 5)
    job = next(item for items in task.held.values() for item in items if item["metadata"]["name"] == made["jobName"])
    assert job["metadata"]["namespace"] == made["namespace"]
    assert job["metadata"]["labels"] == {"app": "task"}
    assert job["metadata"]["annotations"] == {"cronjob.kubernetes.io/instantiate": "manual", "a": "b"}
    owner = job["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("CronJob", made["cronJobName"], True)
    nodes = api.get("/api/v1/namespaces/default/releasebindings/task-development/k8sresources/tree").json()
    kinds = [node["kind"] for node in nodes["renderedReleases"][0]["nodes"]]
    assert kinds == ["CronJob", "Job", "Pod", "NetworkPolicy"]


def test_two_triggers_in_one_second_are_two_jobs_and_a_body_is_ignored(api, task):
    first, second = api.post(TRIGGER, {}).json(), api.post(TRIGGER, b"not json").json()
    assert first["jobName"] != second["jobName"]


def test_long_names_are_cut_so_that_the_job_name_fits():
    from catalog.api.trigger import job_name

    assert len(job_name("c" * 63)) == 63
    assert job_name("short").startswith("short-")


def test_only_cron_jobs_can_be_triggered(api, cluster):
    reply = api.post(TRIGGER.replace("task-", "web-"))
    assert (reply.status_code, reply.json()) == (
        400,
        {"code": "BAD_REQUEST", "error": "release binding component is not a cronjob workload"},
    )


def test_a_trigger_without_a_release_is_not_found(api, cluster):
    c.apply_binding("absent", environment="staging")
    reply = api.post(TRIGGER.replace("task-development", "web-staging"))
    assert (reply.status_code, reply.json()["error"]) == (404, "ComponentRelease not found")


def test_a_git_plane_starts_no_jobs(api, git_plane):
    c.apply_type("task", workloadType="cronjob", resources=[CRON_JOB])
    deploy("task", type_name="cronjob/task")
    reply = api.post(TRIGGER)
    assert (reply.status_code, reply.json()["code"]) == (501, "NOT_IMPLEMENTED")
    assert "cannot start jobs there" in reply.json()["error"]


def test_a_trigger_needs_the_right_to_change_the_binding_in_that_environment(api, task):
    role("runner", "releasebinding:view", "releasebinding:update")
    elsewhere = [{"actions": ["releasebinding:update"], "expression": 'resource.environment == "default/staging"'}]
    bind("runners", "sub:eve", "runner", conditions=elsewhere)
    eve = ApiClient(Client(), issue_token(person("eve"), "tests"))
    assert eve.post(TRIGGER).status_code == 403
    bind("runners", "sub:eve", "runner")
    assert eve.post(TRIGGER).status_code == 200


def test_a_trigger_is_one_audit_event_that_names_the_job(api, task):
    events = AuditEvent.objects.system("test")
    before = events.count()
    made = api.post(TRIGGER).json()
    (event,) = events.order_by("-pk")[: events.count() - before]
    assert (event.action, event.kind, event.name, event.outcome) == (
        "releasebinding:update",
        "ReleaseBinding",
        "task-development",
        "success",
    )
    assert json.loads(event.details)["job"] == made["jobName"]
