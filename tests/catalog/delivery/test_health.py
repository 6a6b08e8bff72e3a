"""Health by kind: the contract's words, from what a plane reports."""

from __future__ import annotations

import json
import time

import pytest

from catalog.delivery.health import Rule, compile_rule, evaluate, health_of, rules_of, shipped

pytestmark = pytest.mark.django_db


def condition(type_: str, status: str, reason: str = "") -> dict:
    return {"type": type_, "status": status, "reason": reason}


def deployment(spec=None, generation=1, **status) -> dict:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"generation": generation},
        "spec": spec or {},
        "status": {"observedGeneration": 1, **status},
    }


def counts(updated=0, ready=0, available=0, unavailable=0) -> dict:
    return {
        "updatedReplicas": updated,
        "readyReplicas": ready,
        "availableReplicas": available,
        "unavailableReplicas": unavailable,
    }


ROLLED_OUT = condition("Progressing", "True", "NewReplicaSetAvailable")
ROLLING = condition("Progressing", "True", "ReplicaSetUpdated")


@pytest.mark.parametrize(
    ("document", "health"),
    [
        pytest.param(deployment({"paused": True}), "Suspended", id="paused"),
        pytest.param(deployment({"replicas": 0}), "Suspended", id="scaled to zero"),
        pytest.param(deployment(generation=2, **counts(1, 1, 1)), "Progressing", id="the new spec is not seen yet"),
        pytest.param({**deployment(), "status": {}}, "Progressing", id="no status yet"),
        pytest.param(
            deployment(conditions=[condition("Progressing", "False", "ProgressDeadlineExceeded")], **counts(1, 1, 1)),
            "Degraded",
            id="the deadline has passed",
        ),
        pytest.param(
            deployment(conditions=[condition("ReplicaFailure", "True", "FailedCreate")]),
            "Degraded",
            id="pods cannot be made",
        ),
        pytest.param(
            deployment(conditions=[condition("ReplicaFailure", "False")], **counts(1, 1, 1)),
            "Healthy",
            id="pods could not be made once",
        ),
        pytest.param(
            deployment(conditions=[ROLLED_OUT], **counts(1, 0, 0, 1)), "Degraded", id="crashing after the roll-out"
        ),
        pytest.param(deployment(conditions=[ROLLING], **counts(1, 0, 0, 1)), "Progressing", id="first pods start"),
        pytest.param(deployment(**counts(1, 0, 0, 1)), "Degraded", id="none available and nothing progresses"),
        pytest.param(
            deployment({"replicas": 2}, conditions=[condition("Available", "False"), ROLLING], **counts(2, 1, 1, 1)),
            "Degraded",
            id="some serve, too few",
        ),
        pytest.param(
            deployment({"replicas": 2}, conditions=[condition("Available", "True")], **counts(1, 2, 2)),
            "Progressing",
            id="old pods still serve",
        ),
        pytest.param(deployment({"replicas": 3}, **counts(3, 3, 3)), "Healthy", id="all equal"),
        pytest.param(deployment(**counts(1, 1, 1, 1)), "Progressing", id="one too many is not available"),
        pytest.param(deployment(**counts(1, 1, 1)), "Healthy", id="one replica is the default"),
    ],
)
def test_deployment(document, health):
    assert health_of(document) == health


def stateful_set(spec=None, generation=1, **status) -> dict:
    document = deployment(spec, generation, currentRevision="a", updateRevision="a", **status)
    return {**document, "kind": "StatefulSet"}


@pytest.mark.parametrize(
    ("document", "health"),
    [
        pytest.param(stateful_set(**counts(1, 1, 1)), "Healthy", id="all equal"),
        pytest.param(stateful_set({"replicas": 0}), "Healthy", id="none of none is healthy, not suspended"),
        pytest.param(stateful_set(**counts(1, 0, 0)), "Progressing", id="never degraded"),
        pytest.param(stateful_set(generation=2, **counts(1, 1, 1)), "Progressing", id="generation behind"),
        pytest.param(
            {
                **stateful_set(**counts(1, 1, 1)),
                "status": {"observedGeneration": 1, "currentRevision": "a", "updateRevision": "b", **counts(1, 1, 1)},
            },
            "Progressing",
            id="revision behind",
        ),
    ],
)
def test_stateful_set(document, health):
    assert health_of(document) == health


def pod(phase: str | None, *containers: dict) -> dict:
    return {"apiVersion": "v1", "kind": "Pod", "status": {"phase": phase, "containerStatuses": list(containers)}}


def waiting(reason: str) -> dict:
    return {"ready": False, "state": {"waiting": {"reason": reason}}}


