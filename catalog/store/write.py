"""The one write path: admit, save, revise, announce.

Every surface and every controller changes objects through these functions and no others. Each call is one
transaction, or part of the enclosing `transaction()`; its revision is written as the transaction's last act, and
those who listen (`changes.listen`) hear of it inside the transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from django.db import IntegrityError, connection
from django.db import transaction as database
from django.utils import timezone

from catalog.kinds.base import Document, PlatformObject
from catalog.kinds.registry import kind_named
from catalog.store import log, references
from catalog.store.admission import admit
from catalog.store.changes import Change, announce, announce_commit
from catalog.store.documents import Incoming, Key, key_of, parse, to_document
from catalog.store.errors import AlreadyExists, Invalid, NotFound, Terminating
from catalog.store.merge import three_way
from catalog.store.models import Revision
from portal.accounts.actor import Actor
from portal.prepared import Prepared, Statement, prepare, statement

OutcomeAction = Literal["created", "changed", "unchanged"]
Permit = Callable[[PlatformObject | None, Document], None]
Action = Revision.Action


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a write came to: the object as stored, and whether anything changed."""

    obj: PlatformObject
    action: OutcomeAction


class _Buffer(threading.local):
    entries: list[Revision] | None = None


_buffer = _Buffer()


@contextmanager
def transaction() -> Iterator[None]:
    """Group several writes into one commit. Nested calls join the outer one; an exception undoes them all."""
    if _buffer.entries is not None:
        kept = len(_buffer.entries)
        try:
            yield
        except BaseException:
            del _buffer.entries[kept:]
            raise
        return
    with database.atomic():
        _buffer.entries = []
        try:
            yield
            announce_commit(_buffer.entries)
            log.append(_buffer.entries)  # last: on PostgreSQL it takes the lock that orders all commits
        finally:
            _buffer.entries = None


class _Rehearsed(Exception):
    """Ends a rehearsal; never leaves this module."""


@contextmanager
def rehearsal() -> Iterator[None]:
    """Let writes happen, report what they would do, and undo them all: `--dry-run`. Also within a transaction."""
    try:
        with transaction(), database.atomic():
            yield
            raise _Rehearsed
    except _Rehearsed:
        return


def apply(
    document: object, actor: Actor, *, default_namespace: str = "default", permit: Permit | None = None
) -> Outcome:
    """Create the object, or merge the document into it as kubectl's apply does (`merge.three_way`).

    `permit` is asked about the locked object (None if there is none) and the document that it is to become, and stops
    the change by raising. Raises `Malformed`, `UnknownKind`, `Invalid`, `NotFound` (the namespace) or `Terminating`.
    """
    incoming = parse(document, default_namespace=default_namespace)
    try:
        return create_or_merge(incoming, actor, permit)
    except AlreadyExists:
        # Somebody created it between our look and our insert. Within a larger transaction its owner must begin anew.
        if _buffer.entries is not None:
            raise
        return create_or_merge(incoming, actor, permit)


def create_or_merge(incoming: Incoming, actor: Actor, permit: Permit | None = None) -> Outcome:
    """One try of `apply`."""
    applied = applied_part(incoming)
    with transaction():
        held = locked(incoming.model, incoming.key)
        if held is None:
            if permit is not None:
                permit(None, document_to_be(incoming))
            return Outcome(insert(incoming, actor, last_applied=applied), "created")
        last = held.last_applied or {}
        merged = Incoming(
            model=incoming.model,
            key=incoming.key,
            labels=three_way(last.get("labels", {}), incoming.labels, held.labels),
            annotations=three_way(last.get("annotations", {}), incoming.annotations, held.annotations),
            owner_references=incoming.owner_references or held.owner_references,
            spec=three_way(last.get("spec", {}), incoming.spec, held.full_spec()),
        )
        if permit is not None:
            permit(held, document_to_be(merged))
        return update(held, merged, actor, last_applied=applied)


def create(document: object, actor: Actor, *, default_namespace: str = "default") -> PlatformObject:
    """Create the object; `AlreadyExists` if it is there. Other errors as in `apply`."""
    incoming = parse(document, default_namespace=default_namespace)
    with transaction():
        held = locked(incoming.model, incoming.key)
        if held is None:
            return insert(incoming, actor)
        if not held.gives_way_to(incoming.spec):
            raise AlreadyExists(*_parts(incoming.key))
        return update(held, incoming, actor, last_applied=None).obj


def replace(document: object, actor: Actor, *, default_namespace: str = "default") -> Outcome:
    """Replace labels, annotations and spec whole; `NotFound` if the object is not there. No upsert."""
    incoming = parse(document, default_namespace=default_namespace)
    with transaction():
        held = locked(incoming.model, incoming.key)
        if held is None:
            raise NotFound(*_parts(incoming.key))
        return update(held, incoming, actor, last_applied=held.last_applied)


def put(document: object, actor: Actor, *, default_namespace: str = "default") -> Outcome:
    """Create the object or replace it whole: what controllers do with the objects that they own."""
    incoming = parse(document, default_namespace=default_namespace)
    with transaction():
        held = locked(incoming.model, incoming.key)
        if held is None:
            return Outcome(insert(incoming, actor), "created")
        return update(held, incoming, actor, last_applied=held.last_applied)


