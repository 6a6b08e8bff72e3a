"""ProjectReleaseBinding: a project's release in one environment: it makes the cell that components run in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.kinds import refs
from catalog.kinds.base import Document, FieldError, Namespaced, Ref, reference_to
from catalog.kinds.rules import immutable
from catalog.kinds.schema import obj, raw, string
from catalog.kinds.shapes import name, owner

MADE_BY_ANNOTATION = "stagecraft.dev/made-by"
"""On the bindings that the Project controller makes; not on those that anyone has created."""


class ProjectReleaseBinding(Namespaced):
    kind = "ProjectReleaseBinding"
    plural = "projectreleasebindings"
    finalizer = "openchoreo.dev/projectreleasebinding-cleanup"
    printer_columns = (
        ("Project", "spec.owner.projectName"),
        ("Environment", "spec.environment"),
        ("Release", "spec.projectRelease"),
        ("Ready", "status.conditions[Ready].status"),
        ("Age", "metadata.creationTimestamp"),
    )
    spec_schema = obj(
        {
            "owner!": owner(),
            "environment!": name(),
            "projectRelease": string(),
            "environmentConfigs": raw(),
        }
    )

    project = reference_to("Project")
    environment = reference_to("Environment")
    project_release = reference_to("ProjectRelease")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        yield from refs.to_owner(spec.get("owner"), namespace)
        yield from refs.to("Environment", namespace, spec.get("environment"))
        yield from refs.to("ProjectRelease", namespace, spec.get("projectRelease"))

    def gives_way_to(self, spec: Mapping[str, Any]) -> bool:
        """Clients of the contract create these bindings themselves, right after the project."""
        same = all(spec.get(field) == self.spec[field] for field in ("owner", "environment"))
        return same and self.deleted_at is None and MADE_BY_ANNOTATION in self.annotations

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterator[FieldError]:
        for field in ("owner", "environment"):
            yield from immutable(cls.spec_schema, old, new, f"spec.{field}", f"spec.{field} is immutable")