@pytest.mark.parametrize(
    ("document", "health"),
    [
        (pod("Pending"), "Progressing"),
        (pod("Running", {"ready": True}), "Healthy"),
        (pod("Running", {"ready": True}, {"ready": False}), "Progressing"),
        (pod("Running", {"ready": True}, waiting("CrashLoopBackOff")), "Degraded"),
        (pod("Running", waiting("ImagePullBackOff")), "Degraded"),
        (pod("Running", waiting("ErrImagePull")), "Degraded"),
        (pod("Running", waiting("ContainerCreating")), "Progressing"),
        (pod("Running", {"ready": False}, waiting("CrashLoopBackOff")), "Progressing"),
        (pod("Succeeded"), "Healthy"),
        (pod("Failed"), "Degraded"),
        (pod("Unknown"), "Unknown"),
        (pod(None), "Unknown"),
    ],
)
def test_pod(document, health):
    assert health_of(document) == health


def cron_job(spec=None, **status) -> dict:
    return {"apiVersion": "batch/v1", "kind": "CronJob", "spec": spec or {}, "status": status}


@pytest.mark.parametrize(
    ("document", "health"),
    [
        (cron_job({"suspend": True}, lastScheduleTime="2026-01-01T00:00:00Z"), "Suspended"),
        (cron_job(), "Progressing"),
        (cron_job(active=[{"name": "a"}], lastScheduleTime="2026-01-01T00:00:00Z"), "Progressing"),
        (cron_job(lastScheduleTime="2026-01-01T00:00:00Z"), "Healthy"),
    ],
)
def test_cron_job(document, health):
    assert health_of(document) == health


def live(version: str, kind: str, *conditions: dict, generation: int = 1, spec=None, **status) -> dict:
    """An object with conditions, as its controller has left it."""
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"generation": generation},
        "spec": spec or {},
        "status": {**status, **({"conditions": list(conditions)} if conditions else {})},
    }


def parent(*conditions: dict) -> dict:
    return {"parentRef": {"name": "gateway"}, "conditions": list(conditions)}


ACCEPTED, RESOLVED = condition("Accepted", "True"), condition("ResolvedRefs", "True")
ROUTES, SECRETS, FLUX = "gateway.networking.k8s.io/v1", "external-secrets.io/v1", "helm.toolkit.fluxcd.io/v2"
READY, NOT_READY = condition("Ready", "True"), condition("Ready", "False", "Creating")


@pytest.mark.parametrize(
    ("document", "health"),
    [
        (live("apps/v1", "DaemonSet", desiredNumberScheduled=2, updatedNumberScheduled=2, numberAvailable=2,
              observedGeneration=1), "Healthy"),
        (live("apps/v1", "DaemonSet", desiredNumberScheduled=2, updatedNumberScheduled=1, numberAvailable=2,
              observedGeneration=1), "Progressing"),
        (live("batch/v1", "Job"), "Progressing"),
        (live("batch/v1", "Job", condition("Complete", "True")), "Healthy"),
        (live("batch/v1", "Job", condition("Failed", "True", "BackoffLimitExceeded")), "Degraded"),
        (live("batch/v1", "Job", spec={"suspend": True}), "Suspended"),
        (live("v1", "PersistentVolumeClaim", phase="Pending"), "Progressing"),
        (live("v1", "PersistentVolumeClaim", phase="Bound"), "Healthy"),
        (live("v1", "PersistentVolumeClaim", phase="Lost"), "Degraded"),
        (live(ROUTES, "HTTPRoute"), "Progressing"),
        (live(ROUTES, "HTTPRoute", parents=[parent(ACCEPTED, RESOLVED)]), "Healthy"),
        (live(ROUTES, "HTTPRoute", parents=[parent(ACCEPTED, condition("ResolvedRefs", "False"))]), "Degraded"),
        (live(ROUTES, "HTTPRoute", parents=[parent(ACCEPTED), parent(condition("Accepted", "False"))]), "Degraded"),
        (live(ROUTES, "HTTPRoute", generation=2, parents=[parent({**ACCEPTED, "observedGeneration": 1})]),
         "Progressing"),
        (live(ROUTES, "GRPCRoute", parents=[parent(ACCEPTED, RESOLVED)]), "Healthy"),
        (live(ROUTES, "GRPCRoute", parents=[parent(condition("Accepted", "False"))]), "Degraded"),
        (live(ROUTES, "Gateway", ACCEPTED, condition("Programmed", "True")), "Healthy"),
        (live(SECRETS, "ExternalSecret"), "Progressing"),
        (live(SECRETS, "ExternalSecret", READY), "Healthy"),
        (live(SECRETS, "ExternalSecret", condition("Ready", "False", "SecretSyncedError")), "Degraded"),
        (live(FLUX, "HelmRelease"), "Progressing"),
        (live(FLUX, "HelmRelease", READY, observedGeneration=1), "Healthy"),
        (live(FLUX, "HelmRelease", READY, observedGeneration=1, generation=2), "Progressing"),
        (live(FLUX, "HelmRelease", condition("Ready", "False", "InstallFailed"), observedGeneration=1), "Degraded"),
        (live(FLUX, "HelmRelease", condition("Stalled", "True"), NOT_READY, observedGeneration=1), "Degraded"),
        (live(FLUX, "HelmRelease", spec={"suspend": True}), "Suspended"),
        (live("rds.aws.crossplane.io/v1", "Instance", NOT_READY, condition("Synced", "True")), "Progressing"),
        (live("rds.aws.crossplane.io/v1", "Instance", READY, condition("Synced", "True")), "Healthy"),
        (live("rds.aws.upbound.io/v1", "Instance", READY, condition("Synced", "False")), "Degraded"),
        (live("example.org/v1", "Database", READY), "Healthy"),
        (live("example.org/v1", "Database", NOT_READY), "Progressing"),
        (live("example.org/v1", "Database", condition("Ready", "False", "CreateFailed")), "Degraded"),
        (live("example.org/v1", "Database", {**READY, "observedGeneration": 1}, generation=2), "Progressing"),
        (live("example.org/v1", "Database"), "Healthy"),
        ({"apiVersion": "v1", "kind": "Service"}, "Healthy"),
        ({"apiVersion": "v1", "kind": "ConfigMap"}, "Healthy"),
        ({"apiVersion": "example.org/v1", "kind": "Deployment", "spec": {"paused": True}}, "Healthy"),
    ],
)  # fmt: skip
def test_other_kinds_are_judged_by_what_they_say_of_themselves(document, health):
    assert health_of(document) == health


