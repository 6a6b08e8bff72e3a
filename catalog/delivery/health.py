"""Health of an object, judged by its kind from the document that the plane reports: one word of the contract.

Pure: the document in, `Healthy`, `Progressing`, `Degraded`, `Suspended` or `Unknown` out. Called for planes that
observe. Of the kinds without a rule of their own, an object is healthy as soon as it exists, as in the contract.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from catalog.compiler.documents import Document

Health = Literal["Healthy", "Progressing", "Degraded", "Suspended", "Unknown"]

WAITING_IN_VAIN = frozenset({"CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull"})


def health_of(document: Document) -> Health:
    """The health of a live object; `Unknown` where its status has not the form that its kind promises."""
    group = str(document.get("apiVersion") or "").rpartition("/")[0]
    judge = JUDGES.get((group, str(document.get("kind") or "")))
    if judge is None:
        return "Healthy"
    try:
        return judge(document)
    except (TypeError, AttributeError, ValueError):
        return "Unknown"


def deployment_health(document: Document) -> Health:
    """Paused or scaled to zero is Suspended; no available pod although the rollout is over is Degraded."""
    spec, status = section(document, "spec"), section(document, "status")
    wanted = count(spec, "replicas", 1)
    if spec.get("paused") or wanted == 0:
        return "Suspended"
    if is_unobserved(document):
        return "Progressing"
    conditions = conditions_by_type(status)
    progressing = conditions.get("Progressing", {})
    if progressing.get("reason") == "ProgressDeadlineExceeded" or is_true(conditions.get("ReplicaFailure")):
        return "Degraded"
    updated, ready, available = (count(status, f"{word}Replicas") for word in ("updated", "ready", "available"))
    unavailable = count(status, "unavailableReplicas")
    if updated == wanted and available == 0:
        rolling = is_true(progressing) and progressing.get("reason") != "NewReplicaSetAvailable"
        return "Progressing" if rolling else "Degraded"
    serving = conditions.get("Available")
    if serving is not None and not is_true(serving) and unavailable > 0 and (ready > 0 or available > 0):
        return "Degraded"
    return "Healthy" if updated == ready == available == wanted and unavailable == 0 else "Progressing"


def stateful_set_health(document: Document) -> Health:
    """Never Degraded and never Suspended, as in the contract: none of none is Healthy."""
    spec, status = section(document, "spec"), section(document, "status")
    if is_unobserved(document) or status.get("currentRevision") != status.get("updateRevision"):
        return "Progressing"
    wanted = count(spec, "replicas", 1)
    counts = {count(status, f"{word}Replicas") for word in ("ready", "available", "updated")}
    return "Healthy" if counts == {wanted} else "Progressing"


def pod_health(document: Document) -> Health:
    status = section(document, "status")
    phase = status.get("phase")
    if phase == "Running":
        return running_pod_health(status)
    by_phase: dict[Any, Health] = {"Pending": "Progressing", "Succeeded": "Healthy", "Failed": "Degraded"}
    return by_phase.get(phase, "Unknown")


def running_pod_health(status: Mapping[str, Any]) -> Health:
    """By the first container that is not well."""
    for container in status.get("containerStatuses") or ():
        waiting = section(section(container, "state"), "waiting")
        if waiting.get("reason") in WAITING_IN_VAIN:
            return "Degraded"
        if not container.get("ready"):
            return "Progressing"
    return "Healthy"


def cron_job_health(document: Document) -> Health:
    """Healthy once it has run; before, and while a job runs, Progressing."""
    spec, status = section(document, "spec"), section(document, "status")
    if spec.get("suspend"):
        return "Suspended"
    if status.get("active"):
        return "Progressing"
    return "Healthy" if status.get("lastScheduleTime") else "Progressing"


JUDGES: dict[tuple[str, str], Callable[[Document], Health]] = {
    ("apps", "Deployment"): deployment_health,
    ("apps", "StatefulSet"): stateful_set_health,
    ("", "Pod"): pod_health,
    ("batch", "CronJob"): cron_job_health,
}


def is_unobserved(document: Document) -> bool:
    """Whether the status speaks of an older generation, or of none yet."""
    observed = count(section(document, "status"), "observedGeneration")
    return observed == 0 or count(section(document, "metadata"), "generation") > observed


def section(document: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """A nested object, {} where there is none. Raises `TypeError` for something else."""
    value = document.get(field)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError(f"{field} is no object")
    return value


def count(section: Mapping[str, Any], field: str, default: int = 0) -> int:
    """A whole number, `default` where there is none. Raises `TypeError` for something else."""
    value = section.get(field)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{field} is no number")
    return int(value)


def conditions_by_type(status: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {condition.get("type"): condition for condition in status.get("conditions") or ()}


def is_true(condition: Mapping[str, Any] | None) -> bool:
    return condition is not None and condition.get("status") == "True"
