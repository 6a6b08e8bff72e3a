"""Applying, deleting and comparing many documents, one transaction and one outcome for each.

A document that fails only because its namespace does not exist yet is tried again after the others: manifests are
written in any order. Everything else fails on its own and keeps no other document from being stored.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from typing import Any

from django.db import connection
from django.db import transaction as database

from catalog import store
from catalog.api.versions import tag_of
from catalog.compiler import yaml
from catalog.kinds.base import Document
from catalog.kinds.registry import UnknownKind, kind_named
from catalog.manifests.conditions import conditional, taken_from
from catalog.manifests.outcomes import REFUSALS, DocumentOutcome, Problem, identity, refused
from catalog.manifests.reading import Entry
from catalog.store.errors import NotFound, StoreError
from catalog.store.write import Permit
from portal.access.guard import Forbidden
from portal.accounts.actor import Actor
from portal.audit import operation as audit

Permission = Callable[[str], Permit | None]
"""Kind → what the store asks before it writes an object of the kind; None if nobody is asked."""


def nobody_is_asked(kind: str) -> None:
    """The permission of the operator's own command line."""


def apply_entries(
    entries: Iterable[Entry],
    actor: Actor,
    *,
    default_namespace: str = "default",
    dry_run: bool = False,
    permission: Permission = nobody_is_asked,
) -> Iterator[DocumentOutcome]:
    """Apply documents; outcomes come as they are known. A dry run undoes everything at its end.

    `permission` gives for each kind what the store asks before it writes.
    """
    with store.rehearsal() if dry_run else nullcontext(), audit.batch():
        if dry_run:
            audit.rehearses()
        for outcome in tried(entries, actor, default_namespace, permission):
            yield replace(outcome, version="") if dry_run else outcome  # a version that will never be is of no use


def tried(
    entries: Iterable[Entry], actor: Actor, default_namespace: str, permission: Permission
) -> Iterator[DocumentOutcome]:
    """Try each document, and those whose namespace was missing once more at the end."""
    waiting: list[Entry] = []
    for entry in entries:
        outcome = apply_entry(entry, actor, default_namespace, permission)
        if outcome is None:
            waiting.append(entry)
        else:
            yield outcome
    for entry in waiting:
        yield apply_entry(entry, actor, default_namespace, permission, is_last_try=True)  # type: ignore[misc]


def apply_entry(
    entry: Entry, actor: Actor, default_namespace: str, permission: Permission, *, is_last_try: bool = False
) -> DocumentOutcome | None:
    """Apply one document. None if its namespace is missing and may still come."""
    if entry.error:
        return DocumentOutcome(entry, "failed", problems=(Problem(entry.error),))
    attempt = audit.operation(actor, *attempted(entry, "apply", default_namespace))
    try:
        with attempt as opened:
            try:
                document, condition = taken_from(entry.value)
                permit = conditional(permission(identity(document, default_namespace)[0]), condition)
                with savepoint():
                    outcome = store.apply(document, actor, default_namespace=default_namespace, permit=permit)
            except NotFound as error:
                if error.kind == "Namespace" and not is_last_try:
                    opened.is_rehearsal = True  # it is attempted later, and recorded then
                    return None
                raise
    except Forbidden as forbidden:
        return refused(entry, forbidden, default_namespace)
    except REFUSALS as error:
        return refused(entry, error, default_namespace)
    key = store.key_of(outcome.obj)
    version = tag_of(outcome.obj).strip('"')
    return DocumentOutcome(entry, outcome.action, key.kind, key.namespace, key.name, version=version)


def savepoint() -> AbstractContextManager[Any]:
    """Within a transaction a document that fails undoes itself and leaves the transaction usable for the others."""
    return database.atomic() if connection.in_atomic_block else nullcontext()


class Undone(StoreError):
    """Documents that were to be applied together were not, because some of them failed."""


