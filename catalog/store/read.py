"""Reading one object by name."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.db import connection

from catalog.kinds.base import PlatformObject
from catalog.kinds.registry import kind_named
from catalog.store.errors import NotFound
from portal.prepared import Prepared, prepare


def get_or_none(kind: str, namespace: str, name: str, only: tuple[str, ...] = ()) -> PlatformObject | None:
    """The object, or None. `namespace` is ignored for cluster kinds. With `only` the other columns cost a query when
    they are asked for."""
    if "\0" in namespace or "\0" in name:
        return None  # PostgreSQL refuses to even look for it
    model = kind_named(kind)
    named = {"namespace": namespace, "name": name} if model.namespaced else {"name": name}
    found: PlatformObject | None = by_name(model, only, connection.alias).row(**named)
    return found


@cache
def by_name(model: type[PlatformObject], only: tuple[str, ...], alias: str) -> Prepared:
    rows: Any = model.objects.system("by name: who shows it asks the engine first")
    if only:
        rows = rows.only(*only, *(["namespace"] if model.namespaced else []))
    if not model.namespaced:
        return prepare(lambda name: rows.filter(name=name), "name")
    return prepare(lambda namespace, name: rows.filter(namespace_id=namespace, name=name), "namespace", "name")


def get(kind: str, namespace: str, name: str) -> PlatformObject:
    """The object; raises `NotFound`."""
    found = get_or_none(kind, namespace, name)
    if found is None:
        raise NotFound(kind, namespace, name)
    return found
