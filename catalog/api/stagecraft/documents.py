"""Many documents in one request: apply them, or see what applying would change. YAML or JSON, as in a file.

Each document has its own transaction and its own outcome; with `atomic` all have one transaction. 200 if all went well,
422 with the same body and an error beside it if any failed, 412 if they failed only because the objects are no more
what their conditions say (`catalog.manifests.conditions`, or `If-Match` for a single document).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.http import HttpResponse, QueryDict

from catalog.access import writing
from catalog.kinds.base import Document
from catalog.kinds.registry import BY_KIND
from catalog.manifests.applying import Permission, apply_entries, apply_together, compare_entries
from catalog.manifests.conditions import ANNOTATION, with_condition
from catalog.manifests.outcomes import DocumentOutcome
from catalog.manifests.reading import Entry, read_text
from portal.access.endpoint import Call
from portal.access.guard import Forbidden
from portal.audit import operation as audit
from portal.wire import responses
from portal.wire.query import flag_parameter, text_parameter
from portal.wire.responses import Refusal


@dataclass(frozen=True, slots=True)
class DocumentsQuery:
    """`namespace` is for documents that name none; with `dryRun` nothing is stored, with `atomic` all or nothing."""

    namespace: str
    dry_run: bool
    is_atomic: bool

    @classmethod
    def bind(cls, query: QueryDict) -> DocumentsQuery:
        return cls(
            namespace=text_parameter(query, "namespace") or "default",
            dry_run=flag_parameter(query, "dryRun"),
            is_atomic=flag_parameter(query, "atomic"),
        )


def apply_documents(call: Call) -> HttpResponse:
    """What became of each document: created, changed, unchanged, skipped or failed."""
    query: DocumentsQuery = call.query
    if query.dry_run:
        audit.rehearses()
    entries = entries_of(call)
    for entry in entries:
        require_write(call, entry)
    apply = apply_together if query.is_atomic else apply_entries
    outcomes = apply(
        with_header(call, entries),
        call.actor,
        default_namespace=query.namespace,
        dry_run=query.dry_run,
        permission=permission_of(call),
    )
    found = list(outcomes)
    failed = [outcome for outcome in found if outcome.result == "failed"]
    is_outdated = bool(failed) and all(outcome.is_outdated for outcome in failed)
    return reply([wire_outcome(outcome) for outcome in found], 412 if is_outdated else 422)


def with_header(call: Call, entries: list[Entry]) -> list[Entry]:
    """A request's `If-Match` is the condition of its document, of which there must be one; 400 for several."""
    header = call.request.headers.get("If-Match", "").strip()
    if not header:
        return entries
    if len(entries) > 1:
        text = f"If-Match is of one document; of several, each can have the annotation {ANNOTATION}"
        raise Refusal(400, text)
    return [replace(entry, value=with_condition(entry.value, header)) for entry in entries]


def diff_documents(call: Call) -> HttpResponse:
    """What applying would change, as unified diffs of YAML. Stores nothing."""
    audit.rehearses()
    entries = entries_of(call)
    for entry in entries:
        require_write(call, entry)
    compared = compare_entries(
        entries, call.actor, default_namespace=call.query.namespace, permission=permission_of(call)
    )
    return reply([{**wire_outcome(outcome), "diff": difference} for outcome, difference in compared])


def permission_of(call: Call) -> Permission:
    """What is asked again for each document, when its object is locked."""
    return lambda kind: writing.permission(call.access, BY_KIND[kind]) if kind in BY_KIND else None


def entries_of(call: Call) -> list[Entry]:
    """The documents of the body; 400 if there is none."""
    entries = list(read_text(call.request.body, "body", max_bytes=settings.YAML_MAX_BYTES))
    if not entries:
        raise Refusal(400, "the body holds no document")
    return entries


def require_write(call: Call, entry: Entry) -> None:
    """Whoever applies must be allowed to create each object, or to change the one that is there."""
    value = entry.value
    kind = value.get("kind") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(kind, str) or kind not in BY_KIND:
        return  # refused when it is read
    model = BY_KIND[kind]
    metadata = value.get("metadata")
    if model.namespaced and isinstance(metadata, dict) and not metadata.get("namespace"):
        value = {**value, "metadata": {**metadata, "namespace": call.query.namespace}}
    try:
        writing.require_write(call.access, model, value)
    except Forbidden as forbidden:
        # One answer, whether the object is there or not.
        raise Refusal(403, forbidden.message or responses.FORBIDDEN) from None


def wire_outcome(outcome: DocumentOutcome) -> Document:
    """One outcome as a reply shows it."""
    shown: Document = {
        "result": outcome.result,
        "kind": outcome.kind,
        "namespace": outcome.namespace,
        "name": outcome.name,
        "line": outcome.entry.line_of(),
    }
    if outcome.version:
        shown["version"] = outcome.version
    if outcome.problems:
        shown["problems"] = [
            {"message": problem.message, "path": problem.path, "line": problem.line} for problem in outcome.problems
        ]
    return shown


def reply(items: Iterable[dict[str, Any]], failure: int = 422) -> HttpResponse:
    """All outcomes and how many there are of each."""
    found = list(items)
    counts = Counter(item["result"] for item in found)
    body: dict[str, Any] = {"items": found, "counts": counts}
    if not counts["failed"]:
        return responses.json_body(body)
    body |= {"code": responses.CODES[failure], "error": f"{counts['failed']} of {len(found)} documents failed"}
    return responses.json_body(body, failure)
