"""What a binding would render against what is rendered now: which fields of which objects change.

Objects are told apart by their ids in the rendered release; equal manifests are known by their hashes, so only those
that differ are read and walked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from catalog.compiler.documents import Document
from catalog.kinds.base import PlatformObject
from catalog.kinds.rendered_object import bodies_of, manifest_hash
from catalog.kinds.rendered_release import RenderedRelease
from catalog.releases.compare import differences
from catalog.releases.rendered import is_owned_by

Action = Literal["changed", "added", "removed"]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One change. `before` and `after` are JSON texts, "" where there is nothing; without a `path`, the whole object
    comes or goes."""

    object_kind: str
    path: str = ""
    before: str = ""
    after: str = ""
    action: Action = "changed"
    object_name: str = ""


class Present:
    """What is rendered now for a set of bindings: the hashes of the manifests by plane and id."""

    def __init__(self, rows: Iterable[RenderedRelease]) -> None:
        self._by_name = {(row.namespace_name, row.name): row for row in rows if row.deleted_at is None}

    def release(self, binding: PlatformObject, name: str) -> RenderedRelease | None:
        """The rendered release of that name, if it is the binding's."""
        row = self._by_name.get((binding.namespace_name, name))
        return row if row is not None and is_owned_by(row, binding) else None


def packed(row: RenderedRelease | None) -> dict[str, list[str]]:
    """The hashes of a rendered release's manifests, by id; an id may stand for several."""
    found: dict[str, list[str]] = defaultdict(list)
    for entry in (row.spec.get("resources") or ()) if row is not None else ():
        found[entry["id"]].append(entry["hash"])
    return found


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One object that differs: the hash of what is there, and what would be there; None for nothing."""

    before: str | None
    after: Document | None


def changed_objects(row: RenderedRelease | None, entries: Sequence[Document]) -> list[ObjectChange]:
    """The objects of one plane that differ, paired by their ids in their order."""
    held = packed(row)
    found = []
    for entry in entries:
        hashes = held.get(entry["id"])
        before = hashes.pop(0) if hashes else None
        if before is None or before != manifest_hash(entry["object"]):
            found.append(ObjectChange(before, entry["object"]))
    found += [ObjectChange(left, None) for hashes in held.values() for left in hashes]
    return found


def field_changes(changes: Sequence[ObjectChange], known: dict[FieldChange, FieldChange]) -> list[list[FieldChange]]:
    """The fields that differ, for each object. One query for all. `known` keeps one of each equal change in memory."""
    bodies = bodies_of(change.before for change in changes if change.before is not None)
    return [
        [
            known.setdefault(item, item)
            for item in compare(None if one.before is None else bodies[one.before], one.after)
        ]
        for one in changes
    ]


def compare(before: Any, after: Any) -> Iterable[FieldChange]:
    """The changes from one manifest to another, either of which may be missing."""
    if before is None or after is None:
        body = after if before is None else before
        yield FieldChange(kind_of(body), action="added" if before is None else "removed", object_name=name_of(body))
        return
    kind = kind_of(after)
    for difference in differences(before, after):
        yield FieldChange(kind, difference.path, text_of(difference.left), text_of(difference.right))


def text_of(value: Any) -> str:
    """A value as JSON; "" for nothing, as `differences` has no other word for that."""
    return "" if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def kind_of(body: Mapping[str, Any]) -> str:
    return str(body.get("kind") or "")


def name_of(body: Mapping[str, Any]) -> str:
    return str((body.get("metadata") or {}).get("name") or "")
