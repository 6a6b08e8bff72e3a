"""`POST /render`: the manifests that documents lead to with what is stored, as `manage.py render` prints them.

Nothing is stored. Whoever asks must be allowed to apply the documents; what they may not see is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse, QueryDict

from catalog.api.stagecraft.documents import entries_of, require_write, wire_outcome
from catalog.kinds.base import Document
from catalog.preview.examining import Failure, Result
from catalog.preview.local import render_locally, rendered_items
from portal.access.endpoint import Call
from portal.audit import operation as audit
from portal.wire import responses
from portal.wire.query import text_parameter


@dataclass(frozen=True, slots=True)
class RenderQuery:
    """`namespace` is for documents that name none; `environment` leaves all others out."""

    namespace: str
    environment: str

    @classmethod
    def bind(cls, query: QueryDict) -> RenderQuery:
        return cls(text_parameter(query, "namespace") or "default", text_parameter(query, "environment"))


def render_documents(call: Call) -> HttpResponse:
    """200 with the objects for each owner, environment and plane that the documents concern. Stores nothing.

    422 with the same, the documents that would be refused, and what cannot be rendered and why.
    """
    audit.rehearses()
    query: RenderQuery = call.query
    entries = entries_of(call)
    for entry in entries:
        require_write(call, entry)
    rendered = render_locally(
        entries, call.actor, query.namespace, query.environment, may_see=lambda obj: call.access.may("view", obj)
    )
    refused = [wire_outcome(outcome) for outcome in rendered.rehearsed.failures]
    failed = [wire_failure(item, item.failure) for item in rendered.results if item.failure is not None]
    body: Document = {"items": list(rendered_items(rendered)), "refused": refused, "failures": failed}
    if not refused and not failed:
        return responses.json_body(body)
    error = f"{len(refused)} documents would be refused, {len(failed)} renderings fail"
    return responses.json_body({**body, "code": responses.CODES[422], "error": error}, 422)


def wire_failure(result: Result, failure: Failure) -> Document:
    """What cannot be rendered, and why."""
    return {
        "kind": result.kind,
        "namespace": result.namespace,
        "name": result.owner,
        "environment": result.environment,
        "reason": failure.reason,
        "message": failure.message,
    }
