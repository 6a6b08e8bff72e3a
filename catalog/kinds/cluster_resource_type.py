"""ClusterResourceType: a ResourceType for all namespaces."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.compiler.admission import resource_type_errors
from catalog.kinds.base import ClusterScoped, Document, FieldError
from catalog.kinds.resource_type import resource_type_spec, resource_type_violations
from catalog.kinds.rules import from_compiler


class ClusterResourceType(ClusterScoped):
    kind = "ClusterResourceType"
    plural = "clusterresourcetypes"
    printer_columns = (("Age", "metadata.creationTimestamp"),)
    spec_schema = resource_type_spec()

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return resource_type_violations(new["spec"], "spec")

    @classmethod
    def content_violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return from_compiler(resource_type_errors(new["spec"]))
