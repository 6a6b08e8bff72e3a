"""Project: a bounded context of components and resources; its type says what an environment's cell consists of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.kinds import refs
from catalog.kinds.base import Document, FieldError, Namespaced, Ref, reference_to
from catalog.kinds.rules import immutable
from catalog.kinds.schema import obj, raw, string
from catalog.kinds.shapes import DNS_LABEL, short_name, typed_ref


class Project(Namespaced):
    kind = "Project"
    plural = "projects"
    finalizer = "openchoreo.dev/project-cleanup"
    spec_schema = obj(
        {
            "deploymentPipelineRef!": typed_ref(
                "DeploymentPipeline", default="DeploymentPipeline", name_shape=short_name()
            ),
            "type!": typed_ref(
                "ProjectType",
                "ClusterProjectType",
                default="ProjectType",
                name_shape=string(min_length=1, pattern=DNS_LABEL),
            ),
            "parameters": raw(),
        }
    )

    deployment_pipeline = reference_to("DeploymentPipeline")
    project_type = reference_to("ProjectType")
    cluster_project_type = reference_to("ClusterProjectType")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        yield from refs.to_typed(spec.get("deploymentPipelineRef"), namespace)
        yield from refs.to_typed(spec.get("type"), namespace)

    @classmethod
    def prepare(cls, old: Document | None, new: Document) -> None:
        """An older form of the contract named the pipeline by a bare string; clients still send it."""
        pipeline = new["spec"].get("deploymentPipelineRef")
        if isinstance(pipeline, str):
            new["spec"]["deploymentPipelineRef"] = {"kind": "DeploymentPipeline", "name": pipeline}

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return immutable(cls.spec_schema, old, new, "spec.type", "spec.type cannot be changed after creation")
