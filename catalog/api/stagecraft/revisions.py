"""Revisions as replies show them."""

from __future__ import annotations

from typing import Any

from catalog.access.feed import Seen, Wanted
from catalog.kinds.base import Document
from catalog.store.documents import timestamp
from catalog.store.models import Revision


def wire_revision(row: Revision, *, with_documents: bool = False) -> Document:
    """One row of the log. Documents are left out unless asked for: they are large."""
    shown: dict[str, Any] = {
        "sequence": row.sequence,
        "recordedAt": timestamp(row.recorded_at),
        "action": row.action,
        "kind": row.kind,
        "namespace": row.namespace,
        "name": row.name,
        "uid": str(row.uid),
        "generation": row.generation,
        "actor": {"name": row.actor, "kind": row.actor_kind},
        "surface": row.surface,
        "requestId": row.request_id,
    }
    if with_documents:
        shown["before"], shown["after"] = row.before, row.after
    return shown


def wire_change(seen: Seen, wanted: Wanted, *, with_documents: bool = False) -> Document:
    """A row of the feed: with `left`, if the object has ceased to match the selector that the reader gave."""
    shown = wire_revision(seen.row, with_documents=with_documents)
    return {**shown, "left": True} if wanted.is_left_by(seen) else shown
