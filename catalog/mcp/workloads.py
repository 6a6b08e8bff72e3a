"""Tools about workloads: what of a component runs, and what it offers and needs."""

from __future__ import annotations

from catalog import store
from catalog.api.collection import COMPONENT_LABEL, PROJECT_LABEL, Draft
from catalog.api.openapi_schemas import plain
from catalog.kinds.workload import Workload
from catalog.mcp import objects
from catalog.mcp.declare import DETAIL, NAMESPACE, PAGE, SCHEMA, WRITTEN, WRITTEN_ALWAYS, one, page_of
from portal.access import guard
from portal.access.endpoint import Call
from portal.access.place import Place
from portal.mcp.arguments import OBJECT, TEXT, described
from portal.mcp.registry import Arguments, Document, Tool
from portal.wire.responses import Refusal

IN_COMPONENT = ("component",)
NAMED: Document = {**NAMESPACE, "workload_name": TEXT}
SPEC = described(OBJECT, "see get_workload_schema")


def list_workloads(call: Call, given: Arguments) -> Document:
    return objects.listed(call, "Workload", given, "workloads", {"component": given["component_name"]})


def get_workload(call: Call, given: Arguments) -> Document:
    return objects.detailed(call, "Workload", given, given["workload_name"])


def get_workload_schema(call: Call, given: Arguments) -> Document:
    """The schema without the owner, which the tools fill in."""
    guard.require_at(call.access, "workload:view", some_place(call), kind="Workload")
    schema: Document = plain(Workload.spec_schema)
    return {
        **schema,
        "properties": {name: item for name, item in schema["properties"].items() if name != "owner"},
        "required": [name for name in schema.get("required") or () if name != "owner"],
    }


def some_place(call: Call) -> Place:
    """A place at which the caller may see workloads, if there is any: the schema is the same everywhere."""
    for rule in call.access.rules_for("workload:view"):
        if rule.effect == "allow" and call.access.allows("workload:view", rule.place):
            return rule.place
    return Place()


def create_workload(call: Call, given: Arguments) -> Document:
    """The workload `{component}-workload` of a component, whose project is filled in."""
    name = given["component_name"]
    component = store.get_or_none("Component", given["namespace_name"], name)
    if component is None:
        place = Place(given["namespace_name"], component=name)
        guard.require_at(call.access, "workload:create", place, kind="Workload")
        raise Refusal(404, "Component not found")
    owner = {"projectName": component.spec["owner"]["projectName"], "componentName": name}
    labels = {PROJECT_LABEL: owner["projectName"], COMPONENT_LABEL: name}
    spec = {**given["workload_spec"], "owner": owner}
    return objects.written(objects.created(call, "Workload", given, f"{name}-workload", spec, labels), "created")


def update_workload(call: Call, given: Arguments) -> Document:
    def edit(draft: Draft) -> None:
        draft.spec = {**given["workload_spec"], "owner": draft.spec["owner"]}

    return objects.written(objects.changed(call, "Workload", given, given["workload_name"], edit), "updated")


def delete_workload(call: Call, given: Arguments) -> Document:
    return objects.deleted(call, "Workload", given, given["workload_name"])


TOOLS = (
    Tool(
        "list_workloads",
        "List workloads",
        "A component's workloads: image and endpoints.",
        list_workloads,
        one("workload:view"),
        IN_COMPONENT,
        arguments={**NAMESPACE, "component_name": TEXT, **PAGE},
        required=("namespace_name", "component_name"),
        result=page_of("workloads"),
        always=("workloads",),
    ),
    Tool(
        "get_workload",
        "Get a workload",
        "One workload: container, endpoints, dependencies.",
        get_workload,
        one("workload:view"),
        IN_COMPONENT,
        arguments=NAMED,
        required=tuple(NAMED),
        result=DETAIL,
        always=("name",),
    ),
    Tool(
        "get_workload_schema",
        "Get the workload schema",
        "JSON Schema of workload_spec.",
        get_workload_schema,
        one("workload:view"),
        IN_COMPONENT,
        result=SCHEMA,
        untrusted=False,
    ),
    Tool(
        "create_workload",
        "Create a workload",
        "Give a component from an image its workload, <component>-workload.",
        create_workload,
        one("workload:create"),
        IN_COMPONENT,
        arguments={**NAMESPACE, "component_name": TEXT, "workload_spec": SPEC},
        required=("namespace_name", "component_name", "workload_spec"),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="create",
    ),
    Tool(
        "update_workload",
        "Replace a workload's spec",
        "Replace the whole spec of a workload; the owner stays.",
        update_workload,
        one("workload:update"),
        IN_COMPONENT,
        arguments={**NAMED, "workload_spec": SPEC},
        required=("namespace_name", "workload_name", "workload_spec"),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="update",
    ),
    Tool(
        "delete_workload",
        "Delete a workload",
        "Delete a workload; what runs stays until its binding is undeployed.",
        delete_workload,
        one("workload:delete"),
        IN_COMPONENT,
        arguments=NAMED,
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="delete",
    ),
)
