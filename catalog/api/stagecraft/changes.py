"""The changes feed: every accepted change after a position, in the order of commits.

A client starts without `since`, lists what it needs, and then asks again and again from the `position` of the reply
before. 410 says that the position is older than the log reaches: list again and start anew.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse, QueryDict

from catalog.access.feed import Wanted, read_feed
from catalog.api.stagecraft.revisions import wire_change
from catalog.store import position
from catalog.store.errors import Gone
from portal.access.endpoint import Call
from portal.wire import responses
from portal.wire.query import flag_parameter, integer_parameter, limit_parameter, text_parameter
from portal.wire.responses import Refusal


@dataclass(frozen=True, slots=True)
class ChangesQuery:
    """`kinds` is a list with commas; `documents` adds what each object became."""

    since: int | None
    limit: int
    kinds: tuple[str, ...]
    namespace: str
    with_documents: bool

    @classmethod
    def bind(cls, query: QueryDict) -> ChangesQuery:
        return cls(
            since=integer_parameter(query, "since"),
            limit=limit_parameter(query),
            kinds=tuple(filter(None, text_parameter(query, "kinds").split(","))),
            namespace=text_parameter(query, "namespace"),
            with_documents=flag_parameter(query, "documents"),
        )


def show_changes(call: Call) -> HttpResponse:
    """200 with changes and the position to go on from, 410 if it is too old."""
    query: ChangesQuery = call.query
    if query.since is None:
        return responses.json_body({"items": [], "position": position()})
    wanted = Wanted(query.kinds, query.namespace)
    try:
        page = read_feed(call.access, query.since, wanted, limit=query.limit)
    except Gone as error:
        raise Refusal(410, str(error)) from None
    items = [wire_change(seen, wanted, with_documents=query.with_documents) for seen in page.changes]
    return responses.json_body({"items": items, "position": page.position})