def delete(kind: str, namespace: str, name: str, actor: Actor) -> PlatformObject:
    """Ask for deletion. Without finalizers the row goes at once; else it stays, marked, until they are removed.

    Asking again changes nothing. Raises `NotFound`.
    """
    key = Key(kind, namespace, name)
    with transaction():
        held = locked(kind_named(kind), key)
        if held is None:
            raise NotFound(kind, namespace, name)
        if not held.finalizers:
            remove(held, actor)
        elif held.deleted_at is None:
            before = revision_document(held)
            held.deleted_at = timezone.now()
            held.generation += 1
            held.save(update_fields=["deleted_at", "generation"])
            record(held, Action.DELETING, actor, before, revision_document(held))
        return held


def remove_finalizer(obj: PlatformObject, finalizer: str, actor: Actor) -> None:
    """The controller's part of a deletion is done; the row goes with the last finalizer."""
    with transaction():
        held = locked(type(obj), key_of(obj))
        if held is None or held.uid != obj.uid or finalizer not in held.finalizers:
            return
        held.finalizers = [item for item in held.finalizers if item != finalizer]
        obj.finalizers = held.finalizers
        if held.deleted_at is not None and not held.finalizers:
            remove(held, actor)
        else:
            held.save(update_fields=["finalizers"])


def write_status(obj: PlatformObject, status: dict[str, Any], actor: Actor) -> bool:
    """Store an observed status. Returns whether a condition, endpoint, health or other content has changed.

    Only such a change is a row of the log. It is announced, and so is a newer `observedGeneration`, for which others
    may be waiting; new times alone are stored silently, and an equal status costs nothing. The generation does not
    move.
    """
    if obj.status == status:
        return False
    changed = bool(content_of(obj.status, UNLOGGED_FIELDS) != content_of(status, UNLOGGED_FIELDS))
    announced = changed or content_of(obj.status, TIME_FIELDS) != content_of(status, TIME_FIELDS)
    ready = ready_condition(status)
    with transaction():
        before = obj.status
        held_references = references.references_of(obj)
        obj.status = status
        obj.ready, obj.ready_reason = ready.get("status", ""), ready.get("reason", "")
        rows: Any = type(obj).objects.system("store").filter(pk=obj.pk)
        if not rows.update(status=status, ready=obj.ready, ready_reason=obj.ready_reason):
            raise NotFound(*_parts(key_of(obj)))
        wanted_references = references.references_of(obj)
        if wanted_references != held_references:
            references.save_references(obj, wanted_references, created=False)
        if changed:
            record(obj, Action.STATUS, actor, {"status": before}, {"status": status})
        elif announced:
            announce(Change(obj, Action.STATUS, actor, {"status": before}))
    return changed


def insert(incoming: Incoming, actor: Actor, last_applied: dict[str, Any] | None = None) -> PlatformObject:
    """Admit and save a new object."""
    model, key = incoming.model, incoming.key
    if model.namespaced:
        check_namespace(key)
    spec = admitted_spec(None, incoming)
    finalizer = model.finalizer_for(spec)
    obj = model(
        name=key.name,
        labels={**model.labels_at_birth, **incoming.labels},
        annotations=incoming.annotations,
        owner_references=incoming.owner_references,
        spec=model.pack_spec(spec),
        finalizers=[finalizer] if finalizer else [],
        last_applied=last_applied,
        created_at=timezone.now().replace(microsecond=0),
    )
    if model.namespaced:
        obj.namespace_id = key.namespace  # type: ignore[attr-defined]
    named = list(dict.fromkeys(model.references_of(key.namespace, spec, {})))
    references.resolve_foreign_keys(obj, named)
    try:
        obj.save(force_insert=True)
    except IntegrityError as error:
        raise AlreadyExists(*_parts(key)) from error
    obj.after_save(created=True)
    references.save_references(obj, named, created=True)
    references.link_referrers(obj)
    record(obj, Action.CREATED, actor, None, revision_document(obj))
    return obj


def update(held: PlatformObject, incoming: Incoming, actor: Actor, last_applied: dict[str, Any] | None) -> Outcome:
    """Admit and save a change of an object whose row is locked."""
    model = incoming.model
    spec = admitted_spec(to_document(held, with_status=False), incoming)
    packed = model.pack_spec(spec)
    spec_changed = packed != held.spec
    owners = incoming.owner_references or held.owner_references
    unchanged = (
        not spec_changed
        and incoming.labels == held.labels
        and incoming.annotations == held.annotations
        and owners == held.owner_references
    )
    if unchanged:
        if last_applied != held.last_applied:
            held.last_applied = last_applied
            held.save(update_fields=["last_applied"])
        return Outcome(held, "unchanged")
    if held.deleted_at is not None and spec_changed:
        raise Terminating(f"{incoming.key} is being deleted and takes no new spec")
    before = revision_document(held)
    held.labels, held.annotations, held.owner_references = incoming.labels, incoming.annotations, owners
    held.last_applied = last_applied
    held.spec = packed
    named: list[Any] = []
    if spec_changed:
        held.generation += 1
        named = list(dict.fromkeys(model.references_of(held.namespace_name, spec, held.status or {})))
        references.resolve_foreign_keys(held, named)
    held.save()
    if spec_changed:
        held.after_save(created=False)
        references.save_references(held, named, created=False)
    record(held, Action.CHANGED, actor, before, revision_document(held))
    return Outcome(held, "changed")


