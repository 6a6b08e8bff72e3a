"""What applying documents would change on the planes, as `manage.py preview` shows it, for what the caller may see."""

from __future__ import annotations

from django.http import HttpResponse

from catalog.api.stagecraft.documents import DocumentsQuery, entries_of, require_write
from catalog.preview.previewing import preview
from catalog.preview.report import report
from portal.access.endpoint import Call
from portal.audit import operation as audit
from portal.wire import responses


def preview_documents(call: Call) -> HttpResponse:
    """200 with the report; 422 with the same and an error beside it if a document would be refused.

    Whoever asks must be allowed to apply the documents. Bindings that they may not see are counted, not shown.
    """
    audit.rehearses()
    query: DocumentsQuery = call.query
    entries = entries_of(call)
    for entry in entries:
        require_write(call, entry)
    found = preview(entries, call.actor, query.namespace, may_see=lambda obj: call.access.may("view", obj))
    body = report(found)
    failed = len(found.rehearsed.failures)
    if not failed:
        return responses.json_body(body)
    total = len(found.rehearsed.outcomes)
    error = {"code": responses.CODES[422], "error": f"{failed} of {total} documents would be refused"}
    return responses.json_body({**body, **error}, 422)
