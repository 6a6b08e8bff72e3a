"""Objects as an agent reads them: what tells them apart in a list, and all of one by name, without what only machines
need.

Both are made of the documents that REST shows. The fields are the contract's: camelCase, `status` is "Ready" or the
reason why not, conditions come without their times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from catalog.kinds.base import Document

DISPLAY_NAME, DESCRIPTION = "openchoreo.dev/display-name", "openchoreo.dev/description"

Fields = Iterator[tuple[str, Any]]
Shape = Callable[[Document, Document], Fields]
"""Makes the fields of a kind from spec and status. Those without a value are left out."""


def summary_of(kind: str, document: Document) -> Document:
    """An object in a list."""
    return made(document, SUMMARIES.get(plain(kind)))


def detail_of(kind: str, document: Document) -> Document:
    """An object by itself."""
    return made(document, DETAILS.get(plain(kind), whole))


def plain(kind: str) -> str:
    """A kind, or that which it is the twin of for the whole platform: both look alike."""
    return kind.removeprefix("Cluster")


def made(document: Document, shape: Shape | None) -> Document:
    fields = dict(common(document["metadata"]))
    if shape is not None:
        more = shape(document.get("spec") or {}, document.get("status") or {})
        fields.update({name: value for name, value in more if value is not None and value != ""})
    return fields


def common(metadata: Mapping[str, Any]) -> Fields:
    """What every object has."""
    annotations = metadata.get("annotations") or {}
    yield "name", metadata["name"]
    for name, value in (
        ("namespace", metadata.get("namespace")),
        ("displayName", annotations.get(DISPLAY_NAME)),
        ("description", annotations.get(DESCRIPTION)),
    ):
        if value:
            yield name, value
    yield "createdAt", metadata["creationTimestamp"]


def ready_of(status: Document) -> str:
    """`Ready`, or the reason why not; "" for what has no such condition yet."""
    for condition in status.get("conditions") or ():
        if condition.get("type") == "Ready":
            return "Ready" if condition.get("status") == "True" else str(condition.get("reason") or "")
    return ""


def conditions_of(status: Document) -> list[Document] | None:
    """The conditions without their times."""
    kept = ("type", "status", "reason", "message")
    found = [
        {name: condition[name] for name in kept if condition.get(name)} for condition in status.get("conditions") or ()
    ]
    return found or None


def state(status: Document, *, with_conditions: bool = False) -> Fields:
    yield "status", ready_of(status)
    if with_conditions:
        yield "conditions", conditions_of(status)


def reference(held: Any) -> Document | None:
    """Kind and name of a reference."""
    if not isinstance(held, Mapping) or not held.get("name"):
        return None
    return {"kind": held.get("kind", ""), "name": held["name"]}


def owner(spec: Document, *fields: str) -> Fields:
    held = spec.get("owner") or {}
    for field in fields:
        yield field, held.get(field)


def latest_release(status: Document) -> str | None:
    return (status.get("latestRelease") or {}).get("name")


def whole(spec: Document, status: Document) -> Fields:
    """The detail of kinds that are read whole."""
    yield "spec", spec or None


# Projects -------------------------------------------------------------------------------------------------------------


def project(spec: Document, status: Document) -> Fields:
    yield "deploymentPipelineRef", (spec.get("deploymentPipelineRef") or {}).get("name")
    yield "type", reference(spec.get("type"))
    yield from state(status)
    yield "latestRelease", latest_release(status)


def project_type(spec: Document, status: Document) -> Fields:
    yield "resources", len(spec.get("resources") or ())


def project_release(spec: Document, status: Document) -> Fields:
    yield from owner(spec, "projectName")
    yield "projectType", reference(spec.get("projectType"))


def project_release_detail(spec: Document, status: Document) -> Fields:
    yield from project_release(spec, status)
    yield "projectTypeSpec", (spec.get("projectType") or {}).get("spec") or None
    yield "parameters", spec.get("parameters")


def project_release_binding(spec: Document, status: Document) -> Fields:
    yield from owner(spec, "projectName")
    yield "environment", spec.get("environment")
    yield "projectRelease", spec.get("projectRelease")
    yield from state(status)


def project_release_binding_detail(spec: Document, status: Document) -> Fields:
    yield from project_release_binding(spec, status)
    yield "environmentConfigs", spec.get("environmentConfigs")
    yield "dataPlaneNamespace", status.get("namespace")
    yield "conditions", conditions_of(status)


# Components -----------------------------------------------------------------------------------------------------------


def component(spec: Document, status: Document) -> Fields:
    yield from owner(spec, "projectName")
    yield "componentType", (spec.get("componentType") or {}).get("name")
    yield "autoDeploy", bool(spec.get("autoDeploy"))
    yield "autoBuild", spec.get("autoBuild")
    yield from state(status)
    yield "latestRelease", latest_release(status)


def component_detail(spec: Document, status: Document) -> Fields:
    yield from component(spec, status)
    yield "componentType", reference(spec.get("componentType"))
    yield "parameters", spec.get("parameters")
    yield "traits", spec.get("traits") or None
    yield "workflow", spec.get("workflow")
    yield "conditions", conditions_of(status)


def workload(spec: Document, status: Document) -> Fields:
    yield from owner(spec, "projectName", "componentName")
    yield "image", (spec.get("container") or {}).get("image")
    yield "endpoints", sorted(spec.get("endpoints") or ()) or None


def component_release(spec: Document, status: Document) -> Fields:
    yield from owner(spec, "projectName", "componentName")


def component_release_detail(spec: Document, status: Document) -> Fields:
    held, frozen = spec.get("componentType") or {}, spec.get("workload") or {}
    yield from component_release(spec, status)
    yield "componentType", reference(held)
    yield "workloadType", (held.get("spec") or {}).get("workloadType")
    yield "image", (frozen.get("container") or {}).get("image")
    yield "endpoints", frozen.get("endpoints") or None
    yield "dependencies", frozen.get("dependencies")
    yield "parameters", (spec.get("componentProfile") or {}).get("parameters")


def release_binding(spec: Document, status: Document) -> Fields:
    yield from owner(spec, "projectName", "componentName")
    yield "environment", spec.get("environment")
    yield "releaseName", spec.get("releaseName")
    yield "state", spec.get("state")
    yield "endpoints", status.get("endpoints") or None
    yield "pendingConnections", status.get("pendingConnections") or None
    yield from state(status)


def release_binding_detail(spec: Document, status: Document) -> Fields:
    yield from release_binding(spec, status)
    for name in ("componentTypeEnvironmentConfigs", "traitEnvironmentConfigs", "workloadOverrides"):
        yield name, spec.get(name)
    for name in ("connectionTargets", "resolvedConnections"):
        yield name, status.get(name) or None
    yield "conditions", conditions_of(status)


# Resources ------------------------------------------------------------------------------------------------------------


def resource(spec: Document, status: Document) -> Fields:
    yield from owner(spec, "projectName")
    yield "type", reference(spec.get("type"))
    yield from state(status)
    yield "latestRelease", latest_release(status)


def resource_detail(spec: Document, status: Document) -> Fields:
    yield from resource(spec, status)
    yield "parameters", spec.get("parameters")
    yield "latestRelease", status.get("latestRelease")
    yield "conditions", conditions_of(status)


def resource_type(spec: Document, status: Document) -> Fields:
    yield "retainPolicy", spec.get("retainPolicy")
    yield "outputs", [output["name"] for output in spec.get("outputs") or () if output.get("name")] or None


def resource_release(spec: Document, status: Document) -> Fields:
    yield from owner(spec, "projectName", "resourceName")
    yield "resourceType", reference(spec.get("resourceType"))


def resource_release_detail(spec: Document, status: Document) -> Fields:
    yield from resource_release(spec, status)
    yield "resourceTypeSpec", (spec.get("resourceType") or {}).get("spec") or None
    yield "parameters", spec.get("parameters")


def resource_release_binding(spec: Document, status: Document) -> Fields:
    yield from owner(spec, "projectName", "resourceName")
    yield "environment", spec.get("environment")
    yield "resourceRelease", spec.get("resourceRelease")
    yield "retainPolicy", spec.get("retainPolicy")
    yield from state(status)


def resource_release_binding_detail(spec: Document, status: Document) -> Fields:
    yield from resource_release_binding(spec, status)
    yield "resourceTypeEnvironmentConfigs", spec.get("resourceTypeEnvironmentConfigs")
    yield "outputs", status.get("outputs") or None  # values and names of keys; a secret's value is never in a status
    yield "conditions", conditions_of(status)


# Platform -------------------------------------------------------------------------------------------------------------


def environment(spec: Document, status: Document) -> Fields:
    yield "isProduction", bool(spec.get("isProduction"))
    yield "dataPlaneRef", reference(spec.get("dataPlaneRef"))
    yield from state(status)


def only_state(spec: Document, status: Document) -> Fields:
    yield from state(status)


def pipeline_detail(spec: Document, status: Document) -> Fields:
    yield "promotionPaths", spec.get("promotionPaths") or None
    yield from state(status, with_conditions=True)


def plane(spec: Document, status: Document) -> Fields:
    yield "planeID", spec.get("planeID")
    yield "observerURL", spec.get("observerURL")
    yield "agentConnected", (status.get("agentConnection") or {}).get("connected")
    yield from state(status)


def plane_detail(spec: Document, status: Document) -> Fields:
    yield "spec", spec or None
    yield "agentConnection", status.get("agentConnection")
    yield from state(status, with_conditions=True)


def component_type(spec: Document, status: Document) -> Fields:
    yield "workloadType", spec.get("workloadType")
    yield "allowedWorkflows", [reference(item) for item in spec.get("allowedWorkflows") or ()] or None


def workflow(spec: Document, status: Document) -> Fields:
    yield "ttlAfterCompletion", spec.get("ttlAfterCompletion")
    yield from state(status)


def workflow_detail(spec: Document, status: Document) -> Fields:
    yield "spec", spec or None
    yield from state(status)


def workflow_run(spec: Document, status: Document) -> Fields:
    yield "workflowName", (spec.get("workflow") or {}).get("name")
    yield from state(status)
    yield "startedAt", status.get("startedAt")
    yield "completedAt", status.get("completedAt")


def workflow_run_detail(spec: Document, status: Document) -> Fields:
    yield from workflow_run(spec, status)
    yield "parameters", (spec.get("workflow") or {}).get("parameters")
    yield "tasks", status.get("tasks") or None
    yield "conditions", conditions_of(status)


def role(spec: Document, status: Document) -> Fields:
    yield "actions", spec.get("actions")


def role_binding(spec: Document, status: Document) -> Fields:
    yield "entitlement", spec.get("entitlement")
    yield "effect", spec.get("effect")
    yield "roleMappingCount", len(spec.get("roleMappings") or ())


SUMMARIES: Mapping[str, Shape] = {
    "Project": project,
    "ProjectType": project_type,
    "ProjectRelease": project_release,
    "ProjectReleaseBinding": project_release_binding,
    "Component": component,
    "Workload": workload,
    "ComponentRelease": component_release,
    "ReleaseBinding": release_binding,
    "Resource": resource,
    "ResourceType": resource_type,
    "ResourceRelease": resource_release,
    "ResourceReleaseBinding": resource_release_binding,
    "Environment": environment,
    "DeploymentPipeline": only_state,
    "DataPlane": plane,
    "WorkflowPlane": plane,
    "ObservabilityPlane": plane,
    "ComponentType": component_type,
    "Workflow": workflow,
    "WorkflowRun": workflow_run,
    "AuthzRole": role,
    "AuthzRoleBinding": role_binding,
}
DETAILS: Mapping[str, Shape] = {
    "ProjectRelease": project_release_detail,
    "ProjectReleaseBinding": project_release_binding_detail,
    "Component": component_detail,
    "ComponentRelease": component_release_detail,
    "ReleaseBinding": release_binding_detail,
    "Resource": resource_detail,
    "ResourceRelease": resource_release_detail,
    "ResourceReleaseBinding": resource_release_binding_detail,
    "DeploymentPipeline": pipeline_detail,
    "DataPlane": plane_detail,
    "WorkflowPlane": plane_detail,
    "ObservabilityPlane": plane_detail,
    "Workflow": workflow_detail,
    "WorkflowRun": workflow_run_detail,
}
