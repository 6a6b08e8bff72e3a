"""Tools about environments, and the pipelines that lead from one to the next."""

from __future__ import annotations

from typing import Any

from catalog.api.collection import Draft
from catalog.mcp import objects
from catalog.mcp.declare import META, NAMESPACE, PAGE, WRITTEN, WRITTEN_ALWAYS, one, page_of
from portal.access.endpoint import Call
from portal.mcp.arguments import FLAG, ITEMS, TEXT, described, one_of
from portal.mcp.registry import Arguments, Document, Tool

NAMED: Document = {**NAMESPACE, "name": TEXT}
PATH: Document = {
    "type": "object",
    "properties": {
        "source_environment_ref": TEXT,
        "target_environment_refs": {
            "type": "array",
            "items": {"type": "object", "properties": {"name": TEXT}, "required": ["name"]},
        },
    },
    "required": ["source_environment_ref", "target_environment_refs"],
}
PATHS: Document = {"promotion_paths": {"type": "array", "items": PATH}}


def list_environments(call: Call, given: Arguments) -> Document:
    return objects.listed(call, "Environment", given, "environments")


def create_environment(call: Call, given: Arguments) -> Document:
    kind = given.get("data_plane_ref_kind") or "DataPlane"
    spec = {
        "dataPlaneRef": {"kind": kind, "name": given["data_plane_ref"]},
        "isProduction": given.get("is_production", False),
    }
    return objects.written(objects.created(call, "Environment", given, given["name"], spec), "created")


def update_environment(call: Call, given: Arguments) -> Document:
    def edit(draft: Draft) -> None:
        draft.spec.update(objects.given_fields(given, isProduction="is_production"))

    return objects.written(objects.changed(call, "Environment", given, given["name"], edit), "updated")


def delete_environment(call: Call, given: Arguments) -> Document:
    return objects.deleted(call, "Environment", given, given["name"])


def list_deployment_pipelines(call: Call, given: Arguments) -> Document:
    return objects.listed(call, "DeploymentPipeline", given, "deployment_pipelines")


def get_deployment_pipeline(call: Call, given: Arguments) -> Document:
    return objects.detailed(call, "DeploymentPipeline", given, given["name"])


def create_deployment_pipeline(call: Call, given: Arguments) -> Document:
    spec = {"promotionPaths": paths_of(given.get("promotion_paths", []))}
    return objects.written(objects.created(call, "DeploymentPipeline", given, given["name"], spec), "created")


def update_deployment_pipeline(call: Call, given: Arguments) -> Document:
    def edit(draft: Draft) -> None:
        if "promotion_paths" in given:
            draft.spec["promotionPaths"] = paths_of(given["promotion_paths"])

    return objects.written(objects.changed(call, "DeploymentPipeline", given, given["name"], edit), "updated")


def paths_of(sent: list[Any]) -> list[Document]:
    """Promotion paths as the spec has them."""
    return [
        {
            "sourceEnvironmentRef": environment_reference(path["source_environment_ref"]),
            "targetEnvironmentRefs": [environment_reference(item["name"]) for item in path["target_environment_refs"]],
        }
        for path in sent
    ]


def environment_reference(name: str) -> Document:
    return {"kind": "Environment", "name": name}


def delete_deployment_pipeline(call: Call, given: Arguments) -> Document:
    return objects.deleted(call, "DeploymentPipeline", given, given["name"])


TOOLS = (
    Tool(
        "list_environments",
        "List environments",
        "The environments of a namespace: production or not, data plane, status.",
        list_environments,
        one("environment:view"),
        ("deployment", "pe"),
        arguments={**NAMESPACE, **PAGE},
        required=("namespace_name",),
        result=page_of("environments"),
        always=("environments",),
    ),
    Tool(
        "create_environment",
        "Create an environment",
        "Create an environment on a data plane, for good.",
        create_environment,
        one("environment:create"),
        ("pe",),
        arguments={
            **NAMED,
            "data_plane_ref": described(TEXT, "see list_dataplanes"),
            "data_plane_ref_kind": one_of("DataPlane", "ClusterDataPlane"),
            "is_production": FLAG,
            **META,
        },
        required=("namespace_name", "name", "data_plane_ref"),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="create",
    ),
    Tool(
        "update_environment",
        "Change an environment",
        "Change an environment; its data plane stays.",
        update_environment,
        one("environment:update"),
        ("pe",),
        arguments={**NAMED, "is_production": FLAG, **META},
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="update",
    ),
    Tool(
        "delete_environment",
        "Delete an environment",
        "Delete an environment that no pipeline names.",
        delete_environment,
        one("environment:delete"),
        ("pe",),
        arguments=NAMED,
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="delete",
    ),
    Tool(
        "list_deployment_pipelines",
        "List deployment pipelines",
        "The deployment pipelines of a namespace.",
        list_deployment_pipelines,
        one("deploymentpipeline:view"),
        ("deployment",),
        arguments={**NAMESPACE, **PAGE},
        required=("namespace_name",),
        result=page_of("deployment_pipelines"),
        always=("deployment_pipelines",),
    ),
    Tool(
        "get_deployment_pipeline",
        "Get a deployment pipeline",
        "The order of environments along which releases are promoted.",
        get_deployment_pipeline,
        one("deploymentpipeline:view"),
        ("deployment",),
        arguments=NAMED,
        required=tuple(NAMED),
        result={"name": TEXT, "promotionPaths": ITEMS},
        always=("name",),
    ),
    Tool(
        "create_deployment_pipeline",
        "Create a deployment pipeline",
        "Create an order of environments.",
        create_deployment_pipeline,
        one("deploymentpipeline:create"),
        ("pe",),
        arguments={**NAMED, **PATHS, **META},
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="create",
    ),
    Tool(
        "update_deployment_pipeline",
        "Change a deployment pipeline",
        "Change a pipeline; promotion_paths replaces all.",
        update_deployment_pipeline,
        one("deploymentpipeline:update"),
        ("pe",),
        arguments={**NAMED, **PATHS, **META},
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="update",
    ),
    Tool(
        "delete_deployment_pipeline",
        "Delete a deployment pipeline",
        "Delete a pipeline.",
        delete_deployment_pipeline,
        one("deploymentpipeline:delete"),
        ("pe",),
        arguments=NAMED,
        required=tuple(NAMED),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="delete",
    ),
)
