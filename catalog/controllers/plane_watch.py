"""Which bindings a change of a data plane concerns: those in environments on that plane."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from catalog.controllers.planes import DEFAULT_PLANE
from catalog.controllers.registry import Watch
from catalog.kinds.base import PlatformObject
from catalog.kinds.environment import Environment
from catalog.kinds.registry import kind_named
from catalog.store.changes import Change
from catalog.store.references import referrers as references_to


def bindings_on_changed_plane() -> list[Watch]:
    """New, changed (not in status) and removed data planes concern the bindings in their environments."""

    def mapping(change: Change, watcher: str) -> Iterable[int]:
        manager: Any = kind_named(watcher).objects.system("reconcile")
        return manager.filter(environment__in=environments_on(change.obj)).values_list("id", flat=True)

    actions = frozenset({"created", "changed", "deleted"})
    return [Watch(kind, mapping, actions) for kind in ("DataPlane", "ClusterDataPlane")]


def environments_on(plane: PlatformObject) -> QuerySet[Environment]:
    """The environments that name the plane, or fall back to it."""
    named = references_to(plane.kind, plane.namespace_name, plane.name).filter(source_kind="Environment")
    concerned = Q(pk__in=named.values("source_id"))
    if plane.name == DEFAULT_PLANE:
        concerned |= Q(data_plane=None, cluster_data_plane=None)
    rows = Environment.objects.system("reconcile").filter(concerned)
    return rows.filter(namespace_id=plane.namespace_name) if plane.namespaced else rows
