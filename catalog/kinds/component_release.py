"""ComponentRelease: an immutable snapshot of all that a component is made of: type, traits, parameters, workload."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.compiler.admission import component_release_errors
from catalog.kinds import refs
from catalog.kinds.base import Document, FieldError, Namespaced, Ref, reference_to
from catalog.kinds.component_type import component_type_spec, component_type_violations
from catalog.kinds.container import dependencies_of, secrets_of, workload_fields, workload_violations
from catalog.kinds.rules import from_compiler, immutable
from catalog.kinds.schema import array, enum, obj, raw
from catalog.kinds.shapes import name, owner
from catalog.kinds.trait import trait_spec, trait_violations

TRAITS_MAX = 100
TRAIT_KINDS = ("Trait", "ClusterTrait")
FROZEN_FIELDS = ("owner", "componentType", "traits", "componentProfile", "workload")


class ComponentRelease(Namespaced):
    kind = "ComponentRelease"
    plural = "componentreleases"
    printer_columns = (
        ("Project", "spec.owner.projectName"),
        ("Component", "spec.owner.componentName"),
        ("Age", "metadata.creationTimestamp"),
    )
    spec_schema = obj(
        {
            "owner!": owner("componentName"),
            "componentType!": obj(
                {
                    "kind!": enum("ComponentType", "ClusterComponentType"),
                    "name!": name(),
                    # Snapshots of both kinds of type have the form of the namespaced one.
                    "spec!": component_type_spec(cluster=False),
                }
            ),
            "traits": array(
                obj({"kind!": enum(*TRAIT_KINDS), "name!": name(), "spec!": trait_spec()}), max_items=TRAITS_MAX
            ),
            "componentProfile": obj(
                {
                    "parameters": raw(),
                    "traits": array(
                        obj(
                            {
                                "kind!": enum(*TRAIT_KINDS),
                                "name!": name(),
                                "instanceName!": name(),
                                "parameters": raw(),
                            }
                        )
                    ),
                }
            ),
            "workload!": obj(workload_fields()),
        }
    )

    project = reference_to("Project")
    component = reference_to("Component")
    component_type = reference_to("ComponentType")
    cluster_component_type = reference_to("ClusterComponentType")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        workload = spec.get("workload") or {}
        yield from refs.to_owner(spec.get("owner"), namespace)
        yield from refs.to_component_type(spec.get("componentType"), namespace)
        yield from refs.to_all_typed(spec.get("traits"), namespace)
        yield from secrets_of(workload.get("container"), namespace)
        yield from dependencies_of(workload, namespace)

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterator[FieldError]:
        spec = new["spec"]
        for field in FROZEN_FIELDS:
            yield from immutable(cls.spec_schema, old, new, f"spec.{field}", f"spec.{field} is immutable")
        yield from immutable(
            cls.spec_schema,
            old,
            new,
            "spec.componentType.spec.workloadType",
            "spec.workloadType cannot be changed after creation",
        )
        yield from component_type_violations(spec["componentType"]["spec"], "spec.componentType.spec")
        for index, trait in enumerate(spec.get("traits") or ()):
            yield from trait_violations(trait["spec"], f"spec.traits[{index}].spec")
        yield from workload_violations(spec["workload"], "spec.workload")

    @classmethod
    def content_violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return from_compiler(component_release_errors(new["spec"]) if old is None else ())
