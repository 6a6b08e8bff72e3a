"""Reading one object by name."""

from __future__ import annotations

from typing import Any

from catalog.kinds.base import PlatformObject
from catalog.kinds.registry import kind_named
from catalog.store.errors import NotFound


def get_or_none(kind: str, namespace: str, name: str) -> PlatformObject | None:
    """The object, or None. `namespace` is ignored for cluster kinds."""
    model = kind_named(kind)
    if "\0" in namespace or "\0" in name:
        return None  # PostgreSQL refuses to even look for it
    rows: Any = model.objects.system("by name: who shows it asks the engine first").filter(name=name)
    if model.namespaced:
        rows = rows.filter(namespace_id=namespace)
    found: PlatformObject | None = next(iter(rows.order_by()), None)  # names are unique: nothing to put into order
    return found


def get(kind: str, namespace: str, name: str) -> PlatformObject:
    """The object; raises `NotFound`."""
    found = get_or_none(kind, namespace, name)
    if found is None:
        raise NotFound(kind, namespace, name)
    return found
