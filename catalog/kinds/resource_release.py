"""ResourceRelease: an immutable snapshot of a resource's type and parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.compiler.admission import resource_release_errors
from catalog.kinds import refs
from catalog.kinds.base import Document, FieldError, Namespaced, Ref, reference_to
from catalog.kinds.resource_type import resource_type_spec, resource_type_violations
from catalog.kinds.rules import from_compiler, immutable
from catalog.kinds.schema import enum, obj, raw
from catalog.kinds.shapes import name, owner


class ResourceRelease(Namespaced):
    kind = "ResourceRelease"
    plural = "resourcereleases"
    printer_columns = (
        ("Project", "spec.owner.projectName"),
        ("Resource", "spec.owner.resourceName"),
        ("Age", "metadata.creationTimestamp"),
    )
    spec_schema = obj(
        {
            "owner!": owner("resourceName"),
            "resourceType!": obj(
                {"kind!": enum("ResourceType", "ClusterResourceType"), "name!": name(), "spec!": resource_type_spec()}
            ),
            "parameters": raw(),
        }
    )

    project = reference_to("Project")
    resource = reference_to("Resource")
    resource_type = reference_to("ResourceType")
    cluster_resource_type = reference_to("ClusterResourceType")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        yield from refs.to_owner(spec.get("owner"), namespace)
        yield from refs.to_typed(spec.get("resourceType"), namespace)

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterator[FieldError]:
        yield from immutable(cls.spec_schema, old, new, "spec", "ResourceRelease spec is immutable")
        yield from resource_type_violations(new["spec"]["resourceType"]["spec"], "spec.resourceType.spec")

    @classmethod
    def content_violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return from_compiler(resource_release_errors(new["spec"]) if old is None else ())
