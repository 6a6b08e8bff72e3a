"""Whether a run may build the component that its labels name.

A run with the labels of a component acts for it: its last step writes the component's Workload. So the workflow must
be one that the component's type allows, and the one that the component is configured with. A run without both labels
belongs to nobody and is not checked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from catalog.compiler import labels
from catalog.kinds.base import PlatformObject
from catalog.kinds.component import Component
from catalog.kinds.workflow_run import WorkflowRun


class ComponentValidationFailed(Exception):
    """The run may not act for the component. The text is the condition's message."""


def check_component(run: WorkflowRun) -> None:
    """Raise `ComponentValidationFailed` unless the run may act for its component, or has none."""
    project, name = run.labels.get(labels.PROJECT), run.labels.get(labels.COMPONENT)
    if not project and not name:
        return
    if not project or not name:
        raise ComponentValidationFailed(
            f"component workflow run must have both {labels.PROJECT} and {labels.COMPONENT} labels"
        )
    rows = Component.objects.system("reconcile").filter(namespace_id=run.namespace_name, name=name)
    component = rows.select_related("component_type", "cluster_component_type").first()
    if component is None:
        raise ComponentValidationFailed(f'component "{name}" not found')
    owner = component.spec["owner"]["projectName"]
    if owner != project:
        raise ComponentValidationFailed(
            f'workflow run project label "{project}" does not match component "{name}" owner project "{owner}"'
        )
    check_workflow(run.spec["workflow"], component)


def check_workflow(workflow: dict[str, Any], component: Component) -> None:
    """The type allows the workflow, and the component has no other."""
    component_type: PlatformObject | None = component.cluster_component_type or component.component_type
    if component_type is None:
        reference = component.spec["componentType"]["name"]
        raise ComponentValidationFailed(f'component type "{reference}" not found for component "{component.name}"')
    allowed = component_type.spec.get("allowedWorkflows") or ()
    if not allowed:
        raise ComponentValidationFailed(
            f'no workflows are allowed by component type "{component_type.name}", '
            f"but workflow run references workflow {words_for(workflow)}"
        )
    if identity(workflow) not in {identity(reference) for reference in allowed}:
        raise ComponentValidationFailed(
            f'workflow {words_for(workflow)} is not allowed for component type "{component_type.name}"; '
            f"allowed: {listed(allowed)}"
        )
    configured = component.spec.get("workflow")
    if configured and identity(configured) != identity(workflow):
        raise ComponentValidationFailed(
            f'workflow run references workflow {words_for(workflow)} but component "{component.name}" '
            f"is configured with workflow {words_for(configured)}"
        )


def identity(reference: dict[str, Any]) -> tuple[str, str]:
    return reference.get("kind") or "ClusterWorkflow", reference["name"]


def words_for(reference: dict[str, Any]) -> str:
    return "/".join(identity(reference))


def listed(references: Iterable[dict[str, Any]]) -> str:
    return f"[{', '.join(words_for(reference) for reference in references)}]"
