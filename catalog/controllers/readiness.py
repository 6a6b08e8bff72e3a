"""Whether a component is ready, judged by what the plane reports of its objects: the condition ResourcesReady.

Pure. What counts depends on the kind of workload: a Deployment or StatefulSet must be healthy and nothing beside it
degraded; a CronJob is ready while it is scheduled; a Job once it has completed; anything else when all objects are
healthy or suspended. On a plane that does not observe, what is delivered counts as ready, and the message says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from catalog.controllers.binding_sync import apply_failure, is_current
from catalog.controllers.conditions import Condition, false, true
from catalog.controllers.plane_health import NOT_REPORTED
from catalog.kinds.base import Document
from catalog.kinds.rendered_release import RenderedRelease

Entries = Sequence[Document]
"""`status.resources` of a RenderedRelease: `{id, group?, version, kind, name, healthStatus, …}`."""

PRIMARY = {
    "deployment": ("apps", "Deployment"),
    "statefulset": ("apps", "StatefulSet"),
    "cronjob": ("batch", "CronJob"),
    "job": ("batch", "Job"),
}
WORKLOADS = frozenset({("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), *PRIMARY.values()})
SUPPORTING = frozenset({("", "Service"), ("", "PersistentVolumeClaim")})
WITHOUT_STATUS = frozenset({("", "ServiceAccount"), ("", "ConfigMap"), ("", "Secret")})
RBAC_GROUP = "rbac.authorization.k8s.io"


def release_readiness(release: RenderedRelease, component_type: str, observes_health: bool) -> Condition:
    """ResourcesReady, read from the status of the release for the data plane."""
    failure = apply_failure(release)
    if failure is not None:
        return not_ready("ResourceApplyFailed", failure)
    if release.status and not is_current(release):
        return not_ready("ResourcesProgressing", f'Release "{release.name}" has changed and is not applied yet')
    entries = release.status.get("resources")
    if not entries:
        return not_ready("ResourcesProgressing", f'Release "{release.name}" has no resources yet')
    return resources_ready(component_type, entries, observes_health)


def ready_of(conditions: Mapping[str, Document]) -> Condition:
    """Ready of a ReleaseBinding, given all its other conditions by type: the first that fails gives the reason.

    Absent connections and resource dependencies do not count; absent ReleaseSynced and ResourcesReady do.
    """
    synced = conditions.get("ReleaseSynced")
    if synced is None:
        return false("Ready", "ReleaseSynced", "Release is not synced")
    for name in ("ReleaseSynced", "ConnectionsResolved", "ResourceDependenciesReady", "ResourcesReady"):
        condition = conditions.get(name)
        if condition is not None and condition["status"] != "True":
            return false("Ready", condition["reason"], condition["message"])
    if "ResourcesReady" not in conditions:
        return false("Ready", "ResourcesProgressing", "Resources are being evaluated")
    return true("Ready", "Ready", "ReleaseBinding is ready")


def resources_ready(component_type: str, entries: Entries, observes_health: bool) -> Condition:
    """ResourcesReady of a component whose type is named `{workloadType}/{name}`; `entries` are not empty."""
    workload_type = component_type.partition("/")[0]
    if not observes_health:
        reason = "CronJobScheduled" if workload_type == "cronjob" else "Ready"
        return ready(reason, f"All {len(entries)} resources delivered; {NOT_REPORTED}")
    judge: Callable[[str, Entries], Condition] = {
        "deployment": judge_replicated,
        "statefulset": judge_replicated,
        "cronjob": judge_cron_job,
        "job": judge_job,
    }.get(workload_type, judge_all)
    return judge(workload_type, entries)


def judge_replicated(workload_type: str, entries: Entries) -> Condition:
    """A Deployment or StatefulSet, and what stands beside it."""
    primary = primary_of(workload_type, entries)
    if primary is None:
        return not_ready("ResourcesProgressing", "Primary workload not found")
    words = f"Primary workload {primary['kind']}/{primary['name']}"
    match health(primary):
        case "Degraded":
            return not_ready("ResourcesDegraded", f"{words} is degraded")
        case "Progressing":
            return not_ready("ResourcesProgressing", f"{words} is progressing")
        case "Unknown":
            return not_ready("ResourcesUnknown", f"{words} status unknown")
        case "Suspended":
            message = f"Primary workload {primary['kind']} is suspended (scaled to 0)"
            return ready("ReadyWithSuspendedResources", message)
        case "Healthy":
            message = f"Primary workload {primary['kind']} and all supporting resources are ready"
            return degraded_beside(entries) or ready("Ready", message)
    return not_ready("ResourcesUnknown", "Unable to determine status")


def degraded_beside(entries: Entries) -> Condition | None:
    """The first degraded object beside the workload: first what supports it, then what operates it."""
    degraded = [entry for entry in entries if health(entry) == "Degraded"]
    for entry in degraded:
        if identity(entry) in SUPPORTING:
            return not_ready("ResourcesDegraded", f"Supporting resource {entry['kind']}/{entry['name']} is degraded")
    for entry in degraded:
        if is_operational(entry):
            return not_ready("ResourcesDegraded", f"Operational resource {entry['kind']}/{entry['name']} is degraded")
    return None


def judge_cron_job(workload_type: str, entries: Entries) -> Condition:
    """A CronJob is well as long as it is scheduled, also while one of its jobs runs."""
    primary = primary_of(workload_type, entries)
    if primary is None:
        return not_ready("ResourcesProgressing", "Primary CronJob not found")
    words = f"CronJob {primary['name']}"
    match health(primary):
        case "Degraded":
            return not_ready("ResourcesDegraded", f"{words} is degraded")
        case "Unknown":
            return not_ready("ResourcesUnknown", f"{words} status unknown")
        case "Suspended":
            return ready("CronJobSuspended", f"{words} is suspended")
        case "Progressing":
            return ready("CronJobScheduled", f"{words} is scheduled, job execution running")
        case "Healthy":
            return ready("CronJobScheduled", f"{words} is scheduled and ready")
    return not_ready("ResourcesUnknown", "Unable to determine CronJob status")


def judge_job(workload_type: str, entries: Entries) -> Condition:
    """A Job is ready when it has completed."""
    primary = primary_of(workload_type, entries)
    if primary is None:
        return not_ready("ResourcesProgressing", "Primary Job not found")
    words = f"Job {primary['name']}"
    match health(primary):
        case "Degraded":
            return not_ready("JobFailed", f"{words} failed")
        case "Unknown":
            return not_ready("ResourcesUnknown", f"{words} status unknown")
        case "Progressing":
            return not_ready("JobRunning", f"{words} is running")
        case "Suspended":
            return not_ready("JobRunning", f"{words} is suspended")
        case "Healthy":
            return ready("JobCompleted", f"{words} completed successfully")
    return not_ready("ResourcesUnknown", "Unable to determine Job status")


def judge_all(workload_type: str, entries: Entries) -> Condition:
    """A proxy, or a workload type that is not known: every object counts alike."""
    total = len(entries)
    counts = Counter(health(entry) for entry in entries)
    for state, reason, words in (
        ("Degraded", "ResourcesDegraded", "degraded"),
        ("Progressing", "ResourcesProgressing", "progressing"),
        ("Unknown", "ResourcesUnknown", "status unknown"),
    ):
        if counts[state]:
            return not_ready(reason, f"{counts[state]}/{total} resources {words}")
    if counts["Healthy"] + counts["Suspended"] == total:
        return ready("Ready", f"All {total} resources ready")
    return not_ready("ResourcesUnknown", "Unable to determine resource status")


def primary_of(workload_type: str, entries: Entries) -> Document | None:
    """The object that the component is mainly made of, None if it is not there."""
    return next((entry for entry in entries if identity(entry) == PRIMARY[workload_type]), None)


def is_operational(entry: Document) -> bool:
    """Routes, autoscalers, policies and all kinds that are not known: their own trouble is the component's."""
    return identity(entry) not in WORKLOADS | SUPPORTING | WITHOUT_STATUS and entry.get("group") != RBAC_GROUP


def identity(entry: Document) -> tuple[str, str]:
    return entry.get("group") or "", entry["kind"]


def health(entry: Document) -> str:
    return entry.get("healthStatus") or ""


def ready(reason: str, message: str) -> Condition:
    return true("ResourcesReady", reason, message)


def not_ready(reason: str, message: str) -> Condition:
    return false("ResourcesReady", reason, message)
