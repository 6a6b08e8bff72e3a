"""ResourceReleaseBinding: a resource's release in one environment; its status carries the outputs that others use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.kinds import refs
from catalog.kinds.base import Document, FieldError, Namespaced, Ref, reference_to
from catalog.kinds.resource_type import RETAIN_POLICIES
from catalog.kinds.rules import immutable
from catalog.kinds.schema import enum, obj, raw, string
from catalog.kinds.shapes import name, owner


class ResourceReleaseBinding(Namespaced):
    kind = "ResourceReleaseBinding"
    plural = "resourcereleasebindings"
    finalizer = "openchoreo.dev/resourcereleasebinding-cleanup"
    printer_columns = (
        ("Project", "spec.owner.projectName"),
        ("Resource", "spec.owner.resourceName"),
        ("Environment", "spec.environment"),
        ("Release", "spec.resourceRelease"),
        ("Ready", "status.conditions[Ready].status"),
        ("Age", "metadata.creationTimestamp"),
    )
    spec_schema = obj(
        {
            "owner!": owner("resourceName"),
            "environment!": name(),
            "resourceRelease": string(),
            "retainPolicy": enum(*RETAIN_POLICIES),
            "resourceTypeEnvironmentConfigs": raw(),
        }
    )

    project = reference_to("Project")
    resource = reference_to("Resource")
    environment = reference_to("Environment")
    resource_release = reference_to("ResourceRelease")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        yield from refs.to_owner(spec.get("owner"), namespace)
        yield from refs.to("Environment", namespace, spec.get("environment"))
        yield from refs.to("ResourceRelease", namespace, spec.get("resourceRelease"))

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterator[FieldError]:
        for field in ("owner", "environment"):
            yield from immutable(cls.spec_schema, old, new, f"spec.{field}", f"spec.{field} is immutable")
