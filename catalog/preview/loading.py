"""Reading owners with their bindings, many at a time, for previews of thousands with few queries and little memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from catalog.compiler.rendered import OBSERVABILITY_PLANE, rendered_release_name
from catalog.kinds.base import PlatformObject
from catalog.kinds.component import Component
from catalog.kinds.registry import kind_named
from catalog.kinds.rendered_release import RenderedRelease
from catalog.kinds.workload import Workload
from catalog.preview.comparing import Present
from catalog.preview.impact import OWNER_FIELDS, Named
from catalog.preview.world import World
from catalog.store.models import ObjectReference

CHUNK = 200
BINDING_OF = {
    "Component": "ReleaseBinding",
    "Project": "ProjectReleaseBinding",
    "Resource": "ResourceReleaseBinding",
}


@dataclass
class Batch:
    """Some owners of one kind and namespace, as the world has them, with all that hangs on them."""

    kind: str
    owners: list[Any]
    bindings: dict[Named, list[Any]] = field(default_factory=lambda: defaultdict(list))
    workloads: dict[Named, list[Workload]] = field(default_factory=lambda: defaultdict(list))
    present: Present = field(default_factory=lambda: Present(()))

    def workloads_of(self, component: Component) -> list[Workload]:
        """As `parts.workloads_of`."""
        project = component.spec["owner"]["projectName"]
        found = self.workloads[component.namespace_name, component.name]
        return [workload for workload in found if workload.spec["owner"]["projectName"] == project]


def batches(kind: str, owners: Sequence[Named], world: World) -> Iterator[Batch]:
    """Read owners in batches. Those that do not exist are left out."""
    by_namespace: dict[str, list[str]] = defaultdict(list)
    for namespace, name in owners:
        by_namespace[namespace].append(name)
    for namespace, names in by_namespace.items():
        remaining = iter(names)
        while some := list(islice(remaining, CHUNK)):
            yield load(kind, namespace, some, world)


def load(kind: str, namespace: str, names: list[str], world: World) -> Batch:
    """Read some owners with their bindings, workloads and rendered releases. Five or six queries."""
    manager: Any = kind_named(kind).objects.system("preview")
    rows = {row.name: row for row in manager.filter(namespace_id=namespace, name__in=names)}
    rows |= {obj.name: obj for obj in world.changed(kind) if obj.namespace_name == namespace and obj.name in names}
    batch = Batch(kind, [world.stand_in(rows[name]) for name in sorted(rows) if rows[name].deleted_at is None])
    add_bindings(batch, namespace, names, world)
    if kind == "Component":
        for workload in naming("Workload", kind, namespace, names, world):
            batch.workloads[namespace, workload.spec["owner"]["componentName"]].append(workload)
    return batch


def add_bindings(batch: Batch, namespace: str, names: list[str], world: World) -> None:
    """Read the bindings, and what is rendered for them."""
    kind = BINDING_OF[batch.kind]
    owner_field = OWNER_FIELDS[batch.kind]
    for binding in naming(kind, batch.kind, namespace, names, world):
        if binding.deleted_at is None:
            batch.bindings[namespace, binding.spec["owner"][owner_field]].append(binding)
    wanted = [name for bindings in batch.bindings.values() for one in bindings for name in release_names(one).values()]
    rows = RenderedRelease.objects.system("preview").filter(namespace_id=namespace, name__in=wanted)
    batch.present = Present(rows if batch.kind == "Resource" else rows.defer("status"))


def release_names(binding: PlatformObject) -> dict[str, str]:
    """The names of a binding's rendered releases, by plane."""
    owner, environment = binding.spec["owner"], binding.spec["environment"]
    names = {"dataplane": rendered_release_name(owner, environment)}
    if "componentName" in owner:
        names[OBSERVABILITY_PLANE] = rendered_release_name(owner, environment, OBSERVABILITY_PLANE)
    return names


def naming(kind: str, owner_kind: str, namespace: str, names: list[str], world: World) -> list[Any]:
    """The objects of a kind that belong to one of the owners, as the world has them, by name."""
    found = {row.name: row for row in stored_naming(kind, owner_kind, namespace, names)}
    for obj in world.changed(kind):
        if obj.namespace_name == namespace:
            found.pop(obj.name, None)
            if obj.spec["owner"].get(OWNER_FIELDS[owner_kind]) in names:
                found[obj.name] = obj
    return [found[name] for name in sorted(found)]


def stored_naming(kind: str, owner_kind: str, namespace: str, names: list[str]) -> list[Any]:
    """The stored objects of a kind that belong to one of the owners, whether these exist or not."""
    references = ObjectReference.objects.filter(
        source_kind=kind,
        role=owner_kind.lower(),
        target_kind=owner_kind,
        target_namespace=namespace,
        target_name__in=names,
    )
    manager: Any = kind_named(kind).objects.system("preview")
    return list(manager.filter(pk__in=references.values("source_id")))
