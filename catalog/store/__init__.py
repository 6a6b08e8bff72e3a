"""The only code that changes an object.

    from catalog import store

    store.apply(document, actor)            create or merge, as kubectl's apply
    store.create / replace / put / delete   the other ways to change an object
    store.write_status(obj, status, actor)  what controllers report
    store.transaction()                     several writes, one commit
    store.lock(kind, namespace, name)       an object, and nobody changes it before the commit
    store.changes_since / watch             the log, for readers that follow
    store.history / read_as_of              the log, for readers that look back

The functions are imported on first use, because Django loads the models of this package before it is ready.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catalog.store.changes import Change, listen
    from catalog.store.documents import Key, key_of, to_document
    from catalog.store.errors import AlreadyExists, Gone, Invalid, Malformed, NotFound, StoreError, Terminating
    from catalog.store.log import changes_since, history, position, read_as_of, watch
    from catalog.store.read import get, get_or_none
    from catalog.store.write import (
        Outcome,
        apply,
        create,
        delete,
        lock,
        put,
        rehearsal,
        remove_finalizer,
        replace,
        transaction,
        write_status,
    )

_HOMES = {
    "catalog.store.changes": ("Change", "listen"),
    "catalog.store.documents": ("Key", "key_of", "to_document"),
    "catalog.store.errors": ("AlreadyExists", "Gone", "Invalid", "Malformed", "NotFound", "StoreError", "Terminating"),
    "catalog.store.log": ("changes_since", "history", "position", "read_as_of", "watch"),
    "catalog.store.read": ("get", "get_or_none"),
    "catalog.store.write": (
        "Outcome",
        "apply",
        "create",
        "delete",
        "lock",
        "put",
        "rehearsal",
        "remove_finalizer",
        "replace",
        "transaction",
        "write_status",
    ),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AlreadyExists", "Change", "Gone", "Invalid", "Key", "Malformed", "NotFound", "Outcome", "StoreError",
    "Terminating", "apply", "changes_since", "create", "delete", "get", "get_or_none", "history", "key_of", "listen",
    "lock", "position", "put", "read_as_of", "rehearsal", "remove_finalizer", "replace", "to_document",
    "transaction", "watch", "write_status",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
