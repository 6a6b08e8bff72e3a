"""Resource: managed infrastructure that a project asks for by type: a database, a queue, a bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.kinds import refs
from catalog.kinds.base import Document, FieldError, Namespaced, Ref, reference_to
from catalog.kinds.rules import immutable
from catalog.kinds.schema import obj, raw, string
from catalog.kinds.shapes import DNS_LABEL, owner, typed_ref


class Resource(Namespaced):
    kind = "Resource"
    plural = "resources"
    finalizer = "openchoreo.dev/resource-cleanup"
    printer_columns = (
        ("Project", "spec.owner.projectName"),
        ("Type", "spec.type.name"),
        ("Age", "metadata.creationTimestamp"),
    )
    spec_schema = obj(
        {
            "owner!": owner(),
            "type!": typed_ref(
                "ResourceType",
                "ClusterResourceType",
                default="ResourceType",
                name_shape=string(min_length=1, pattern=DNS_LABEL),
            ),
            "parameters": raw(),
        }
    )

    project = reference_to("Project")
    resource_type = reference_to("ResourceType")
    cluster_resource_type = reference_to("ClusterResourceType")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        yield from refs.to_owner(spec.get("owner"), namespace)
        yield from refs.to_typed(spec.get("type"), namespace)

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterator[FieldError]:
        yield from immutable(cls.spec_schema, old, new, "spec.owner", "spec.owner is immutable")
        yield from immutable(cls.spec_schema, old, new, "spec.type", "spec.type cannot be changed after creation")
