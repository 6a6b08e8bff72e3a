"""Tools about projects."""

from __future__ import annotations

from catalog.api.collection import Draft
from catalog.mcp import objects
from catalog.mcp.declare import META, NAMESPACE, PAGE, WRITTEN, WRITTEN_ALWAYS, one, page_of, writes
from portal.access.endpoint import Call
from portal.mcp.arguments import OBJECT, TEXT, described, one_of
from portal.mcp.registry import Arguments, Document, Tool

NAMED: Document = {**NAMESPACE, "project_name": TEXT}


def list_projects(call: Call, given: Arguments) -> Document:
    return objects.listed(call, "Project", given, "projects")


def create_project(call: Call, given: Arguments) -> Document:
    """Without a pipeline or a type it gets the default ones."""
    spec: Document = {
        "deploymentPipelineRef": pipeline_reference(given.get("deployment_pipeline", "")),
        **objects.given_fields(given, parameters="parameters"),
    }
    if given.get("type_name") or given.get("type_kind"):
        spec["type"] = objects.typed(given.get("type_kind", ""), given.get("type_name", ""))
    return objects.written(objects.created(call, "Project", given, given["name"], spec), "created")


def update_project(call: Call, given: Arguments) -> Document:
    def edit(draft: Draft) -> None:
        if given.get("deployment_pipeline"):
            draft.spec["deploymentPipelineRef"] = pipeline_reference(given["deployment_pipeline"])

    stored = objects.changed(call, "Project", given, given["project_name"], edit)
    return objects.written(stored, "updated", deploymentPipelineRef=stored.spec["deploymentPipelineRef"]["name"])


def pipeline_reference(name: str) -> Document:
    return {"kind": "DeploymentPipeline", "name": name}


def delete_project(call: Call, given: Arguments) -> Document:
    return objects.deleted(call, "Project", given, given["project_name"])


TOOLS = (
    Tool(
        "list_projects",
        "List projects",
        "The projects of a namespace: pipeline, type, status.",
        list_projects,
        one("project:view"),
        ("project",),
        arguments={**NAMESPACE, **PAGE},
        required=("namespace_name",),
        result=page_of("projects"),
        always=("projects",),
    ),
    Tool(
        "create_project",
        "Create a project",
        "Create a project; pipeline and type have defaults.",
        create_project,
        one("project:create"),
        ("project",),
        arguments={
            **NAMESPACE,
            "name": TEXT,
            "deployment_pipeline": TEXT,
            "description": TEXT,
            "type_kind": one_of("ProjectType", "ClusterProjectType"),
            "type_name": TEXT,
            "parameters": described(OBJECT, "see get_project_type_schema"),
        },
        required=("namespace_name", "name"),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="create",
    ),
    Tool(
        "update_project",
        "Change a project",
        "Change a project's pipeline or texts.",
        update_project,
        one("project:update"),
        ("project",),
        arguments={**NAMED, "deployment_pipeline": TEXT, **META},
        required=tuple(NAMED),
        result=writes(deploymentPipelineRef=TEXT),
        always=WRITTEN_ALWAYS,
        effect="update",
    ),
    Tool(
        "delete_project",
        "Delete a project",
        "Delete a project with all that is in it.",
        delete_project,
        one("project:delete"),
        ("project",),
        arguments=NAMED,
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="delete",
    ),
)
