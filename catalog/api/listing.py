"""Lists: one query for a page, whatever the filters, without model instances.

Order is by name, byte by byte, as the reference's store keeps its keys; the cursor is the last name seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import F, TextField
from django.db.models.functions import Cast, Collate
from django.http import QueryDict

from catalog.api.collection import ROLE_KINDS, Collection, OwnerFilter
from catalog.api.label_filter import filter_by_labels
from catalog.api.wire_object import Row, row_as_given, wire_row
from catalog.kinds.base import Document, PlatformObject
from catalog.store.models import ObjectReference
from portal.access.engine import Access
from portal.access.tables import hierarchy_of
from portal.prepared import as_given, rows_as_given, with_names
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
    if collection.kind in ROLE_KINDS:
        requirements = ()
    requirements += tuple(Requirement(key, "in", (value,)) for key, value in collection.visible_by.items())
    owners = {name: owner for name, owner in query.owners.items() if name in collection.filters}
    model = collection.model
    if not requirements and not owners and access.leaves_all(model, hierarchy_of(model).action("view")):
        given = as_given(page_statement(model, query.limit, bool(after)), {"namespace": namespace, "after": after})
    else:
        rows = filter_by_labels(access.visible(selected(model, namespace)), requirements)
        for name, wanted in owners.items():
            rows = rows.filter(pk__in=owned(collection, namespace, collection.filters[name], wanted))
        given = rows_as_given(page(rows, query.limit, after))
    found = [row_as_given(values) for values in given]
    pagination = {}
    if len(found) > query.limit:
        found.pop()
        pagination["nextCursor"] = encode_cursor(found[-1].name, access.subject.name)
    elif not found:
        check_owners(access, collection, namespace, query)
    return {"items": [wire_row(collection, namespace, row) for row in found], "pagination": pagination}


@lru_cache(maxsize=4096)
def page_statement(model: type[PlatformObject], limit: int, goes_on: bool) -> str:
    """The query for a page of all that there is, with its parameters by name: Django would take longer to write it than
    the database to answer it."""
    rows = selected(model, "namespace").system("a page for who may see all of the kind")
    return with_names(*page(rows, limit, "after" if goes_on else "").statement())


def page(rows: Any, limit: int, after: str) -> Any:
    """The columns of the rows that come after a name, one more than the limit."""
    if after:
        rows = rows.filter(key__gt=after)
    return rows.values_list(*(text_of(name) for name in Row._fields))[: limit + 1]


def text_of(column: str) -> Any:
    """A column as it is; on SQLite its moments as the text that they are kept as, which the driver would read first."""
    is_moment = column in ("created_at", "deleted_at") and connection.vendor == "sqlite"
    return Cast(column, TextField()) if is_moment else column


def selected(model: type[PlatformObject], namespace: str) -> Any:
    """The rows of a kind in key order."""
    rows: Any = model.objects.all()
    if model.namespaced:
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
