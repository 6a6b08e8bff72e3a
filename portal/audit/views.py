"""`GET /api/stagecraft/v1/audit`: events, newest first, by actor, object, action, outcome and time."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.http import HttpResponse, QueryDict

from portal.access.endpoint import Call
from portal.audit.reading import FILTERS, BadMoment, filtered, visible_to, wire_event
from portal.wire import responses
from portal.wire.cursors import BrokenCursor, decode_cursor, encode_cursor
from portal.wire.query import limit_parameter, text_parameter
from portal.wire.responses import Refusal, Unreadable


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """The parameters, read but not yet judged."""

    limit: int
    cursor: str
    wanted: dict[str, str]
    since: str
    until: str

    @classmethod
    def bind(cls, query: QueryDict) -> AuditQuery:
        return cls(
            limit=limit_parameter(query),
            cursor=text_parameter(query, "cursor"),
            wanted={name: text_parameter(query, name) for name in FILTERS},
            since=text_parameter(query, "since"),
            until=text_parameter(query, "until"),
        )


def list_events(call: Call) -> HttpResponse:
    """200 with a page of what the caller may see."""
    query: AuditQuery = call.query
    try:
        rows = filtered(visible_to(call.access), query.wanted, query.since, query.until)
    except BadMoment as error:
        raise Unreadable(str(error)) from None
    try:
        after = decode_cursor(query.cursor, call.access.subject.name)
        if after:
            rows = rows.filter(id__lt=uuid.UUID(after))
    except (BrokenCursor, ValueError):
        raise Refusal(400, "invalid cursor") from None
    found = list(rows.order_by("-id")[: query.limit + 1])
    page = found[: query.limit]
    pagination = {}
    if len(found) > query.limit:
        pagination["nextCursor"] = encode_cursor(str(page[-1].id), call.access.subject.name)
    return responses.json_body({"items": [wire_event(event) for event in page], "pagination": pagination})
