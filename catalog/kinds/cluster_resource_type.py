"""ClusterResourceType: a ResourceType for all namespaces."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.kinds.base import ClusterScoped, Document, FieldError
from catalog.kinds.resource_type import resource_type_spec, resource_type_violations


class ClusterResourceType(ClusterScoped):
    kind = "ClusterResourceType"
    plural = "clusterresourcetypes"
    printer_columns = (("Age", "metadata.creationTimestamp"),)
    spec_schema = resource_type_spec()

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return resource_type_violations(new["spec"], "spec")