def remove(held: PlatformObject, actor: Actor) -> None:
    """Drop the row, its references and its place in the world."""
    before = to_document(held, packed=True)
    references.drop_references(held)
    identity = held.pk
    held.delete()
    held.pk = identity  # listeners still need to know which row it was
    record(held, Action.DELETED, actor, before, None)


def document_to_be(incoming: Incoming) -> Document:
    """What a write is about to store, as a document: before admission fills in defaults."""
    metadata: dict[str, Any] = {
        "name": incoming.key.name,
        "labels": incoming.labels,
        "annotations": incoming.annotations,
    }
    if incoming.model.namespaced:
        metadata["namespace"] = incoming.key.namespace
    return {"metadata": metadata, "spec": incoming.spec}


def admitted_spec(old: Document | None, incoming: Incoming) -> dict[str, Any]:
    """The spec after admission; raises `Invalid` with every error."""
    document, errors = admit(incoming.model, old, document_to_be(incoming))
    if errors:
        raise Invalid(incoming.key.kind, incoming.key.name, errors)
    spec: dict[str, Any] = document["spec"]
    return spec


def check_namespace(key: Key) -> None:
    """New objects need a namespace that exists and is not going away."""
    found = end_of_namespace().rows(name=key.namespace)
    if not found:
        raise NotFound("Namespace", "", key.namespace)
    if found[0][0] is not None:
        raise Terminating(f"namespace {key.namespace!r} is being deleted and takes no new objects")


@cache
def end_of_namespace() -> Statement:
    namespaces: Any = kind_named("Namespace").objects.system("store")
    return statement(lambda name: namespaces.filter(name=name).values_list("deleted_at"), "name")


def lock(kind: str, namespace: str, name: str) -> PlatformObject | None:
    """The object, which nobody changes until the transaction around has ended; None if there is none."""
    if "\0" in namespace or "\0" in name:
        return None  # PostgreSQL refuses to even look for it
    return locked(kind_named(kind), Key(kind, namespace, name))


def locked(model: type[PlatformObject], key: Key) -> PlatformObject | None:
    """The row of that name, locked until the transaction ends, or None."""
    named = {"namespace": key.namespace, "name": key.name} if model.namespaced else {"name": key.name}
    found: PlatformObject | None = locking(model, connection.alias).row(**named)
    return found


@cache
def locking(model: type[PlatformObject], alias: str) -> Prepared:
    # Not its key: grants that are given on the object meanwhile need not wait for it, nor it for them.
    rows: Any = model.objects.system("store").select_for_update(no_key=True)
    if not model.namespaced:
        return prepare(lambda name: rows.filter(name=name), "name")
    return prepare(lambda namespace, name: rows.filter(namespace_id=namespace, name=name), "namespace", "name")


def record(obj: PlatformObject, action: str, actor: Actor, before: Document | None, after: Document | None) -> None:
    """Put the revision into the transaction's buffer and announce the change."""
    assert _buffer.entries is not None, "writes happen inside transaction()"  # noqa: S101 - an invariant
    _buffer.entries.append(log.entry(key_of(obj), obj.uid, action, obj.generation, actor, before, after))
    announce(Change(obj, action, actor, before))


def revision_document(obj: PlatformObject) -> Document:
    """The document as the log keeps it: without status, the spec as stored."""
    return to_document(obj, with_status=False, packed=True)


def applied_part(incoming: Incoming) -> dict[str, Any]:
    """What `apply` remembers of a document."""
    return {"labels": incoming.labels, "annotations": incoming.annotations, "spec": incoming.spec}


TIME_FIELDS = frozenset({"lastTransitionTime", "lastObservedTime", "lastHeartbeatTime", "lastSyncTime"})
UNLOGGED_FIELDS = TIME_FIELDS | {"observedGeneration"}


def content_of(status: Any, without: frozenset[str]) -> Any:
    """A status without the fields whose change alone is no news."""
    if isinstance(status, dict):
        return {key: content_of(value, without) for key, value in status.items() if key not in without}
    if isinstance(status, list):
        return [content_of(item, without) for item in status]
    return status


def ready_condition(status: dict[str, Any]) -> dict[str, Any]:
    """The Ready condition (for some kinds Available or Created stands in its place), {} if there is none."""
    conditions = {item.get("type"): item for item in status.get("conditions") or ()}
    for name in ("Ready", "Available", "ResourcesApplied", "WorkflowCompleted"):
        if name in conditions:
            found: dict[str, Any] = conditions[name]
            return found
    return {}


def _parts(key: Key) -> tuple[str, str, str]:
    return key.kind, key.namespace, key.name
