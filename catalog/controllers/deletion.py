"""Deletion as controllers do it: ask for the children's deletion, wait for the last of them, then let go.

A parent waits by events, not by polling: `when_child_is_gone` makes the end of a child wake a parent that is being
deleted itself. Nothing here decides what a parent's children are; each kind's controller says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from catalog import store
from catalog.controllers.registry import Watch
from catalog.kinds.base import PlatformObject
from catalog.kinds.registry import kind_named
from catalog.store.changes import Change
from portal.accounts.actor import Actor


def delete_all(objects: Iterable[PlatformObject], actor: Actor) -> list[PlatformObject]:
    """Ask for the deletion of each object once; return those that are still there because of a finalizer."""
    remaining = []
    for obj in objects:
        if obj.deleted_at is not None:
            remaining.append(obj)
            continue
        try:
            held = store.delete(obj.kind, obj.namespace_name, obj.name, actor)
        except store.NotFound:
            continue
        if held.finalizers:
            remaining.append(held)
    return remaining


def when_child_is_gone(kind: str, role: str) -> Watch:
    """The end of an object of `kind` concerns its parent by the foreign key `role`, if that is being deleted."""

    def mapping(change: Change, watcher: str) -> Iterable[int]:
        parent = getattr(change.obj, f"{role}_id")
        if parent is None:
            return ()
        manager: Any = kind_named(watcher).objects.system("reconcile")
        return manager.filter(pk=parent, deleted_at__isnull=False).values_list("id", flat=True)

    return Watch(kind, mapping, frozenset({"deleted"}))


def deleting_in_namespace_of(kind: str, *actions: str) -> Watch:
    """A change of an object of `kind` concerns all of the controller's kind in its namespace that are being deleted.

    For those who wait until nobody refers to them: after the change the former reference is gone without a trace.
    """

    def mapping(change: Change, watcher: str) -> Iterable[int]:
        model = kind_named(watcher)
        rows: Any = model.objects.system("reconcile").filter(deleted_at__isnull=False)
        if model.namespaced:
            rows = rows.filter(namespace_id=change.obj.namespace_name)
        return rows.values_list("id", flat=True)

    return Watch(kind, mapping, frozenset(actions))
