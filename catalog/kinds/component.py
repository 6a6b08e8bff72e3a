"""Component: one deployable of a project; its type, its traits, and how it is built and released."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.compiler.admission import component_errors
from catalog.kinds import refs
from catalog.kinds.base import Document, FieldError, Namespaced, Ref, reference_to
from catalog.kinds.rules import from_compiler, immutable
from catalog.kinds.schema import array, boolean, enum, obj, raw, raw_object, string
from catalog.kinds.shapes import name, owner, typed_ref

COMPONENT_TYPE_NAME = "^(deployment|statefulset|cronjob|job|proxy)/[a-z0-9]([-a-z0-9]*[a-z0-9])?$"


class Component(Namespaced):
    kind = "Component"
    plural = "components"
    finalizer = "openchoreo.dev/component-cleanup"
    printer_columns = (
        ("Project", "spec.owner.projectName"),
        ("ComponentType", "spec.componentType.name"),
        ("Age", "metadata.creationTimestamp"),
    )
    spec_schema = obj(
        {
            "owner!": owner(),
            "componentType!": typed_ref(
                "ComponentType",
                "ClusterComponentType",
                default="ComponentType",
                name_shape=string(pattern=COMPONENT_TYPE_NAME),
            ),
            "parameters": raw(),
            "traits": array(
                obj(
                    {
                        "kind": enum("Trait", "ClusterTrait", default="Trait"),
                        "name!": name(),
                        "instanceName!": name(),
                        "parameters": raw(),
                    }
                )
            ),
            "workflow": obj(
                {
                    "kind": enum("Workflow", "ClusterWorkflow", default="ClusterWorkflow"),
                    "name!": name(),
                    "parameters": raw_object(),
                }
            ),
            "autoDeploy": boolean(),
            "autoBuild": boolean(),
        }
    )

    project = reference_to("Project")
    component_type = reference_to("ComponentType")
    cluster_component_type = reference_to("ClusterComponentType")
    workflow = reference_to("Workflow")
    cluster_workflow = reference_to("ClusterWorkflow")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        yield from refs.to_owner(spec.get("owner"), namespace)
        yield from refs.to_component_type(spec.get("componentType"), namespace)
        yield from refs.to_all_typed(spec.get("traits"), namespace)
        yield from refs.to_typed(spec.get("workflow"), namespace)

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterator[FieldError]:
        schema = cls.spec_schema
        yield from immutable(schema, old, new, "spec.owner", "spec.owner is immutable")
        yield from immutable(
            schema, old, new, "spec.componentType", "spec.componentType cannot be changed after creation"
        )

    @classmethod
    def content_violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return from_compiler(component_errors(new["spec"]))
