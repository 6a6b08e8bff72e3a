"""Lists: one query for a page, whatever the filters, without model instances.

Order is by name, byte by byte, as the reference's store keeps its keys; the cursor is the last name seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.functions import Collate
from django.http import QueryDict

from catalog.api.collection import ROLE_KINDS, Collection, OwnerFilter
from catalog.api.label_filter import filter_by_labels
from catalog.api.wire_object import Row, wire_row
from catalog.kinds.base import Document
from catalog.store.models import ObjectReference
from portal.access.engine import Access
from portal.wire.cursors import BrokenCursor, decode_cursor, encode_cursor
from portal.wire.query import limit_parameter, text_parameter
from portal.wire.responses import Refusal
from portal.wire.selectors import BadSelector, Requirement, parse_selector

FILTERS = ("project", "component", "resource", "workflow")


@dataclass(frozen=True, slots=True)
class ListQuery:
    """The parameters of a list, read but not yet judged."""

    limit: int
    cursor: str
    label_selector: str
    owners: dict[str, str]

    @classmethod
    def bind(cls, query: QueryDict) -> ListQuery:
        """Read the parameters; raises `Unreadable`."""
        return cls(
            limit=limit_parameter(query),
            cursor=text_parameter(query, "cursor"),
            label_selector=text_parameter(query, "labelSelector"),
            owners={name: value for name in FILTERS if (value := text_parameter(query, name))},
        )


def page_of(access: Access, collection: Collection, namespace: str, query: ListQuery) -> Document:
    """One page of what the subject may see of a collection. Raises `Refusal` for a bad selector or cursor."""
    try:
        requirements = parse_selector(query.label_selector)
        after = decode_cursor(query.cursor, access.subject.name)
    except BadSelector as error:
        raise Refusal(400, f"invalid label selector: {error}") from None
    except BrokenCursor as error:
        raise Refusal(400, str(error)) from None
    rows = filter_by_labels(
        access.visible(selected(collection, namespace)),
        [Requirement(key, "in", (value,)) for key, value in collection.visible_by.items()],
    )
    if collection.kind not in ROLE_KINDS:
        rows = filter_by_labels(rows, requirements)
    for name, wanted in query.owners.items():
        if name in collection.filters:
            rows = rows.filter(pk__in=owned(collection, namespace, collection.filters[name], wanted))
    if after:
        rows = rows.filter(key__gt=after)
    found = [Row(*row) for row in rows.values_list(*Row._fields)[: query.limit + 1]]
    pagination = {}
    if len(found) > query.limit:
        found.pop()
        pagination["nextCursor"] = encode_cursor(found[-1].name, access.subject.name)
    elif not found:
        check_owners(access, collection, namespace, query)
    return {"items": [wire_row(collection, namespace, row) for row in found], "pagination": pagination}


def selected(collection: Collection, namespace: str) -> Any:
    """The rows of a collection in key order."""
    rows: Any = collection.model.objects.all()
    if collection.model.namespaced:
        rows = rows.filter(namespace_id=namespace)
    # A database's own collation may sort "a-b" after "ab"; names are ASCII, so "C" is the order of bytes.
    key = Collate("name", "C") if connection.vendor == "postgresql" else F("name")
    return rows.annotate(key=key).order_by("key")


def owned(collection: Collection, namespace: str, owner: OwnerFilter, name: str) -> Any:
    """The primary keys of objects that name this owner, whether it exists or not."""
    return ObjectReference.objects.filter(
        source_kind=collection.kind,
        role__in=owner.roles,
        target_namespace__in=(namespace, ""),
        target_name=name,
    ).values("source_id")


def check_owners(access: Access, collection: Collection, namespace: str, query: ListQuery) -> None:
    """An empty list of what belongs to an object that is not there, or not to be seen, is 404, where kinds check it."""
    from catalog.store.read import get_or_none

    for name, wanted in query.owners.items():
        kind = collection.filters[name].must_exist if name in collection.filters else ""
        held = get_or_none(kind, namespace, wanted) if kind else None
        if kind and (held is None or not access.may("view", held)):
            raise Refusal(404, f"{kind} not found")
