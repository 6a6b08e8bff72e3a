"""Objects as the contract shows them: metadata cut to what clients may see, `status` always there.

No generation, finalizers, owner references or resource version: a client that saw a generation would compare it
(`docs/compatibility.md`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from catalog.api.collection import Collection
from catalog.kinds.base import Document, PlatformObject
from catalog.store.documents import timestamp


class Row(NamedTuple):
    """The columns that a reply is made of, in the order in which they are selected."""

    name: str
    uid: UUID
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    spec: dict[str, Any]
    status: dict[str, Any]
    created_at: datetime
    deleted_at: datetime | None


def wire_object(collection: Collection, obj: PlatformObject) -> Document:
    """A stored object as a reply shows it."""
    return wire_row(collection, obj.namespace_name, Row(*(getattr(obj, column) for column in Row._fields)))


def wire_row(collection: Collection, namespace: str, row: Row) -> Document:
    """A row of a list as a reply shows it."""
    metadata: Document = {"name": row.name, "uid": str(row.uid), "creationTimestamp": timestamp(row.created_at)}
    if namespace:
        metadata["namespace"] = namespace
    if row.labels:
        metadata["labels"] = row.labels
    if row.annotations:
        metadata["annotations"] = row.annotations
    if row.deleted_at is not None:
        metadata["deletionTimestamp"] = timestamp(row.deleted_at)
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
