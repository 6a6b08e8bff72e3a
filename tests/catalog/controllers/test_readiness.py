"""ResourcesReady and Ready, as the plane's report and the kind of workload have it."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.controllers.readiness import ready_of, resources_ready

KINDS = {"Deployment": "apps", "StatefulSet": "apps", "CronJob": "batch", "Job": "batch", "HTTPRoute": "gateway.x"}


def entries(**healths: str) -> list[dict[str, Any]]:
    """One entry of `status.resources` per kind, named after it."""
    return [
        {"id": kind, "group": KINDS.get(kind, ""), "version": "v1", "kind": kind, "name": "it", "healthStatus": health}
        for kind, health in healths.items()
    ]


def verdict(component_type: str, observes_health: bool = True, **healths: str) -> tuple[str, str, str]:
    found = resources_ready(component_type, entries(**healths), observes_health)
    assert found.type == "ResourcesReady"
    return found.status, found.reason, found.message


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        ("Healthy", ("True", "Ready", "Primary workload Deployment and all supporting resources are ready")),
        (
            "Suspended",
            ("True", "ReadyWithSuspendedResources", "Primary workload Deployment is suspended (scaled to 0)"),
        ),
        ("Progressing", ("False", "ResourcesProgressing", "Primary workload Deployment/it is progressing")),
        ("Degraded", ("False", "ResourcesDegraded", "Primary workload Deployment/it is degraded")),
        ("Unknown", ("False", "ResourcesUnknown", "Primary workload Deployment/it status unknown")),
        ("", ("False", "ResourcesUnknown", "Unable to determine status")),
    ],
)
def test_a_deployment_follows_its_primary_workload(health: str, expected: tuple[str, str, str]) -> None:
    assert verdict("deployment/service", Deployment=health, Service="Healthy") == expected


def test_a_stateful_set_follows_its_own_kind() -> None:
    assert verdict("statefulset/db", StatefulSet="Progressing", Deployment="Healthy") == (
        "False",
        "ResourcesProgressing",
        "Primary workload StatefulSet/it is progressing",
    )


def test_a_deployment_that_is_not_there_is_on_its_way() -> None:
    expected = ("False", "ResourcesProgressing", "Primary workload not found")
    assert verdict("deployment/service", Service="Healthy") == expected


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        ({"Service": "Degraded"}, ("ResourcesDegraded", "Supporting resource Service/it is degraded")),
        ({"HTTPRoute": "Degraded"}, ("ResourcesDegraded", "Operational resource HTTPRoute/it is degraded")),
        ({"Pod": "Degraded"}, ("ResourcesDegraded", "Operational resource Pod/it is degraded")),
        (
            {"HTTPRoute": "Degraded", "Service": "Degraded"},
            ("ResourcesDegraded", "Supporting resource Service/it is degraded"),
        ),
    ],
)
def test_degraded_company_spoils_a_healthy_deployment(beside: dict[str, str], expected: tuple[str, str]) -> None:
    assert verdict("deployment/service", Deployment="Healthy", **beside)[1:] == expected


@pytest.mark.parametrize(
    "beside",
    [
        {"HTTPRoute": "Progressing"},
        {"ConfigMap": "Degraded"},
        {"Secret": "Degraded"},
        {"ServiceAccount": "Degraded"},
        {"Job": "Degraded"},
    ],
)
def test_other_company_does_not(beside: dict[str, str]) -> None:
    assert verdict("deployment/service", Deployment="Healthy", **beside)[0] == "True"


def test_roles_have_no_health_of_their_own() -> None:
    role = {"id": "r", "group": "rbac.authorization.k8s.io", "kind": "Role", "name": "r", "healthStatus": "Degraded"}
    assert resources_ready("deployment/x", [*entries(Deployment="Healthy"), role], True).status == "True"


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        ("Healthy", ("True", "CronJobScheduled", "CronJob it is scheduled and ready")),
        ("Progressing", ("True", "CronJobScheduled", "CronJob it is scheduled, job execution running")),
        ("Suspended", ("True", "CronJobSuspended", "CronJob it is suspended")),
        ("Degraded", ("False", "ResourcesDegraded", "CronJob it is degraded")),
        ("Unknown", ("False", "ResourcesUnknown", "CronJob it status unknown")),
        ("", ("False", "ResourcesUnknown", "Unable to determine CronJob status")),
    ],
)
def test_a_cron_job_is_ready_while_it_is_scheduled(health: str, expected: tuple[str, str, str]) -> None:
    assert verdict("cronjob/task", CronJob=health, Service="Degraded") == expected


@pytest.mark.parametrize(
    ("health", "expected"),
    [
        ("Healthy", ("True", "JobCompleted", "Job it completed successfully")),
        ("Progressing", ("False", "JobRunning", "Job it is running")),
        ("Suspended", ("False", "JobRunning", "Job it is suspended")),
        ("Degraded", ("False", "JobFailed", "Job it failed")),
        ("Unknown", ("False", "ResourcesUnknown", "Job it status unknown")),
        ("", ("False", "ResourcesUnknown", "Unable to determine Job status")),
    ],
)
def test_a_job_is_ready_when_it_has_completed(health: str, expected: tuple[str, str, str]) -> None:
    assert verdict("job/once", Job=health) == expected


@pytest.mark.parametrize(("component_type", "kind"), [("cronjob/task", "CronJob"), ("job/once", "Job")])
def test_a_job_or_cron_job_that_is_not_there_is_on_its_way(component_type: str, kind: str) -> None:
    assert verdict(component_type, Service="Healthy") == ("False", "ResourcesProgressing", f"Primary {kind} not found")


@pytest.mark.parametrize("component_type", ["proxy/edge", "novelty/thing"])
@pytest.mark.parametrize(
    ("healths", "expected"),
    [
        ({"Service": "Healthy", "ConfigMap": "Suspended"}, ("True", "Ready", "All 2 resources ready")),
        ({"Service": "Degraded", "Pod": "Progressing"}, ("False", "ResourcesDegraded", "1/2 resources degraded")),
        ({"Service": "Unknown", "Pod": "Progressing"}, ("False", "ResourcesProgressing", "1/2 resources progressing")),
        ({"Service": "Unknown", "Pod": "Healthy"}, ("False", "ResourcesUnknown", "1/2 resources status unknown")),
        ({"Service": "", "Pod": "Healthy"}, ("False", "ResourcesUnknown", "Unable to determine resource status")),
    ],
)
def test_of_a_proxy_every_object_counts(
    component_type: str, healths: dict[str, str], expected: tuple[str, str, str]
) -> None:
    assert verdict(component_type, **healths) == expected


def test_where_nobody_observes_delivered_is_ready_whatever_the_kind() -> None:
    expected = ("True", "Ready", "All 2 resources delivered; its plane does not report health")
    assert verdict("job/once", observes_health=False, Job="Unknown", Service="Unknown") == expected


# Ready, of all conditions together.


def conditions(**statuses: str) -> dict[str, dict[str, str]]:
    return {
        name: {"type": name, "status": status, "reason": f"{name}Reason", "message": f"about {name}"}
        for name, status in statuses.items()
    }


def test_ready_needs_release_and_resources_and_takes_absent_gates_as_open() -> None:
    found = ready_of(conditions(ReleaseSynced="True", ResourcesReady="True"))
    assert (found.status, found.reason, found.message) == ("True", "Ready", "ReleaseBinding is ready")


@pytest.mark.parametrize(
    ("failing", "told"),
    [
        (("ReleaseSynced", "ConnectionsResolved", "ResourceDependenciesReady", "ResourcesReady"), "ReleaseSynced"),
        (("ConnectionsResolved", "ResourceDependenciesReady", "ResourcesReady"), "ConnectionsResolved"),
        (("ResourceDependenciesReady", "ResourcesReady"), "ResourceDependenciesReady"),
        (("ResourcesReady",), "ResourcesReady"),
    ],
)
def test_ready_takes_its_reason_from_the_first_that_fails(failing: tuple[str, ...], told: str) -> None:
    names = ("ReleaseSynced", "ConnectionsResolved", "ResourceDependenciesReady", "ResourcesReady")
    found = ready_of(conditions(**{name: "False" if name in failing else "True" for name in names}))
    assert (found.status, found.reason, found.message) == ("False", f"{told}Reason", f"about {told}")


def test_ready_before_anything_is_synced_says_so() -> None:
    found = ready_of(conditions(ConnectionsResolved="False"))
    assert (found.status, found.reason, found.message) == ("False", "ReleaseSynced", "Release is not synced")


def test_ready_before_resources_were_looked_at_says_so() -> None:
    found = ready_of(conditions(ReleaseSynced="True"))
    assert (found.reason, found.message) == ("ResourcesProgressing", "Resources are being evaluated")
