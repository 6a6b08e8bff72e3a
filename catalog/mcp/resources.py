"""Tools about resources: managed infrastructure of a project."""

from __future__ import annotations

from catalog.api.collection import Draft
from catalog.mcp import objects
from catalog.mcp.declare import META, NAMESPACE, PAGE, WRITTEN, WRITTEN_ALWAYS, one, page_of, writes
from portal.access.endpoint import Call
from portal.mcp.arguments import OBJECT, TEXT, described, one_of
from portal.mcp.registry import Arguments, Document, Tool

IN_RESOURCE = ("resource",)
NAMED: Document = {**NAMESPACE, "name": TEXT}


def list_resources(call: Call, given: Arguments) -> Document:
    return objects.listed(call, "Resource", given, "resources", {"project": given["project_name"]})


def get_resource(call: Call, given: Arguments) -> Document:
    return objects.detailed(call, "Resource", given, given["name"])


def create_resource(call: Call, given: Arguments) -> Document:
    spec = {
        "owner": {"projectName": given["project_name"]},
        "type": objects.typed(given.get("type_kind", ""), given["type_name"]),
        **objects.given_fields(given, parameters="parameters"),
    }
    made = objects.created(call, "Resource", given, given["name"], spec)
    return objects.written(made, "created", type={"kind": made.spec["type"]["kind"], "name": made.spec["type"]["name"]})


def update_resource(call: Call, given: Arguments) -> Document:
    def edit(draft: Draft) -> None:
        draft.spec.update(objects.given_fields(given, parameters="parameters"))

    return objects.written(objects.changed(call, "Resource", given, given["name"], edit), "updated")


def delete_resource(call: Call, given: Arguments) -> Document:
    return objects.deleted(call, "Resource", given, given["name"])


TOOLS = (
    Tool(
        "list_resources",
        "List resources",
        "The managed infrastructure of a project: databases, caches, queues.",
        list_resources,
        one("resource:view"),
        IN_RESOURCE,
        arguments={**NAMESPACE, "project_name": TEXT, **PAGE},
        required=("namespace_name", "project_name"),
        result=page_of("resources"),
        always=("resources",),
    ),
    Tool(
        "get_resource",
        "Get a resource",
        "One resource: type, parameters, latest release, conditions.",
        get_resource,
        one("resource:view"),
        IN_RESOURCE,
        arguments=NAMED,
        required=tuple(NAMED),
        result={"name": TEXT, "type": OBJECT, "parameters": OBJECT, "latestRelease": OBJECT, "status": TEXT},
        always=("name",),
    ),
    Tool(
        "create_resource",
        "Create a resource",
        "Create a resource; create_resource_release_binding then puts it into an environment.",
        create_resource,
        one("resource:create"),
        IN_RESOURCE,
        arguments={
            **NAMESPACE,
            "project_name": TEXT,
            "name": TEXT,
            "type_name": TEXT,
            "type_kind": one_of("ResourceType", "ClusterResourceType"),
            "parameters": described(OBJECT, "see get_resource_type_schema"),
            **META,
        },
        required=("namespace_name", "project_name", "name", "type_name"),
        result=writes(type=OBJECT),
        always=WRITTEN_ALWAYS,
        effect="create",
    ),
    Tool(
        "update_resource",
        "Change a resource",
        "Change a resource; parameters replaces all.",
        update_resource,
        one("resource:update"),
        IN_RESOURCE,
        arguments={**NAMED, "parameters": OBJECT, **META},
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="update",
    ),
    Tool(
        "delete_resource",
        "Delete a resource",
        "Delete a resource that no environment uses.",
        delete_resource,
        one("resource:delete"),
        IN_RESOURCE,
        arguments=NAMED,
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="delete",
    ),
)
