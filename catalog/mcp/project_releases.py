"""Tools about project releases and their bindings to environments."""

from __future__ import annotations

from catalog.api.collection import Draft
from catalog.mcp import objects
from catalog.mcp.declare import NAMESPACE, PAGE, WRITTEN, WRITTEN_ALWAYS, one, page_of
from portal.access.endpoint import Call
from portal.mcp.arguments import OBJECT, TEXT, described, one_of
from portal.mcp.registry import Arguments, Document, Tool

NAMED: Document = {**NAMESPACE, "name": TEXT}
OF_PROJECT: Document = {**NAMESPACE, "project_name": TEXT}
CONFIGS: Document = {"project_release": TEXT, "environment_configs": OBJECT}


def list_project_releases(call: Call, given: Arguments) -> Document:
    owners = {"project": given["project_name"]}
    return objects.listed(call, "ProjectRelease", given, "project_releases", owners)


def get_project_release(call: Call, given: Arguments) -> Document:
    return objects.detailed(call, "ProjectRelease", given, given["name"])


def create_project_release(call: Call, given: Arguments) -> Document:
    kind = given.get("type_kind") or "ProjectType"
    spec = {
        "owner": {"projectName": given["project_name"]},
        "projectType": {"kind": kind, "name": given["type_name"], "spec": given["type_spec"]},
        **objects.given_fields(given, parameters="parameters"),
    }
    return objects.written(objects.created(call, "ProjectRelease", given, given["name"], spec), "created")


def delete_project_release(call: Call, given: Arguments) -> Document:
    return objects.deleted(call, "ProjectRelease", given, given["name"])


def list_project_release_bindings(call: Call, given: Arguments) -> Document:
    owners = {"project": given["project_name"]}
    return objects.listed(call, "ProjectReleaseBinding", given, "project_release_bindings", owners)


def get_project_release_binding(call: Call, given: Arguments) -> Document:
    return objects.detailed(call, "ProjectReleaseBinding", given, given["name"])


def create_project_release_binding(call: Call, given: Arguments) -> Document:
    spec = {"owner": {"projectName": given["project_name"]}, "environment": given["environment"], **pinned(given)}
    return objects.written(objects.created(call, "ProjectReleaseBinding", given, given["name"], spec), "created")


def update_project_release_binding(call: Call, given: Arguments) -> Document:
    def edit(draft: Draft) -> None:
        draft.spec.update(pinned(given))

    return objects.written(objects.changed(call, "ProjectReleaseBinding", given, given["name"], edit), "updated")


def pinned(given: Arguments) -> Document:
    """What may change of a binding."""
    return objects.given_fields(given, projectRelease="project_release", environmentConfigs="environment_configs")


def delete_project_release_binding(call: Call, given: Arguments) -> Document:
    return objects.deleted(call, "ProjectReleaseBinding", given, given["name"])


TOOLS = (
    Tool(
        "list_project_releases",
        "List project releases",
        "The releases of a project.",
        list_project_releases,
        one("projectrelease:view"),
        ("pe",),
        arguments={**OF_PROJECT, **PAGE},
        required=tuple(OF_PROJECT),
        result=page_of("project_releases"),
        always=("project_releases",),
    ),
    Tool(
        "get_project_release",
        "Get a project release",
        "One project release with its frozen type and parameters.",
        get_project_release,
        one("projectrelease:view"),
        ("pe",),
        arguments=NAMED,
        required=tuple(NAMED),
        result={"name": TEXT, "projectTypeSpec": OBJECT, "parameters": OBJECT},
        always=("name",),
    ),
    Tool(
        "create_project_release",
        "Create a project release",
        "Freeze a project by hand; the platform does so by itself.",
        create_project_release,
        one("projectrelease:create"),
        ("pe",),
        arguments={
            **OF_PROJECT,
            "name": TEXT,
            "type_kind": one_of("ProjectType", "ClusterProjectType"),
            "type_name": TEXT,
            "type_spec": described(OBJECT, "the type's whole spec"),
            "parameters": OBJECT,
        },
        required=("namespace_name", "name", "project_name", "type_name", "type_spec"),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="create",
    ),
    Tool(
        "delete_project_release",
        "Delete a project release",
        "Delete a project release.",
        delete_project_release,
        one("projectrelease:delete"),
        ("deployment",),
        arguments=NAMED,
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="delete",
    ),
    Tool(
        "list_project_release_bindings",
        "List project release bindings",
        "Which project release is in which environment.",
        list_project_release_bindings,
        one("projectreleasebinding:view"),
        ("deployment",),
        arguments={**OF_PROJECT, **PAGE},
        required=tuple(OF_PROJECT),
        result=page_of("project_release_bindings"),
        always=("project_release_bindings",),
    ),
    Tool(
        "get_project_release_binding",
        "Get a project release binding",
        "One binding: release, configuration, data-plane namespace, conditions.",
        get_project_release_binding,
        one("projectreleasebinding:view"),
        ("deployment",),
        arguments=NAMED,
        required=tuple(NAMED),
        result={"name": TEXT, "environment": TEXT, "projectRelease": TEXT, "status": TEXT},
        always=("name",),
    ),
    Tool(
        "create_project_release_binding",
        "Create a project release binding",
        "Put a project release into an environment.",
        create_project_release_binding,
        one("projectreleasebinding:create"),
        ("deployment",),
        arguments={**NAMED, "project_name": TEXT, "environment": TEXT, **CONFIGS},
        required=("namespace_name", "name", "project_name", "environment"),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="create",
    ),
    Tool(
        "update_project_release_binding",
        "Change a project release binding",
        "Change the release or the configuration; what is not given stays.",
        update_project_release_binding,
        one("projectreleasebinding:update"),
        ("deployment",),
        arguments={**NAMED, **CONFIGS},
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="update",
    ),
    Tool(
        "delete_project_release_binding",
        "Delete a project release binding",
        "Delete a binding and the namespace that it has made on the data plane.",
        delete_project_release_binding,
        one("projectreleasebinding:delete"),
        ("deployment",),
        arguments=NAMED,
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="delete",
    ),
)
