"""What a component must fulfil before it can be released, in the order of the contract.

Type; workflow allowed and there; exactly one workload; traits allowed and their instance names unique; traits there;
project, pipeline and its root environment. The first that fails is the reason of Ready=False.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from catalog.kinds.base import PlatformObject
from catalog.kinds.component import Component
from catalog.kinds.workload import Workload
from catalog.releases.parts import Parts, TraitMissing, component_type_of, traits_of, type_reference, workloads_of
from catalog.releases.pipeline import InvalidPipeline, root_environment

TypedReference = dict[str, Any]
FindWorkloads = Callable[[Component], list[Workload]]
FindTraits = Callable[[Component, PlatformObject], tuple[PlatformObject, ...]]


@dataclass
class NotReady(Exception):
    """The first check that failed: reason and message of Ready=False."""

    reason: str
    message: str


def check(
    component: Component, find_workloads: FindWorkloads = workloads_of, find_traits: FindTraits = traits_of
) -> tuple[Parts, str]:
    """The parts of the component's release and the environment that it enters first. Raises `NotReady`.

    The two last arguments are for previews, which look elsewhere than into the database.
    """
    component_type = checked_type(component)
    check_workflow(component, component_type)
    workload = the_workload(component, find_workloads(component))
    check_traits(component, component_type)
    try:
        traits = find_traits(component, component_type)
    except TraitMissing as missing:
        raise NotReady("TraitNotFound", str(missing)) from None
    return Parts(component_type, traits, workload), first_environment(component)


def checked_type(component: Component) -> PlatformObject:
    """The component's type, of the workload type that the reference says."""
    kind, workload_type, name = type_reference(component)
    component_type = component_type_of(component)
    if component_type is None:
        raise NotReady("ComponentTypeNotFound", f'{kind} "{name}" not found')
    declared = component_type.spec["workloadType"]
    if declared != workload_type:
        message = f"WorkloadType mismatch: component specifies {workload_type} but {kind} has {declared}"
        raise NotReady("InvalidConfiguration", message)
    return component_type


def check_workflow(component: Component, component_type: PlatformObject) -> None:
    """A component may name a workflow only if its type allows it, and it must exist."""
    reference = component.spec.get("workflow")
    if not reference:
        return
    kind, name = reference.get("kind") or "ClusterWorkflow", reference["name"]
    allowed = component_type.spec.get("allowedWorkflows") or []
    if not allowed:
        message = (
            f'No workflows are allowed by ComponentType "{component_type.name}", '
            f'but component specifies workflow "{name}"'
        )
        raise NotReady("WorkflowNotAllowed", message)
    if (kind, name) not in {kind_and_name(item, "ClusterWorkflow") for item in allowed}:
        listed = " ".join(f"{{{' '.join(kind_and_name(item, 'ClusterWorkflow'))}}}" for item in allowed)
        message = (
            f'Workflow "{name}" (kind {kind}) is not allowed by ComponentType "{component_type.name}"; '
            f"allowed workflows: [{listed}]"
        )
        raise NotReady("WorkflowNotAllowed", message)
    if (component.cluster_workflow or component.workflow) is None:
        raise NotReady("WorkflowNotFound", f'Workflow "{name}" (kind {kind}) not found')


def the_workload(component: Component, workloads: list[Workload]) -> Workload:
    """The one workload of the component."""
    if not workloads:
        message = f'Workload for component "{component.name}" not found, waiting for workload to be created'
        raise NotReady("WorkloadNotFound", message)
    if len(workloads) > 1:
        message = f'Multiple Workloads found for component "{component.name}" (expected exactly 1)'
        raise NotReady("InvalidConfiguration", message)
    return workloads[0]


def check_traits(component: Component, component_type: PlatformObject) -> None:
    """The component's own traits must be allowed by the type, and every instance name must be used once."""
    used: list[TypedReference] = component.spec.get("traits") or []
    embedded: list[TypedReference] = component_type.spec.get("traits") or []
    problem = trait_problem(used, component_type.spec.get("allowedTraits") or [], embedded)
    if problem:
        raise NotReady("InvalidConfiguration", f'ComponentType "{component_type.name}": {problem}')


def trait_problem(
    used: list[TypedReference], allowed: list[TypedReference], embedded: list[TypedReference]
) -> str | None:
    """What is wrong with a component's use of traits, None if nothing is."""
    if used and not allowed:
        return f"no traits are allowed, but component has {len(used)} trait(s)"
    permitted = [colon_form(item) for item in allowed]
    if refused := [colon_form(item) for item in used if colon_form(item) not in permitted]:
        return f"traits {go_list(refused)} are not in the allowed list {go_list(permitted)}"
    if repeated := repetitions(embedded):
        return f"duplicate trait instance names {go_list(repeated)} in embedded traits"
    if repeated := repetitions(used):
        return f"duplicate trait instance names {go_list(repeated)} in component traits"
    embedded_names = {item["instanceName"] for item in embedded}
    if colliding := [item["instanceName"] for item in used if item["instanceName"] in embedded_names]:
        return f"trait instance names {go_list(colliding)} collide with embedded traits"
    return None


def first_environment(component: Component) -> str:
    """The root environment of the pipeline of the component's project."""
    project = component.project
    if project is None:
        raise NotReady("ProjectNotFound", f'Project "{component.spec["owner"]["projectName"]}" not found')
    name = (project.spec.get("deploymentPipelineRef") or {}).get("name")
    if not name:
        raise NotReady("InvalidConfiguration", f'Project "{project.name}" has empty deploymentPipelineRef')
    if project.deployment_pipeline is None:
        raise NotReady("DeploymentPipelineNotFound", f'DeploymentPipeline "{name}" not found')
    try:
        return root_environment(project.deployment_pipeline)
    except InvalidPipeline as problem:
        message = f"Invalid deployment pipeline configuration: {problem}"
        raise NotReady("InvalidConfiguration", message) from None


def kind_and_name(reference: TypedReference, default_kind: str) -> tuple[str, str]:
    return reference.get("kind") or default_kind, reference["name"]


def colon_form(reference: TypedReference) -> str:
    return ":".join(kind_and_name(reference, "Trait"))


def repetitions(traits: Iterable[TypedReference]) -> list[str]:
    """The instance names of all traits after the first of their name."""
    seen: Counter[str] = Counter()
    repeated = []
    for trait in traits:
        name = trait["instanceName"]
        if seen[name]:
            repeated.append(name)
        seen[name] += 1
    return repeated


def go_list(words: Iterable[str]) -> str:
    """Lists as the contract's messages print them."""
    return f"[{' '.join(words)}]"
