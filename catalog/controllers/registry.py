"""Which controller looks after which kind, and whose changes concern it.

A controller is a module of this package with a function `reconcile(obj) -> Result`. It registers by

    @controller("Component", watches=[referrers("ComponentType"), owner_of("Workload", "component")])
    def reconcile(component): ...

and from then on every accepted change of a Component, and of what it watches, marks the Component as due inside the
transaction of the change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import import_module
from typing import Any

from django.db import transaction

from catalog.controllers import work
from catalog.kinds.base import PlatformObject
from catalog.kinds.registry import kind_named
from catalog.store.changes import Change, is_listening, listen
from catalog.store.references import referrers as references_to
from portal.accounts.actor import Actor
from portal.prepared import Statement, statement

MODULES: list[str] = [
    "catalog.controllers.component",
    "catalog.controllers.release_binding",
    "catalog.controllers.rendered_release",
    "catalog.controllers.project",
    "catalog.controllers.project_release_binding",
    "catalog.controllers.resource",
    "catalog.controllers.resource_release_binding",
    "catalog.controllers.environment",
    "catalog.controllers.deployment_pipeline",
    "catalog.controllers.data_plane",
    "catalog.controllers.workflow_plane",
    "catalog.controllers.observability_plane",
    "catalog.controllers.namespace",
    "catalog.controllers.notification_channel",
]
"""Modules with controllers; `connect` imports them. Other layers add theirs with `add_module`."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a look at an object came to. `again_after`: look again then, even if nothing changes."""

    again_after: timedelta | None = None


Reconcile = Callable[[Any], Result]
Mapping = Callable[[Change, str], Iterable[int]]
"""From a change of the watched kind and the controller's kind to the primary keys of the objects concerned."""


@dataclass(frozen=True, slots=True)
class Watch:
    """Changes of `kind` concern the objects that `mapping` finds. `actions` narrows it, for example to ("status",)."""

    kind: str
    mapping: Mapping
    actions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Controller:
    kind: str
    reconcile: Reconcile
    watches: tuple[Watch, ...]
    related: tuple[str, ...] = ()


_controllers: dict[str, Controller] = {}
_watchers: dict[str, list[tuple[str, Watch]]] = defaultdict(list)


def controller(
    kind: str, watches: Sequence[Watch] = (), related: Sequence[str] = ()
) -> Callable[[Reconcile], Reconcile]:
    """Register a reconcile function for a kind.

    `related` names the foreign keys that a look follows; their objects are read with the object, in one query.
    """

    def register(reconcile: Reconcile) -> Reconcile:
        if kind in _controllers:
            raise ValueError(f"{kind} has a controller already")
        _controllers[kind] = Controller(kind, reconcile, tuple(watches), tuple(related))
        for watch in watches:
            _watchers[watch.kind].append((kind, watch))
        return reconcile

    return register


def controller_of(kind: str) -> Controller | None:
    return _controllers.get(kind)


def referrers(kind: str, *, role: str = "", actions: Iterable[str] = ()) -> Watch:
    """A change of an object of `kind` concerns those that refer to it, in `role` if one is given."""

    @cache
    def referring(watcher: str) -> Statement:
        of = {"source_kind": watcher, **({"role": role} if role else {})}
        return statement(
            lambda *target: references_to(*target).filter(**of).values_list("source_id").distinct(),
            "kind", "namespace", "name",
        )  # fmt: skip

    def mapping(change: Change, watcher: str) -> Iterable[int]:
        obj = change.obj
        rows = referring(watcher).rows(kind=obj.kind, namespace=obj.namespace_name, name=obj.name)
        return [identity for (identity,) in rows]

    return Watch(kind, mapping, frozenset(actions))


def owner_of(kind: str, role: str, *, actions: Iterable[str] = ()) -> Watch:
    """A change of an object of `kind` concerns the object that it points to by the foreign key `role`."""

    def mapping(change: Change, watcher: str) -> Iterable[int]:
        identity = getattr(change.obj, f"{role}_id")
        return () if identity is None else (identity,)

    return Watch(kind, mapping, frozenset(actions))


def owner_reference_of(kind: str, *, actions: Iterable[str] = ()) -> Watch:
    """A change of an object of `kind` concerns the object of the controller's kind in its ownerReferences."""

    def mapping(change: Change, watcher: str) -> Iterable[int]:
        uids = [item.get("uid") for item in change.obj.owner_references if item.get("kind") == watcher]
        if not uids:
            return ()
        manager: Any = kind_named(watcher).objects.system("reconcile")
        return manager.filter(uid__in=uids).values_list("id", flat=True)

    return Watch(kind, mapping, frozenset(actions))


def by_others(actor: Actor, watch: Watch) -> Watch:
    """The same watch, deaf to the changes that `actor` makes: a controller knows what it has just written."""

    def mapping(change: Change, watcher: str) -> Iterable[int]:
        return () if change.actor.name == actor.name else watch.mapping(change, watcher)

    return Watch(watch.kind, mapping, watch.actions)


def on_change(change: Change) -> None:
    """Mark what a change concerns. Runs inside the transaction of the change."""
    obj: PlatformObject = change.obj
    due: list[tuple[str, int]] = []
    if change.action == "deleted":
        work.forget(obj.kind, int(obj.pk))
    elif change.action != "status" and obj.kind in _controllers:
        # A controller's own status is no news to itself.
        due.append((obj.kind, int(obj.pk)))
    for watcher, watch in _watchers.get(obj.kind, ()):
        if not watch.actions or change.action in watch.actions:
            due += [(watcher, identity) for identity in watch.mapping(change, watcher)]
    if due:
        work.mark_due(due)
        wake_workers()


def wake_workers() -> None:
    """Send one message after commit, unless one is on its way."""
    from catalog.controllers.tasks import send_wake_up

    hooks = transaction.get_connection().run_on_commit
    if not any(hook[1] is send_wake_up for hook in hooks):
        transaction.on_commit(send_wake_up, robust=True)


def add_module(name: str) -> None:
    """Let another layer bring a controller; called while Django starts, before or after `connect`."""
    if name not in MODULES:
        MODULES.append(name)
        if is_connected():
            import_module(name)


def is_connected() -> bool:
    """Whether the controllers listen already."""
    return is_listening(on_change)


def connect() -> None:
    """Import the controllers and begin to listen."""
    for name in MODULES:
        import_module(name)
    listen(on_change)