def apply_together(
    entries: Iterable[Entry],
    actor: Actor,
    *,
    default_namespace: str = "default",
    dry_run: bool = False,
    permission: Permission = nobody_is_asked,
) -> list[DocumentOutcome]:
    """Apply documents in one transaction: all, or none if one fails. Each is tried, to tell all that is wrong.

    What was stored and then undone has the result `undone`; the audit has one event for the attempt.
    """
    outcomes: list[DocumentOutcome] = []
    try:
        with audit.operation(actor, "document:apply"), store.transaction():
            outcomes.extend(
                apply_entries(
                    entries, actor, default_namespace=default_namespace, dry_run=dry_run, permission=permission
                )
            )
            failed = sum(outcome.result == "failed" for outcome in outcomes)
            if failed:
                raise Undone(f"{failed} of {len(outcomes)} documents failed, so none was applied")
    except Undone:
        return [
            replace(outcome, result="undone", version="") if outcome.result in ("created", "changed") else outcome
            for outcome in outcomes
        ]
    return outcomes


def delete_entries(
    entries: Iterable[Entry], actor: Actor, *, default_namespace: str = "default", ignore_not_found: bool = False
) -> Iterator[DocumentOutcome]:
    """Delete what the documents name, last first, so that what was applied later goes before what it stands on."""
    for entry in reversed(list(entries)):
        if entry.error:
            yield DocumentOutcome(entry, "failed", problems=(Problem(entry.error),))
            continue
        kind, namespace, name = identity(entry.value, default_namespace)
        try:
            namespace = namespace if kind_named(kind).namespaced else ""
            with audit.operation(actor, *attempted(entry, "delete", default_namespace)):
                obj = store.delete(kind, namespace, name, actor)
        except NotFound as error:
            if not ignore_not_found:
                yield refused(entry, error, default_namespace)
        except REFUSALS as error:
            yield refused(entry, error, default_namespace)
        else:
            yield DocumentOutcome(entry, "deleting" if obj.finalizers else "deleted", kind, namespace, name)


def compare_entries(
    entries: Iterable[Entry],
    actor: Actor,
    *,
    default_namespace: str = "default",
    permission: Permission = nobody_is_asked,
) -> Iterator[tuple[DocumentOutcome, str]]:
    """What applying would change, as unified diffs of YAML ("" for none). Stores nothing."""
    with store.rehearsal(), audit.batch():
        audit.rehearses()
        held_before: dict[tuple[str, str, str], Document | None] = {}

        def looked_up(entry: Entry) -> Entry:
            key = identity(entry.value, default_namespace)
            held_before.setdefault(key, stored_document(*key))
            return entry

        looked_at = map(looked_up, entries)
        for outcome in apply_entries(
            looked_at, actor, default_namespace=default_namespace, dry_run=True, permission=permission
        ):
            if outcome.result not in ("created", "changed"):
                yield outcome, ""
                continue
            key = identity(outcome.entry.value, default_namespace)
            after = stored_document(*key)
            yield outcome, unified_diff(held_before[key], after, f"{outcome.kind}/{outcome.name}")
            held_before[key] = after


def attempted(entry: Entry, verb: str, default_namespace: str) -> tuple[str, audit.Target]:
    """Action and object of a document for the audit, as far as the document has them."""
    kind, namespace, name = identity(entry.value, default_namespace)
    with suppress(UnknownKind):
        namespace = namespace if kind_named(kind).namespaced else ""
    return f"{kind.lower() or 'document'}:{verb}"[:80], audit.Target(kind, namespace, name)


def stored_document(kind: str, namespace: str, name: str) -> Document | None:
    """What a stored object says of itself where a manifest can speak: names, labels, annotations and spec."""
    try:
        obj = store.get_or_none(kind, namespace, name)
    except REFUSALS:
        return None
    return None if obj is None else as_manifest(store.to_document(obj, with_status=False))


def as_manifest(document: Document) -> Document:
    """A document without what the platform writes into it."""
    metadata: dict[str, Any] = {
        key: document["metadata"][key]
        for key in ("name", "namespace", "labels", "annotations")
        if key in document["metadata"]
    }
    return {**{key: document[key] for key in ("apiVersion", "kind", "spec") if key in document}, "metadata": metadata}


def unified_diff(before: Document | None, after: Document | None, name: str) -> str:
    """The difference of two documents as text; "" where there is none."""
    texts = ["" if document is None else yaml.dump(document) for document in (before, after)]
    lines = difflib.unified_diff(
        texts[0].splitlines(keepends=True), texts[1].splitlines(keepends=True), f"stored/{name}", f"applied/{name}"
    )
    return "".join(lines)
