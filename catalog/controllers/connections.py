"""Connections between components: the endpoints that a release depends on, and who waits for them.

A connection resolves through the binding of the provider in the same environment. Called by the ReleaseBinding
controller.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from catalog.compiler.component.connections import (
    connection_targets,
    endpoint_dependency_items,
    resolve_connection,
)
from catalog.compiler.documents import Document
from catalog.controllers.conditions import Condition, false, true
from catalog.controllers.dependants import dependants_of
from catalog.controllers.registry import Watch
from catalog.kinds.environment import Environment
from catalog.kinds.release_binding import ReleaseBinding
from catalog.store.changes import Change

CONDITION = "ConnectionsResolved"
Providers = defaultdict[tuple[str, str], list[Document]]
FindProviders = Callable[[list[Document], Environment], Providers]


@dataclass(frozen=True, slots=True)
class Connections:
    """How the connections of a binding stand, in the shapes of its status, and the items of its render."""

    targets: list[Document] = field(default_factory=list)
    resolved: list[Document] = field(default_factory=list)
    pending: list[Document] = field(default_factory=list)
    items: list[Document] = field(default_factory=list)

    def condition(self) -> Condition:
        """ConnectionsResolved."""
        if not self.targets:
            return true(CONDITION, "NoConnections", "No connections to resolve")
        if not self.pending:
            return true(CONDITION, "AllConnectionsResolved", f"All {len(self.resolved)} connections resolved")
        message = f"{len(self.pending)} connections pending, {len(self.resolved)} resolved"
        return false(CONDITION, "ConnectionsPending", message)


def resolve_connections(
    binding: ReleaseBinding, environment: Environment, workload: Document, find: FindProviders | None = None
) -> Connections:
    """Resolve what the release's workload depends on. One query, none without dependencies.

    `find` stands in for `providers_of`, for previews.
    """
    namespace, project = binding.namespace_name, binding.spec["owner"]["projectName"]
    targets = connection_targets(workload, namespace, project, environment.name)
    if not targets:
        return Connections()
    providers = (find or providers_of)(targets, environment)
    resolved, pending = [], []
    for target in targets:
        connection, waiting = resolve_connection(target, providers[target["project"], target["component"]])
        if connection is not None:
            resolved.append(connection)
        elif waiting is not None:
            pending.append(waiting)
    items = endpoint_dependency_items(workload, namespace, project, resolved)
    return Connections(targets, resolved, pending, items)


def providers_of(targets: Iterable[Document], environment: Environment) -> Providers:
    """The bindings of the targets' components in the environment, as `{spec, status}`, by project and component."""
    rows = ReleaseBinding.objects.system("reconcile").filter(
        environment_id=environment.pk, component__name__in={target["component"] for target in targets}
    )
    found: Providers = defaultdict(list)
    for spec, status in rows.order_by("name").values_list("spec", "status"):
        owner = spec["owner"]
        found[owner["projectName"], owner["componentName"]].append({"spec": spec, "status": status})
    return found


def consumers_of_endpoints() -> Watch:
    """A binding concerns those whose releases depend on its component, when its endpoints or its existence change."""

    def mapping(change: Change, watcher: str) -> Iterable[int]:
        if not has_news(change):
            return ()
        component = change.obj.spec["owner"]["componentName"]
        return dependants_of(change.obj, "Component", component, "connection")

    return Watch("ReleaseBinding", mapping)


def has_news(change: Change) -> bool:
    """Whether a change of a binding can change how connections to it resolve."""
    before = change.before or {}
    if change.action == "status":
        return bool(before["status"].get("endpoints") != change.obj.status.get("endpoints"))
    if change.action == "changed":
        return bool(before["spec"].get("state") != change.obj.spec.get("state"))
    return change.action in ("created", "deleted")