@pytest.mark.parametrize(
    "document",
    [
        {**deployment(), "status": ["what"]},
        deployment(conditions=["what"]),
        {**deployment(), "spec": 3},
    ],
)
def test_a_status_of_no_known_form_is_unknown_and_raises_nothing(document):
    assert health_of(document) == "Unknown"


def test_every_shipped_rule_has_a_word_for_an_object_that_was_just_made():
    for rule in shipped():
        assert evaluate(compile_rule(rule.expression), {"metadata": {"name": "new"}})[1] == "", rule


def test_the_nearest_rule_counts():
    rules = rules_of([
        Rule("*", "*", '"Unknown"'), Rule("*.example.org", "*", '"Degraded"'),
        Rule("a.example.org", "Thing", '"Healthy"'),
    ])  # fmt: skip
    kinds = {"a.example.org/v1": "Thing", "b.example.org/v1": "Thing", "apps/v1": "Deployment"}
    assert [rules.judge({"apiVersion": version, "kind": kind}) for version, kind in kinds.items()] == [
        "Healthy", "Degraded", "Unknown",
    ]  # fmt: skip


def test_an_expression_is_compiled_once_and_judges_ten_thousand_objects_a_second():
    document = deployment(conditions=[ROLLED_OUT], **counts(1, 1, 1))
    health_of(document)
    begun = time.process_time()
    for _ in range(1000):
        health_of(document)
    assert time.process_time() - begun < 1.0  # 0.1 s is what it takes on an idle machine


OTHERWISE = {"HTTPRoute", "GRPCRoute", "ExternalSecret", "Job", "PersistentVolumeClaim"}
"""Kinds that OpenChoreo calls healthy as soon as they exist."""


def test_it_judges_every_recorded_object_as_openchoreo_did(conformance):
    """Over all rendered releases recorded from a running OpenChoreo: raw status in, its word for the health out."""
    judged = 0
    with (conformance / "live" / "objects.jsonl").open() as lines:
        for line in lines:
            release = json.loads(line)["object"]
            if release["kind"] != "RenderedRelease":
                continue
            bodies = {entry["id"]: entry["object"] for entry in release["spec"]["resources"]}
            for seen in release.get("status", {}).get("resources", ()):
                status = seen.get("status") or {}
                body = bodies[seen["id"]]
                # The recording has no generation of the live object; it settled before it was read.
                metadata = {**body["metadata"], "generation": status.get("observedGeneration", 1)}
                found = health_of({**body, "metadata": metadata, "status": status})
                if seen["kind"] in OTHERWISE:
                    assert found != "Unknown", seen
                    assert seen["healthStatus"] == "Healthy", seen
                    continue
                assert found == seen["healthStatus"], seen
                judged += 1
    assert judged > 300
