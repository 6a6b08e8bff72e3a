"""Objects as the contract shows them: metadata cut to what clients may see, `status` always there.

No generation, finalizers, owner references or resource version: a client that saw a generation would compare it
(`docs/compatibility.md`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from catalog.api.collection import Collection
from catalog.kinds.base import Document, PlatformObject
from catalog.store.documents import timestamp


class Row(NamedTuple):
    """The columns that a reply is made of, in the order in which they are selected."""

    name: str
    uid: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    spec: dict[str, Any]
    status: dict[str, Any]
    created_at: str
    deleted_at: str


def row_of(obj: PlatformObject) -> Row:
    """The row of a stored object."""
    deleted = "" if obj.deleted_at is None else timestamp(obj.deleted_at)
    return Row(
        obj.name, str(obj.uid), obj.labels, obj.annotations, obj.spec, obj.status, timestamp(obj.created_at), deleted
    )


def row_as_given(values: tuple[Any, ...]) -> Row:
    """The row of what the database's driver gives. PostgreSQL's has UUIDs, moments in UTC and documents as text; SQLite
    has texts only: of UUIDs the bare digits, of moments `2026-11-21 17:39:21` and perhaps a fraction."""
    name, uid, labels, annotations, spec, status, created, deleted = values
    if isinstance(uid, str):
        uid = f"{uid[:8]}-{uid[8:12]}-{uid[12:16]}-{uid[16:20]}-{uid[20:]}"
        created = f"{created[:10]}T{created[11:19]}Z"
        deleted = f"{deleted[:10]}T{deleted[11:19]}Z" if deleted else ""
    else:
        uid, created, deleted = str(uid), timestamp(created), timestamp(deleted) if deleted else ""
    return Row(name, uid, value_of(labels), value_of(annotations), value_of(spec), value_of(status), created, deleted)


def value_of(text: str) -> Any:
    """A stored document; most columns of most rows are empty."""
    return {} if text == "{}" else orjson.loads(text)


def wire_object(collection: Collection, obj: PlatformObject) -> Document:
    """A stored object as a reply shows it."""
    return wire_row(collection, obj.namespace_name, row_of(obj))


def wire_row(collection: Collection, namespace: str, row: Row) -> Document:
    """A row of a list as a reply shows it."""
    metadata: Document = {"name": row.name, "uid": row.uid, "creationTimestamp": row.created_at}
    if namespace:
        metadata["namespace"] = namespace
    if row.labels:
        metadata["labels"] = row.labels
    if row.annotations:
        metadata["annotations"] = row.annotations
    if row.deleted_at:
        metadata["deletionTimestamp"] = row.deleted_at
        metadata["deletionGracePeriodSeconds"] = 0
    model = collection.model
    document: Document = {
        "apiVersion": model.api_version,
        "kind": model.kind,
        "metadata": metadata,
        "spec": row.spec,
    }
    status = row.status
    if internal := collection.internal_status:
        status = {field: value for field, value in status.items() if field not in internal}
    if status or collection.keeps_empty_status:
        document["status"] = status
    return collection.present(document) if collection.present else document
