"""The parts that a component's release freezes: its type, the traits in use, its workload.

Read by the Component controller, which reports what is missing as conditions, and by `cut.generate_release`, which
refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from catalog.kinds.base import Document, PlatformObject
from catalog.kinds.cluster_trait import ClusterTrait
from catalog.kinds.component import Component
from catalog.kinds.trait import Trait
from catalog.kinds.workload import Workload


@dataclass(frozen=True, slots=True)
class Parts:
    """What a release of a component is made of. `traits` are those embedded and those used, each once."""

    component_type: PlatformObject
    traits: tuple[PlatformObject, ...]
    workload: Workload


class TraitMissing(LookupError):
    """A trait that the type embeds or the component uses does not exist."""

    def __init__(self, kind: str, name: str) -> None:
        self.kind, self.name = kind, name
        super().__init__(f'Trait "{name}" not found')


def type_reference(component: Component) -> tuple[str, str, str]:
    """Kind, workload type and name of the component's type; the reference writes the last two as one."""
    reference = component.spec["componentType"]
    workload_type, _, name = reference["name"].partition("/")
    return reference.get("kind") or "ComponentType", workload_type, name


def component_type_of(component: Component) -> PlatformObject | None:
    """The ComponentType or ClusterComponentType, or None."""
    found: PlatformObject | None = component.cluster_component_type or component.component_type
    return found


def workloads_of(component: Component) -> list[Workload]:
    """The workloads whose owner is this component of this project."""
    project = component.spec["owner"]["projectName"]
    rows = Workload.objects.system("release").filter(component_id=component.pk).order_by("name")
    return [workload for workload in rows if workload.spec["owner"]["projectName"] == project]


def traits_of(component: Component, component_type: PlatformObject) -> tuple[PlatformObject, ...]:
    """The traits that the type embeds and the component uses. Raises `TraitMissing` for the first that is not there."""
    wanted = list(dict.fromkeys(trait_references(component_type.spec, component.spec)))
    found = traits_named(component.namespace_name, wanted)
    for kind, name in wanted:
        if (kind, name) not in found:
            raise TraitMissing(kind, name)
    return tuple(found[reference] for reference in wanted)


def traits_named(namespace: str, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], PlatformObject]:
    """Those traits of these kinds and names that there are, by kind and name. A query for each kind, if need be."""
    references = list(wanted)
    found: dict[tuple[str, str], PlatformObject] = {}
    for kind, rows in (
        ("Trait", Trait.objects.system("release").filter(namespace_id=namespace)),
        ("ClusterTrait", ClusterTrait.objects.system("release")),
    ):
        names = [name for wanted_kind, name in references if wanted_kind == kind]
        if names:
            found |= {(kind, trait.name): trait for trait in _named(rows, names)}
    return found


def trait_references(*specs: Document) -> Iterator[tuple[str, str]]:
    """Kind and name of each trait in the specs of a type and of a component."""
    for spec in specs:
        for trait in spec.get("traits") or ():
            yield trait.get("kind") or "Trait", trait["name"]


def _named(rows: Any, names: list[str]) -> Iterator[PlatformObject]:
    yield from rows.filter(name__in=names)
