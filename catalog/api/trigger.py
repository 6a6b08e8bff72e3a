"""`POST …/releasebindings/{name}/trigger`: runs a scheduled task now, as `kubectl create job --from` does."""

from __future__ import annotations

import secrets
import time

from django.http import HttpResponse

from catalog.api.binding_objects import BoundRelease, answered, bound_releases, find_live, visible_binding
from catalog.compiler.documents import Document
from catalog.delivery.plane import DATA_PLANE, AlreadyThere, ObjectKey, require_capability
from catalog.kinds.release_binding import ReleaseBinding
from portal.access.endpoint import Call
from portal.audit import operation as audit
from portal.wire import responses
from portal.wire.responses import Refusal

INSTANTIATE = "cronjob.kubernetes.io/instantiate"
NAME_LIMIT = 63
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""Kubernetes' own for random suffixes: no vowels, nothing that looks like something else."""


def trigger(call: Call, namespace: str, name: str) -> HttpResponse:
    """200 with `{jobName, namespace, cronJobName}`. A body is ignored.

    400 unless the bound release is of a cron job, 404 without release or cron job, 501 where the plane starts no jobs.
    """
    binding = visible_binding(call, namespace, name, verb="update")
    require_cron_job(binding)
    with answered():
        bound, key = find_cron_job(binding)
        job = start_job(bound, key)
    made = {"jobName": job["metadata"]["name"], "namespace": key.namespace, "cronJobName": key.name}
    note(made)
    return responses.json_body(made)


def require_cron_job(binding: ReleaseBinding) -> None:
    """Refuse what is no scheduled task, by the frozen release: the component may have become something else."""
    release = binding.component_release
    if release is None:
        raise Refusal(404, "ComponentRelease not found")
    if str(release.spec["componentType"]["spec"].get("workloadType", "")).lower() != "cronjob":
        raise Refusal(400, "release binding component is not a cronjob workload")


def find_cron_job(binding: ReleaseBinding) -> tuple[BoundRelease, ObjectKey]:
    """The first CronJob of the binding on its data plane, and its release. Raises the 404."""
    for bound in bound_releases(binding):
        for row in bound.rows:
            if bound.target == DATA_PLANE and (row.group, row.kind) == ("batch", "CronJob"):
                return bound, ObjectKey(*row.identity)
    raise Refusal(404, "CronJob not found")


def start_job(bound: BoundRelease, key: ObjectKey) -> Document:
    """Start a job of the cron job as it is on the plane now. Raises refusals and `PlaneError`s."""
    plane, place = bound.plane()
    require_capability(plane, "creates_objects")
    job = job_of(find_live(bound, key))
    try:
        plane.create(place, job)
    except AlreadyThere:
        raise Refusal(400, "a job with the same name already exists, retry the trigger") from None
    return job


def job_of(cron_job: Document) -> Document:
    """The Job that a cron job would start now: labels and annotations of its template, owned by it."""
    metadata, template = cron_job["metadata"], cron_job["spec"]["jobTemplate"]
    of_template = template.get("metadata") or {}
    owner = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    made: Document = {
        "name": job_name(metadata["name"]),
        "namespace": metadata["namespace"],
        "annotations": {INSTANTIATE: "manual", **(of_template.get("annotations") or {})},
        "ownerReferences": [owner],
    }
    if of_template.get("labels"):
        made["labels"] = of_template["labels"]
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": made, "spec": template["spec"]}


def job_name(cron_job: str) -> str:
    """`{cronjob}-{unix seconds}-{5 random}`, cut at the front part to 63 characters."""
    suffix = f"-{int(time.time())}-{''.join(secrets.choice(ALPHABET) for _ in range(5))}"
    return cron_job[: NAME_LIMIT - len(suffix)] + suffix


def note(made: Document) -> None:
    """The event says which job was started: nothing of ours has changed that would say it."""
    opened = audit.current()
    if opened is not None:
        audit.conclude(opened, "success", 200, {"job": made["jobName"], "cronJob": made["cronJobName"]})
