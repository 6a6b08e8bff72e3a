"""Projects: a new one gets the default pipeline and the default type."""

from __future__ import annotations

from catalog.api.collection import Collection, Draft
from catalog.kinds.project import Project


def structure_pipeline(draft: Draft) -> None:
    """The bare pipeline name of an older form of the contract, as the object it stands for."""
    pipeline = draft.spec.get("deploymentPipelineRef")
    if isinstance(pipeline, str):
        draft.spec["deploymentPipelineRef"] = {"kind": "DeploymentPipeline", "name": pipeline}


def set_defaults(draft: Draft) -> None:
    """`DeploymentPipeline/default` and `ClusterProjectType/default` where nothing is named."""
    pipeline, project_type = draft.spec["deploymentPipelineRef"], draft.spec["type"]
    if not pipeline.get("name"):
        draft.spec["deploymentPipelineRef"] = {"kind": "DeploymentPipeline", "name": "default"}
    if not project_type.get("name") and not project_type.get("kind"):
        draft.spec["type"] = {"kind": "ClusterProjectType", "name": "default"}


COLLECTION = Collection(Project, shape=structure_pipeline, on_create=set_defaults)
