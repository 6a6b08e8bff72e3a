"""A preview as JSON: what became of the documents, and what happens in each environment, grouped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from catalog.compiler.documents import Document
from catalog.compiler.explain import Place, path_text
from catalog.manifests.outcomes import DocumentOutcome
from catalog.preview.grouping import EnvironmentImpact, FailureGroup, Group, Owner
from catalog.preview.previewing import Preview
from catalog.preview.rehearsing import Rehearsed


def report(preview: Preview) -> Document:
    """The whole report. Shapes: see the guide on previews."""
    return {
        "documents": [document_outcome(outcome) for outcome in preview.rehearsed.outcomes],
        "environments": [environment(impact, preview.rehearsed) for impact in preview.impacts],
        "summary": {
            "looked_at": len(preview.results),
            "hidden": preview.hidden,
            "changed": sum(1 for result in preview.results if result.changes),
            "unchanged": sum(1 for result in preview.results if not result.changes and result.failure is None),
            "failing": sum(1 for result in preview.results if result.failure is not None and not result.failure.is_old),
            "failing_already": sum(
                1 for result in preview.results if result.failure is not None and result.failure.is_old
            ),
        },
    }


def document_outcome(outcome: DocumentOutcome) -> Document:
    found: Document = {
        "result": outcome.result,
        "kind": outcome.kind,
        "namespace": outcome.namespace,
        "name": outcome.name,
        "location": outcome.entry.location(),
    }
    if outcome.problems:
        found["problems"] = [
            {"message": problem.message, "path": problem.path, "location": outcome.entry.location(problem.path)}
            for problem in outcome.problems
        ]
    return found


def environment(impact: EnvironmentImpact, rehearsed: Rehearsed) -> Document:
    return {
        "environments": impact.environments,
        "moment": impact.moment,
        "changed": len(impact.changed),
        "unchanged": impact.unchanged,
        "groups": [change_group(item) for item in impact.groups],
        "failures": [failure_group(item, rehearsed) for item in impact.failures],
    }


def change_group(item: Group) -> Document:
    change = item.change
    found: Document = {"action": change.action, "object": change.object_kind, "count": len(item.owners)}
    if change.path:
        found |= {"field": change.path, "before": value_of(change.before), "after": value_of(change.after)}
    else:
        found["name"] = change.object_name
    return {**found, "variants": item.variants, "owners": owners(item.owners)}


def failure_group(item: FailureGroup, rehearsed: Rehearsed) -> Document:
    found: Document = {
        "reason": item.reason,
        "message": item.message,
        "already": item.is_old,
        "variants": item.variants,
        "count": len(item.owners),
    }
    if item.place is not None:
        found["place"] = place(item.place, rehearsed)
    return {**found, "owners": owners(item.owners)}


def place(at: Place, rehearsed: Rehearsed) -> Document:
    """The document and field to blame, with file and line if it is one of those that were given."""
    field = path_text(at.path)
    found: Document = {"kind": at.kind, "name": at.name, "field": field}
    entry = rehearsed.entry_of(at.kind, at.name)
    return found if entry is None else {**found, "location": entry.location(field)}


def owners(some: Iterable[Owner]) -> list[Document]:
    return [{"kind": one.kind, "namespace": one.namespace, "name": one.name} for one in some]


def value_of(text: str) -> Any:
    return orjson.loads(text) if text else None
