"""The Argo Workflows engine: submits a rendered run to a workflow plane, reads how it fares, and takes it away.

The names and labels are those of the contract, so that its log and event queries find a run's pods.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.compiler.workflow import WorkflowOutput
from catalog.delivery.plane import ObjectKey, Plane
from catalog.kinds.base import Document
from catalog.kinds.workflow_run import WorkflowRun

MANAGED_BY = "workflowrun-controller"
STEP_INDEX = re.compile(r"\[([0-9]+)\]")
POD = "Pod"


class NotSubmittable(Exception):
    """What the workflow renders is no run that Argo could take; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What lies on the plane: the run itself, and what came with it, as the contract's references."""

    reference: Mapping[str, str]
    resources: list[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Progress:
    """How a run fares there. `phase` is Argo's: Pending, Running, Succeeded, Failed, Error, or "" for none yet."""

    phase: str
    tasks: list[Document]


def submit(plane: Plane, run: WorkflowRun, output: WorkflowOutput) -> Submitted:
    """Put the run on the plane, with what it needs to be there before. Raises `NotSubmittable` and `PlaneError`."""
    document = labelled(output.resource, run)
    namespace = document["metadata"].get("namespace")
    account = document.get("spec", {}).get("serviceAccountName")
    if not namespace:
        raise NotSubmittable("its runTemplate gives no metadata.namespace")
    if not account:
        raise NotSubmittable("its runTemplate gives no spec.serviceAccountName")
    resources = [labelled(item.object, run) for item in output.resources]
    plane.put([*prerequisites(namespace, account), *resources, document])
    return Submitted(reference_to(document), [reference_to(item) for item in resources])


def prerequisites(namespace: str, account: str) -> list[Document]:
    """A namespace, and an account for the run's pods that may report results and no more."""
    role, binding = f"{account}-role", f"{account}-role-binding"
    inside = {"namespace": namespace}
    group = "rbac.authorization.k8s.io"
    rule = {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": account, **inside}},
        {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": {"name": role, **inside}, "rules": [rule]},
        {
            "apiVersion": f"{group}/v1",
            "kind": "RoleBinding",
            "metadata": {"name": binding, **inside},
            "subjects": [{"kind": "ServiceAccount", "name": account, **inside}],
            "roleRef": {"kind": "Role", "name": role, "apiGroup": group},
        },
    ]


def labelled(document: Document, run: WorkflowRun) -> Document:
    """The object with the marks by which it is known to be the run's."""
    metadata = document.get("metadata") or {}
    labels = {
        **(metadata.get("labels") or {}),
        "openchoreo.dev/workflowrun": run.name,
        "openchoreo.dev/workflowrun-namespace": run.namespace_name,
        "openchoreo.dev/managed-by": MANAGED_BY,
    }
    return {**document, "metadata": {**metadata, "labels": labels}}


def reference_to(document: Document) -> dict[str, str]:
    metadata = document["metadata"]
    found = {
        "apiVersion": document["apiVersion"],
        "kind": document["kind"],
        "name": metadata["name"],
        "namespace": metadata.get("namespace", ""),
    }
    return {field: value for field, value in found.items() if value}


def look(plane: Plane, reference: Mapping[str, str]) -> Progress | None:
    """How the run fares; None if it is not there any more. Raises `PlaneError`."""
    found = plane.find(
        reference["apiVersion"], reference["kind"], reference.get("namespace", ""), reference["name"]
    )  # fmt: skip
    if found is None:
        return None
    status = found.get("status") or {}
    return Progress(str(status.get("phase") or ""), tasks_of(status.get("nodes") or {}))


def tasks_of(nodes: Mapping[str, Any]) -> list[Document]:
    """The steps that ran as pods, in the order of the workflow."""
    pods = [node for node in nodes.values() if node.get("type") == POD]
    pods.sort(key=lambda node: (step_index(node), str(node.get("startedAt") or "")))
    return [task_of(node) for node in pods]


def step_index(node: Mapping[str, Any]) -> int:
    """`build-1[2].publish` is step 2; what has no number comes first."""
    found = STEP_INDEX.findall(str(node.get("name") or ""))
    return int(found[-1]) if found else 0


def task_of(node: Mapping[str, Any]) -> Document:
    """A step as the status of a run has it."""
    task = {
        "name": node.get("displayName") or str(node.get("name") or "").rpartition(".")[2],
        "phase": node.get("phase"),
        "startedAt": node.get("startedAt"),
        "completedAt": node.get("finishedAt"),
        "message": node.get("message"),
    }
    return {field: value for field, value in task.items() if value}


def take_away(plane: Plane, references: list[Mapping[str, str]]) -> None:
    """Remove a run and what came with it; what is gone is gone. Raises `PlaneError`."""
    keys = [
        ObjectKey(
            reference["apiVersion"].rpartition("/")[0], reference["kind"], reference.get("namespace", ""),
            reference["name"],
        )
        for reference in references
    ]  # fmt: skip
    plane.take_away(keys)
