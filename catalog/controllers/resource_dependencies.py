"""Dependencies on resources: the outputs that a release takes from databases, queues and the like, and who waits.

The twin of `connections`, for ResourceReleaseBindings of the same project and environment. Called by the
ReleaseBinding controller.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from catalog.compiler.component.resource_dependencies import (
    declared_resources,
    resolve_resource_dependency,
    resource_dependency_targets,
)
from catalog.compiler.documents import Document
from catalog.controllers.conditions import Condition, false, true
from catalog.controllers.dependants import dependants_of
from catalog.controllers.registry import Watch
from catalog.kinds.environment import Environment
from catalog.kinds.release_binding import ReleaseBinding
from catalog.kinds.resource_release_binding import ResourceReleaseBinding
from catalog.store.changes import Change

CONDITION = "ResourceDependenciesReady"
Providers = defaultdict[str, list[Document]]
FindProviders = Callable[[list[Document], str, Environment], Providers]


@dataclass(frozen=True, slots=True)
class ResourceDependencies:
    """How the resource dependencies of a binding stand, in the shapes of its status, and the items of its render."""

    targets: list[Document] = field(default_factory=list)
    pending: list[Document] = field(default_factory=list)
    items: list[Document] = field(default_factory=list)

    def condition(self) -> Condition:
        """ResourceDependenciesReady."""
        total, pending = len(self.targets), len(self.pending)
        if not total:
            return true(CONDITION, "NoResourceDependencies", "No resource dependencies to resolve")
        if not pending:
            return true(CONDITION, "AllResourceDependenciesReady", f"All {total} resource dependencies resolved")
        message = f"{pending} resource dependencies pending, {total - pending} resolved"
        return false(CONDITION, "ResourceDependenciesPending", message)


def resolve_resource_dependencies(
    binding: ReleaseBinding, environment: Environment, workload: Document, find: FindProviders | None = None
) -> ResourceDependencies:
    """Resolve what the release's workload takes from resources. One query, none without dependencies.

    `find` stands in for `providers_of`, for previews.
    """
    project = binding.spec["owner"]["projectName"]
    targets = resource_dependency_targets(workload, binding.namespace_name, project, environment.name)
    if not targets:
        return ResourceDependencies()
    providers = (find or providers_of)(targets, project, environment)
    pending, items = [], []
    for declared, target in zip(declared_resources(workload), targets, strict=True):
        item, waiting = resolve_resource_dependency(declared, target, providers[target["resourceName"]])
        if item is not None:
            items.append(item)
        elif waiting is not None:
            pending.append(waiting)
    return ResourceDependencies(targets, pending, items)


def providers_of(targets: Iterable[Document], project: str, environment: Environment) -> Providers:
    """The bindings of the targets' resources in the environment, as documents, by resource."""
    rows = ResourceReleaseBinding.objects.system("reconcile").filter(
        environment_id=environment.pk, resource__name__in={target["resourceName"] for target in targets}
    )
    found: Providers = defaultdict(list)
    for name, generation, spec, status in rows.order_by("name").values_list("name", "generation", "spec", "status"):
        if spec["owner"]["projectName"] == project:
            metadata = {"name": name, "generation": generation}
            found[spec["owner"]["resourceName"]].append({"metadata": metadata, "spec": spec, "status": status})
    return found


def consumers_of_outputs() -> Watch:
    """A resource's binding concerns those whose releases use the resource, when what they see of it changes."""

    def mapping(change: Change, watcher: str) -> Iterable[int]:
        if not has_news(change):
            return ()
        resource = change.obj.spec["owner"]["resourceName"]
        return dependants_of(change.obj, "Resource", resource, "resource_dependency")

    return Watch("ResourceReleaseBinding", mapping)


def has_news(change: Change) -> bool:
    """Whether a change can change how dependencies on the resource resolve.

    A change of the spec alone cannot: consumers keep what they have until the outputs or the readiness are new.
    """
    if change.action == "status":
        before, after = (change.before or {})["status"], change.obj.status
        return bool(before.get("outputs") != after.get("outputs") or readiness(before) != readiness(after))
    return change.action in ("created", "deleted")


def readiness(status: Document) -> str:
    """The status of the Ready condition, "" if there is none."""
    found = (item["status"] for item in status.get("conditions") or () if item["type"] == "Ready")
    return next(found, "")
