"""Tools about resource releases and their bindings to environments."""

from __future__ import annotations

from catalog.api.collection import Draft
from catalog.mcp import objects
from catalog.mcp.declare import NAMESPACE, PAGE, WRITTEN, WRITTEN_ALWAYS, one, page_of
from portal.access.endpoint import Call
from portal.mcp.arguments import ITEMS, OBJECT, TEXT, described, one_of
from portal.mcp.registry import Arguments, Document, Tool

NAMED: Document = {**NAMESPACE, "name": TEXT}
OF_RESOURCE: Document = {**NAMESPACE, "resource_name": TEXT}
CONFIGS: Document = {
    "resource_release": TEXT,
    "resource_type_environment_configs": OBJECT,
    "retain_policy": one_of("Delete", "Retain"),
}


def list_resource_releases(call: Call, given: Arguments) -> Document:
    owners = {"resource": given["resource_name"]}
    return objects.listed(call, "ResourceRelease", given, "resource_releases", owners)


def get_resource_release(call: Call, given: Arguments) -> Document:
    return objects.detailed(call, "ResourceRelease", given, given["name"])


def create_resource_release(call: Call, given: Arguments) -> Document:
    kind = given.get("type_kind") or "ResourceType"
    spec = {
        "owner": {"projectName": given["project_name"], "resourceName": given["resource_name"]},
        "resourceType": {"kind": kind, "name": given["type_name"], "spec": given["type_spec"]},
        **objects.given_fields(given, parameters="parameters"),
    }
    return objects.written(objects.created(call, "ResourceRelease", given, given["name"], spec), "created")


def delete_resource_release(call: Call, given: Arguments) -> Document:
    return objects.deleted(call, "ResourceRelease", given, given["name"])


def list_resource_release_bindings(call: Call, given: Arguments) -> Document:
    owners = {"resource": given["resource_name"]}
    return objects.listed(call, "ResourceReleaseBinding", given, "resource_release_bindings", owners)


def get_resource_release_binding(call: Call, given: Arguments) -> Document:
    return objects.detailed(call, "ResourceReleaseBinding", given, given["name"])


def create_resource_release_binding(call: Call, given: Arguments) -> Document:
    spec = {
        "owner": {"projectName": given["project_name"], "resourceName": given["resource_name"]},
        "environment": given["environment"],
        **pinned(given),
    }
    return objects.written(objects.created(call, "ResourceReleaseBinding", given, given["name"], spec), "created")


def update_resource_release_binding(call: Call, given: Arguments) -> Document:
    """Owner and environment stay: the contract's own tool sends them empty and is refused."""

    def edit(draft: Draft) -> None:
        draft.spec.update(pinned(given))

    return objects.written(objects.changed(call, "ResourceReleaseBinding", given, given["name"], edit), "updated")


def pinned(given: Arguments) -> Document:
    """What may change of a binding."""
    return objects.given_fields(
        given,
        resourceRelease="resource_release",
        resourceTypeEnvironmentConfigs="resource_type_environment_configs",
        retainPolicy="retain_policy",
    )


def delete_resource_release_binding(call: Call, given: Arguments) -> Document:
    return objects.deleted(call, "ResourceReleaseBinding", given, given["name"])


TOOLS = (
    Tool(
        "list_resource_releases",
        "List resource releases",
        "The releases of a resource.",
        list_resource_releases,
        one("resourcerelease:view"),
        ("pe",),
        arguments={**OF_RESOURCE, **PAGE},
        required=tuple(OF_RESOURCE),
        result=page_of("resource_releases"),
        always=("resource_releases",),
    ),
    Tool(
        "get_resource_release",
        "Get a resource release",
        "One resource release with its frozen type and parameters.",
        get_resource_release,
        one("resourcerelease:view"),
        ("pe",),
        arguments=NAMED,
        required=tuple(NAMED),
        result={"name": TEXT, "resourceTypeSpec": OBJECT, "parameters": OBJECT},
        always=("name",),
    ),
    Tool(
        "create_resource_release",
        "Create a resource release",
        "Freeze a resource by hand; the platform does so by itself.",
        create_resource_release,
        one("resourcerelease:create"),
        ("pe",),
        arguments={
            **NAMED,
            "project_name": TEXT,
            "resource_name": TEXT,
            "type_kind": one_of("ResourceType", "ClusterResourceType"),
            "type_name": TEXT,
            "type_spec": described(OBJECT, "the type's whole spec"),
            "parameters": OBJECT,
        },
        required=("namespace_name", "name", "project_name", "resource_name", "type_name", "type_spec"),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="create",
    ),
    Tool(
        "delete_resource_release",
        "Delete a resource release",
        "Delete a resource release.",
        delete_resource_release,
        one("resourcerelease:delete"),
        ("deployment",),
        arguments=NAMED,
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="delete",
    ),
    Tool(
        "list_resource_release_bindings",
        "List resource release bindings",
        "Which release of a resource is in which environment.",
        list_resource_release_bindings,
        one("resourcereleasebinding:view"),
        ("deployment",),
        arguments={**OF_RESOURCE, **PAGE},
        required=tuple(OF_RESOURCE),
        result=page_of("resource_release_bindings"),
        always=("resource_release_bindings",),
    ),
    Tool(
        "get_resource_release_binding",
        "Get a resource release binding",
        "One binding: release, configuration, outputs (values or names of keys), conditions.",
        get_resource_release_binding,
        one("resourcereleasebinding:view"),
        ("deployment",),
        arguments=NAMED,
        required=tuple(NAMED),
        result={"name": TEXT, "environment": TEXT, "resourceRelease": TEXT, "status": TEXT, "outputs": ITEMS},
        always=("name",),
    ),
    Tool(
        "create_resource_release_binding",
        "Create a resource release binding",
        "Put a resource into an environment; without a release it waits for one.",
        create_resource_release_binding,
        one("resourcereleasebinding:create"),
        ("deployment",),
        arguments={**NAMED, "project_name": TEXT, "resource_name": TEXT, "environment": TEXT, **CONFIGS},
        required=("namespace_name", "name", "project_name", "resource_name", "environment"),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="create",
    ),
    Tool(
        "update_resource_release_binding",
        "Change a resource release binding",
        "Change release, configuration or retention; what is not given stays.",
        update_resource_release_binding,
        one("resourcereleasebinding:update"),
        ("deployment",),
        arguments={**NAMED, **CONFIGS},
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="update",
    ),
    Tool(
        "delete_resource_release_binding",
        "Delete a resource release binding",
        "Delete a binding and, unless it is retained, what it has made.",
        delete_resource_release_binding,
        one("resourcereleasebinding:delete"),
        ("deployment",),
        arguments=NAMED,
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="delete",
    ),
)
