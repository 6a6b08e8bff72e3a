"""ComponentType: how one sort of component runs, as templates. ClusterComponentType is its cluster twin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.compiler.admission import component_type_errors
from catalog.kinds import refs
from catalog.kinds.base import Document, FieldError, Namespaced, Ref
from catalog.kinds.rules import from_compiler, immutable, invalid
from catalog.kinds.schema import Schema, array, enum, obj, raw
from catalog.kinds.shapes import name, schema_section, typed_ref
from catalog.kinds.templating import (
    both_forms_of_validations,
    loops_without_variable,
    post_render_rules,
    template,
    validation_rules,
)

WORKLOAD_TYPES = ("deployment", "statefulset", "cronjob", "job", "proxy")


def component_type_spec(*, cluster: bool) -> Schema:
    """The spec of ComponentType and ClusterComponentType; the latter may name only cluster kinds, and must say so."""
    if cluster:
        embedded_kind = enum("ClusterTrait", default="ClusterTrait")
        allowed_trait, allowed_workflow = typed_ref("ClusterTrait"), typed_ref("ClusterWorkflow")
    else:
        embedded_kind = enum("Trait", "ClusterTrait", default="Trait")
        allowed_trait = typed_ref("Trait", "ClusterTrait", default="Trait")
        allowed_workflow = typed_ref("Workflow", "ClusterWorkflow", default="ClusterWorkflow")
    embedded_trait = obj(
        {
            "kind": embedded_kind,
            "name!": name(),
            "instanceName!": name(),
            "parameters": raw(),
            "environmentConfigs": raw(),
        }
    )
    return obj(
        {
            "workloadType!": enum(*WORKLOAD_TYPES),
            "parameters": schema_section(),
            "environmentConfigs": schema_section(),
            "allowedWorkflows": array(allowed_workflow),
            "allowedTraits": array(allowed_trait),
            "traits": array(embedded_trait),
            "validations": validation_rules(),
            "preRenderValidations": validation_rules(),
            "postRenderValidations": post_render_rules(),
            "resources!": array(template(), min_items=1),
        }
    )


def component_type_violations(spec: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    """The rules of a component type's spec, also where a release has frozen it."""
    workload_type, resources = spec["workloadType"], spec["resources"]
    if workload_type != "proxy" and all(resource["id"] != workload_type for resource in resources):
        yield invalid(
            path,
            "resources must contain a primary resource with id matching workloadType (unless workloadType is 'proxy')",
            spec,
        )
    yield from both_forms_of_validations(spec, path)
    yield from loops_without_variable(resources, f"{path}.resources")
    yield from loops_without_variable(spec.get("postRenderValidations"), f"{path}.postRenderValidations")


def component_type_references(spec: Mapping[str, Any], namespace: str) -> Iterator[Ref]:
    """The traits that a type embeds, and those and the workflows that it allows."""
    yield from refs.to_all_typed(spec.get("traits"), namespace)
    yield from refs.to_all_typed(spec.get("allowedTraits"), namespace, "allowed_")
    yield from refs.to_all_typed(spec.get("allowedWorkflows"), namespace, "allowed_")


def workload_type_stays(spec_schema: Schema, old: Document | None, new: Document) -> Iterable[FieldError]:
    """The rule of both kinds about changes."""
    message = "spec.workloadType cannot be changed after creation"
    return immutable(spec_schema, old, new, "spec.workloadType", message)


class ComponentType(Namespaced):
    kind = "ComponentType"
    plural = "componenttypes"
    printer_columns = (("WorkloadType", "spec.workloadType"), ("Age", "metadata.creationTimestamp"))
    spec_schema = component_type_spec(cluster=False)

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        return component_type_references(spec, namespace)

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterator[FieldError]:
        yield from component_type_violations(new["spec"], "spec")
        yield from workload_type_stays(cls.spec_schema, old, new)

    @classmethod
    def content_violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return from_compiler(component_type_errors(new["spec"], cluster=False))
