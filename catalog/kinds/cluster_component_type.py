"""ClusterComponentType: a ComponentType for all namespaces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.compiler.admission import component_type_errors
from catalog.kinds.base import ClusterScoped, Document, FieldError, Ref
from catalog.kinds.component_type import (
    component_type_references,
    component_type_spec,
    component_type_violations,
    workload_type_stays,
)
from catalog.kinds.rules import from_compiler


class ClusterComponentType(ClusterScoped):
    kind = "ClusterComponentType"
    plural = "clustercomponenttypes"
    printer_columns = (("WorkloadType", "spec.workloadType"), ("Age", "metadata.creationTimestamp"))
    spec_schema = component_type_spec(cluster=True)

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        return component_type_references(spec, namespace)

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterator[FieldError]:
        yield from component_type_violations(new["spec"], "spec")
        yield from workload_type_stays(cls.spec_schema, old, new)

    @classmethod
    def content_violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return from_compiler(component_type_errors(new["spec"], cluster=True))
