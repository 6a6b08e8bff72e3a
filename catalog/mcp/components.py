"""Tools about components."""

from __future__ import annotations

from typing import Any

from catalog import store
from catalog.api.collection import Draft
from catalog.api.component_schema import schema_for_environments
from catalog.mcp import objects
from catalog.mcp.declare import META, NAMESPACE, PAGE, SCHEMA, WRITTEN_ALWAYS, one, page_of, writes
from portal.access.endpoint import Call
from portal.mcp.arguments import FLAG, ITEMS, OBJECT, TEXT, described
from portal.mcp.registry import Arguments, Document, Tool
from portal.wire.responses import Refusal

IN_COMPONENT = ("component",)
NAMED: Document = {**NAMESPACE, "component_name": TEXT}
WORKFLOW = described(OBJECT, "{name, kind, parameters}")


def list_components(call: Call, given: Arguments) -> Document:
    return objects.listed(call, "Component", given, "components", {"project": given["project_name"]})


def get_component(call: Call, given: Arguments) -> Document:
    return objects.detailed(call, "Component", given, given["component_name"])


def get_component_schema(call: Call, given: Arguments) -> Document:
    return schema_for_environments(call, given["namespace_name"], given["component_name"])


def create_component(call: Call, given: Arguments) -> Document:
    """Deploys by itself unless told not to, as the contract's tool does."""
    spec: Document = {
        "owner": {"projectName": given["project_name"]},
        "componentType": type_reference(given["namespace_name"], given["component_type"]),
        "autoDeploy": given.get("auto_deploy", True),
        **objects.given_fields(given, parameters="parameters", workflow="workflow"),
    }
    made = objects.created(call, "Component", given, given["name"], spec)
    return objects.written(made, "created", componentType=made.spec["componentType"]["name"])


def type_reference(namespace: str, wanted: str) -> Document:
    """The reference to a type named `workloadType/name`: the namespace's, else the platform's. Raises `Refusal`."""
    workload_type, _, name = wanted.partition("/")
    if not workload_type or not name:
        raise Refusal(400, f'invalid componentType format "{wanted}": expected {{workloadType}}/{{name}}')
    for kind, where in (("ComponentType", namespace), ("ClusterComponentType", "")):
        if store.get_or_none(kind, where, name) is not None:
            return {"kind": kind, "name": wanted}
    raise Refusal(
        404,
        f'component type "{name}" not found: no ComponentType in namespace "{namespace}" or ClusterComponentType with '
        "that name; list_component_types shows those that there are",
    )


def patch_component(call: Call, given: Arguments) -> Document:
    """What is not given stays; a list of traits replaces the whole list."""

    def edit(draft: Draft) -> None:
        draft.spec.update(
            objects.given_fields(
                given, autoDeploy="auto_deploy", parameters="parameters", traits="traits", workflow="workflow"
            )
        )

    return objects.written(objects.changed(call, "Component", given, given["component_name"], edit), "patched")


def delete_component(call: Call, given: Arguments) -> Document:
    return objects.deleted(call, "Component", given, given["component_name"])


DETAIL: dict[str, Any] = {"name": TEXT, "projectName": TEXT, "componentType": OBJECT, "status": TEXT}

TOOLS = (
    Tool(
        "list_components",
        "List components",
        "The components of a project: type, latest release, status.",
        list_components,
        one("component:view"),
        IN_COMPONENT,
        arguments={**NAMESPACE, "project_name": TEXT, **PAGE},
        required=("namespace_name", "project_name"),
        result=page_of("components"),
        always=("components",),
    ),
    Tool(
        "get_component",
        "Get a component",
        "One component: parameters, traits, workflow, conditions.",
        get_component,
        one("component:view"),
        IN_COMPONENT,
        arguments=NAMED,
        required=tuple(NAMED),
        result=DETAIL,
        always=("name",),
    ),
    Tool(
        "get_component_schema",
        "Get a component's schema",
        "JSON Schema of what may be set for the component in each environment.",
        get_component_schema,
        one("component:view"),
        IN_COMPONENT,
        arguments=NAMED,
        required=tuple(NAMED),
        result=SCHEMA,
    ),
    Tool(
        "create_component",
        "Create a component",
        "Create a component. From an image: without workflow, then create_workload. From source: with workflow, which "
        "makes the workload.",
        create_component,
        one("component:create"),
        IN_COMPONENT,
        arguments={
            **NAMESPACE,
            "project_name": TEXT,
            "name": TEXT,
            "component_type": described(TEXT, "workloadType/name, from list_component_types"),
            **META,
            "auto_deploy": described(FLAG, "default true"),
            "parameters": described(OBJECT, "see get_component_type_schema"),
            "workflow": described(
                OBJECT, "{name, kind: Workflow|ClusterWorkflow, parameters}; see get_workflow_schema"
            ),
        },
        required=("namespace_name", "project_name", "name", "component_type"),
        result=writes(componentType=TEXT),
        always=WRITTEN_ALWAYS,
        effect="create",
    ),
    Tool(
        "patch_component",
        "Change a component",
        "Change what is given, keep the rest. Owner and type never change.",
        patch_component,
        one("component:update"),
        IN_COMPONENT,
        arguments={
            **NAMED,
            **META,
            "auto_deploy": FLAG,
            "parameters": described(OBJECT, "replaces all"),
            "traits": described(ITEMS, "replaces all; each {name, instanceName, kind: Trait|ClusterTrait, parameters}"),
            "workflow": WORKFLOW,
        },
        required=tuple(NAMED),
        result=writes(),
        always=WRITTEN_ALWAYS,
        effect="update",
    ),
    Tool(
        "delete_component",
        "Delete a component",
        "Delete a component with its workload, releases and bindings.",
        delete_component,
        one("component:delete"),
        IN_COMPONENT,
        arguments=NAMED,
        required=tuple(NAMED),
        result=writes(),
        always=WRITTEN_ALWAYS,
        effect="delete",
    ),
)
