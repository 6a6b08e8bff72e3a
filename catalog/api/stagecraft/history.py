"""An object's history, and the object as it stood once. Both work for objects that are gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse, QueryDict
from django.utils.dateparse import parse_datetime

from catalog.access.revisions import is_visible_document, visible_uids
from catalog.api.stagecraft.revisions import wire_revision
from catalog.kinds.base import PlatformObject
from catalog.store import history, read_as_of
from catalog.store.errors import NotFound
from portal.access.endpoint import Call
from portal.wire import responses
from portal.wire.query import flag_parameter, integer_parameter, limit_parameter, text_parameter
from portal.wire.responses import Refusal, Unreadable


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """`after` continues behind a sequence; `status` also shows status changes; `documents` adds before and after."""

    limit: int
    after: int
    with_status: bool
    with_documents: bool

    @classmethod
    def bind(cls, query: QueryDict) -> HistoryQuery:
        return cls(
            limit=limit_parameter(query),
            after=integer_parameter(query, "after") or 0,
            with_status=flag_parameter(query, "status"),
            with_documents=flag_parameter(query, "documents"),
        )


def show_history(call: Call, model: type[PlatformObject], namespace: str, name: str) -> HttpResponse:
    """200 with a page of revisions; 404 if no object that the user may see ever bore that name."""
    query: HistoryQuery = call.query
    uids = visible_uids(call.access, model, namespace, name)
    if not uids:
        raise Refusal(404, f"{model.kind} not found")
    rows = history(model.kind, namespace, name, with_status=query.with_status)
    rows = rows.filter(sequence__gt=query.after, uid__in=uids)
    if not query.with_documents:
        rows = rows.defer("before", "after")
    found = list(rows[: query.limit + 1])
    page = found[: query.limit]
    pagination = {"nextAfter": page[-1].sequence} if len(found) > query.limit else {}
    items = [wire_revision(row, with_documents=query.with_documents) for row in page]
    return responses.json_body({"items": items, "pagination": pagination})


def bind_moment(query: QueryDict) -> int | datetime:
    """`sequence=` or `time=`: exactly one of them."""
    sequence, time = integer_parameter(query, "sequence"), text_parameter(query, "time")
    if (sequence is None) == (not time):
        raise Unreadable("give either sequence or time")
    if sequence is not None:
        return sequence
    try:
        moment = parse_datetime(time)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Unreadable(f"Invalid format for parameter time: {time!r} is not an RFC 3339 time with a zone")
    return moment


def show_as_of(call: Call, model: type[PlatformObject], namespace: str, name: str) -> HttpResponse:
    """200 with the document of then; 404 if there was none, or it may not be seen."""
    try:
        document = read_as_of(model.kind, namespace, name, call.query)
    except NotFound:
        raise Refusal(404, f"{model.kind} not found") from None
    if not is_visible_document(call.access, model, document):
        raise Refusal(404, f"{model.kind} not found")
    return responses.json_body(document)
