"""ProjectRelease: an immutable snapshot of a project's type and parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.kinds import refs
from catalog.kinds.base import Document, FieldError, Namespaced, Ref, reference_to
from catalog.kinds.project_type import project_type_spec, project_type_violations
from catalog.kinds.rules import immutable
from catalog.kinds.schema import enum, obj, raw
from catalog.kinds.shapes import name, owner


class ProjectRelease(Namespaced):
    kind = "ProjectRelease"
    plural = "projectreleases"
    printer_columns = (("Project", "spec.owner.projectName"), ("Age", "metadata.creationTimestamp"))
    spec_schema = obj(
        {
            "owner!": owner(),
            "projectType!": obj(
                {"kind!": enum("ProjectType", "ClusterProjectType"), "name!": name(), "spec!": project_type_spec()}
            ),
            "parameters": raw(),
        }
    )

    project = reference_to("Project")
    project_type = reference_to("ProjectType")
    cluster_project_type = reference_to("ClusterProjectType")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        yield from refs.to_owner(spec.get("owner"), namespace)
        yield from refs.to_typed(spec.get("projectType"), namespace)

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterator[FieldError]:
        yield from immutable(cls.spec_schema, old, new, "spec", "ProjectRelease spec is immutable")
        yield from project_type_violations(new["spec"]["projectType"]["spec"], "spec.projectType.spec")
