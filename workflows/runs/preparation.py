"""From a run to what the workflow plane is to execute: its workflow, its plane, its rendered objects.

Called by the controller before submission, so that whatever is wrong with a run is told while it can be mended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog import store
from catalog.compiler import workflow as pipeline
from catalog.compiler.errors import CompilerError
from catalog.kinds.base import Document, PlatformObject
from catalog.kinds.cluster_workflow_plane import ClusterWorkflowPlane
from catalog.kinds.secret_reference import SecretReference
from catalog.kinds.workflow_plane import WorkflowPlane
from catalog.kinds.workflow_run import WorkflowRun

DEFAULT_PLANE: Mapping[str, str] = {"kind": "ClusterWorkflowPlane", "name": "default"}


@dataclass
class NotReady(Exception):
    """The run cannot start now: the reason and message of its WorkflowCompleted=False."""

    reason: str
    message: str


def workflow_of(run: WorkflowRun) -> PlatformObject | None:
    """The Workflow or ClusterWorkflow of a run, None if it does not exist."""
    found: PlatformObject | None = (
        run.cluster_workflow if run.spec["workflow"]["kind"] == "ClusterWorkflow" else run.workflow
    )
    return found


def plane_of(workflow: PlatformObject, namespace: str) -> PlatformObject:
    """The plane that a workflow runs on, by its reference or the default one. Raises `NotReady`."""
    reference = workflow.spec.get("workflowPlaneRef") or DEFAULT_PLANE
    plane: PlatformObject | None
    if reference["kind"] == "WorkflowPlane":
        plane = WorkflowPlane.objects.system("reconcile").filter(namespace_id=namespace, name=reference["name"]).first()
    else:
        plane = ClusterWorkflowPlane.objects.system("reconcile").filter(name=reference["name"]).first()
    if plane is None:
        message = "No workflow plane found for the workflow associated with this workflow run"
        raise NotReady("WorkflowPlaneNotFound", message)
    return plane


def render(run: WorkflowRun, workflow: PlatformObject, plane: PlatformObject) -> pipeline.WorkflowOutput:
    """The run's objects. Raises `NotReady` with the compiler's words."""
    render_input: Document = {
        "Workflow": store.to_document(workflow, with_status=False),
        "WorkflowRun": store.to_document(run, with_status=False),
        "Context": {
            "NamespaceName": run.namespace_name,
            "WorkflowRunName": run.name,
            "Labels": run.labels,
            "WorkflowPlane": {"SecretStore": (plane.spec.get("secretStoreRef") or {}).get("name", "")},
        },
    }
    try:
        names = pipeline.external_reference_names(render_input)
        render_input["Context"]["ExternalRefs"] = external_specs(names, run.namespace_name)
        return pipeline.render(render_input, text_arguments=True)
    except CompilerError as error:
        raise NotReady("WorkflowPending", f"Workflow cannot be rendered: {error}") from None


def external_specs(names: Mapping[str, str], namespace: str) -> dict[str, Any]:
    """The specs of the SecretReferences that a workflow asks for, by the ids it gives them. Raises `NotReady`."""
    rows = SecretReference.objects.system("reconcile").filter(namespace_id=namespace, name__in=names.values())
    found = {row.name: row.spec for row in rows}
    for identity, name in names.items():
        if name not in found:
            raise NotReady(
                "WorkflowPending",
                f'Workflow waits for its external reference "{identity}": SecretReference "{name}" not found',
            )
    return {identity: {"spec": found[name]} for identity, name in names.items()}
