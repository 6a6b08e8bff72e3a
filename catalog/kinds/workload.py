"""Workload: what a component runs in every environment: its container, its endpoints, what it depends on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.kinds import refs
from catalog.kinds.base import Document, FieldError, Namespaced, Ref, reference_to
from catalog.kinds.container import dependencies_of, secrets_of, workload_fields, workload_violations
from catalog.kinds.rules import immutable
from catalog.kinds.schema import obj
from catalog.kinds.shapes import owner


class Workload(Namespaced):
    kind = "Workload"
    plural = "workloads"
    printer_columns = (
        ("Project", "spec.owner.projectName"),
        ("Component", "spec.owner.componentName"),
        ("Age", "metadata.creationTimestamp"),
    )
    spec_schema = obj({"owner!": owner("componentName"), **workload_fields()})

    project = reference_to("Project")
    component = reference_to("Component")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        yield from refs.to_owner(spec.get("owner"), namespace)
        yield from secrets_of(spec.get("container"), namespace)
        yield from dependencies_of(spec, namespace)

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterator[FieldError]:
        yield from immutable(cls.spec_schema, old, new, "spec.owner", "spec.owner is immutable")
        yield from workload_violations(new["spec"], "spec")
