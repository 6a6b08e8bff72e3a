"""Namespace: active as it is; when it is deleted, everything in it goes first, in an order that lets all clean up.

Status: `phase` (Active, Terminating). While things remain, the condition NamespaceContentRemaining
(SomeResourcesRemain) names them, as Kubernetes does. New objects are refused meanwhile (`catalog.store`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from catalog import store
from catalog.controllers.conditions import true, with_conditions
from catalog.controllers.deletion import delete_all
from catalog.controllers.registry import Result, Watch, controller
from catalog.kinds.base import PlatformObject
from catalog.kinds.namespace import Namespace
from catalog.kinds.registry import KINDS
from catalog.store.changes import Change
from portal.accounts.actor import system

ACTOR = system("namespace-controller")

FIRST: tuple[tuple[str, ...], ...] = (
    ("WorkflowRun", "Component", "Resource", "ReleaseBinding", "ResourceReleaseBinding"),
    ("Project", "ProjectReleaseBinding"),
    ("RenderedRelease",),
    ("DeploymentPipeline",),
    ("Environment",),
)
"""What runs, the cells it runs in, what is left on planes, then those who hold the places together.

Each needs the later ones to clean up: a rendered release its environment, an environment its plane.
"""


def stages() -> Iterable[tuple[type[PlatformObject], ...]]:
    """All namespaced kinds, in the order of their deletion."""
    for names in FIRST:
        yield tuple(model for model in KINDS if model.kind in names)
    staged = {name for names in FIRST for name in names}
    yield tuple(model for model in KINDS if model.namespaced and model.kind not in staged)


def terminating_namespace_of(change: Change, watcher: str) -> Iterable[int]:
    """The namespace that an object was deleted from, if it is being deleted too."""
    rows = Namespace.objects.system("reconcile").filter(name=change.obj.namespace_name, deleted_at__isnull=False)
    return rows.values_list("id", flat=True)


CONTENT = [Watch(model.kind, terminating_namespace_of, frozenset({"deleted"})) for model in KINDS if model.namespaced]


@controller("Namespace", watches=CONTENT)
def reconcile(namespace: Namespace) -> Result:
    """One look: say that it is active, or delete the next stage of its content and let it go when empty."""
    with store.transaction():
        if namespace.deleted_at is None:
            store.write_status(namespace, {**namespace.status, "phase": "Active"}, ACTOR)
        else:
            finalize(namespace)
    return Result()


def finalize(namespace: Namespace) -> None:
    """Delete stage by stage; the namespace waits for each."""
    for models in stages():
        remaining = [obj for model in models for obj in delete_all(content_of(namespace, model), ACTOR)]
        if remaining:
            condition = true("NamespaceContentRemaining", "SomeResourcesRemain", words_for(remaining))
            status = with_conditions(namespace, [condition])
            store.write_status(namespace, {**status, "phase": "Terminating"}, ACTOR)
            return
    store.remove_finalizer(namespace, Namespace.finalizer, ACTOR)


def content_of(namespace: Namespace, model: type[PlatformObject]) -> Iterable[PlatformObject]:
    """The objects of a kind in the namespace."""
    manager: Any = model.objects.system("reconcile")
    found: Iterable[PlatformObject] = manager.filter(namespace_id=namespace.name)
    return found


def words_for(remaining: Iterable[PlatformObject]) -> str:
    """What remains, counted by kind."""
    counts: dict[str, int] = {}
    for obj in remaining:
        counts[obj.plural] = counts.get(obj.plural, 0) + 1
    listed = ", ".join(f"{plural} has {count} resource instances" for plural, count in counts.items())
    return f"Some resources are remaining: {listed}"
