"""What must be permitted before a document is written, on every surface alike.

The stored object decides where something is, and the new document must be permitted as well: nobody moves an object out
of or into a place that they may not change. Roles and bindings need more: nobody gives what they do not hold.

A surface judges and writes in one transaction, by `judged` or with `permission` as the store's `permit`: the object is
locked before it is judged, and what the subject may do stays as it is until the write has been committed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any

from catalog import store
from catalog.access import type_reach
from catalog.access.compile import BINDINGS, SCOPE_KINDS
from catalog.access.escalation import forbid_escalation
from catalog.access.hierarchy import attributes_of, place_of
from catalog.access.permissions import ROLES
from catalog.kinds.base import Document, PlatformObject
from catalog.secrets import repository_hosts
from catalog.secrets.remote_keys import require_own_keys
from catalog.store.read import get_or_none
from catalog.store.references import referrers
from catalog.store.write import Permit
from portal.access import guard
from portal.access.engine import Access
from portal.access.holding import hold_policy
from portal.access.place import Place
from portal.prepared import Statement, statement


@contextmanager
def judged(access: Access, kind: str, namespace: str, name: str) -> Iterator[PlatformObject | None]:
    """A transaction for one change: gives the object of that name, locked, or None. What `access` says within holds
    until the commit; an exception undoes everything."""
    with store.transaction():
        held = store.lock(kind, namespace, name)
        hold_policy(access, exclusively=changes_rights(kind, namespace, name))
        yield held


def permission(access: Access, model: type[PlatformObject]) -> Permit:
    """The same for `store.apply`, which locks the object itself: what it asks before it writes."""

    def permit(held: PlatformObject | None, document: Document) -> None:
        namespace, name, _, _ = parts_of(model, document)
        hold_policy(access, exclusively=changes_rights(model.kind, namespace, name))
        if held is None:
            require_create(access, model, document)
        else:
            require_update(access, held, document)

    return permit


def changes_rights(kind: str, namespace: str, name: str) -> bool:
    """Whether writing the object may change what somebody may do: roles, bindings, and what bindings speak of."""
    if kind in BINDINGS or kind in ROLES:
        return True
    return kind in SCOPE_KINDS and bool(any_binding_that_names().rows(kind=kind, namespace=namespace, name=name))


@cache
def any_binding_that_names() -> Statement:
    """A row if a binding names an object."""
    return statement(
        lambda *target: referrers(*target).filter(source_kind__in=list(BINDINGS)).values_list("id")[:1],
        "kind", "namespace", "name",
    )  # fmt: skip


def require_create(access: Access, model: type[PlatformObject], document: Document) -> None:
    """Refuse a new object at a place where the subject may not create. Raises `guard.Forbidden`."""
    namespace, name, spec, labels = parts_of(model, document)
    attributes = attributes_of(model.kind, namespace, spec)
    for place in places_of(model, namespace, name, spec, labels):
        guard.require_at(access, f"{model.kind.lower()}:create", place, attributes, model.kind)
    forbid_escalation(access, model, namespace, None, document)
    forbid_what_needs_more(access, model, namespace, None, document)


def require_update(access: Access, held: PlatformObject, document: Document) -> None:
    """Refuse a change of a stored object, judged as it is and as it would be. Raises `guard.Forbidden`."""
    model = type(held)
    guard.require(access, "update", held)
    namespace, name, spec, labels = parts_of(model, document)
    place, attributes = place_of(model.kind, namespace, name, spec, labels), attributes_of(model.kind, namespace, spec)
    as_stored = place_of(held.kind, namespace, held.name, held.spec, held.labels)
    if place != as_stored or attributes != attributes_of(held.kind, namespace, held.spec):
        for other in places_of(model, namespace, name, spec, labels):
            guard.require_at(access, f"{model.kind.lower()}:update", other, attributes, model.kind)
    forbid_escalation(access, model, namespace, held, document)
    forbid_what_needs_more(access, model, namespace, held, document)


def require_delete(access: Access, held: PlatformObject) -> None:
    """Refuse a deletion. Raises `guard.Forbidden`."""
    guard.require(access, "delete", held)
    forbid_escalation(access, type(held), held.namespace_name, held, None)


def require_write(access: Access, model: type[PlatformObject], document: Document) -> None:
    """Refuse to create the object, or to change the one of its name: what `apply` does."""
    namespace, name, _, _ = parts_of(model, document)
    held = get_or_none(model.kind, namespace, name)
    if held is None:
        require_create(access, model, document)
    else:
        require_update(access, held, document)


def forbid_what_needs_more(
    access: Access, model: type[PlatformObject], namespace: str, held: PlatformObject | None, document: Document
) -> None:
    """Refuse what the right to write the kind alone does not give. Raises `guard.Forbidden`."""
    if model.kind == "SecretReference":
        require_own_keys(access, namespace, held, document)
    elif model.kind in repository_hosts.KINDS:
        repository_hosts.require_known_hosts(access, model, namespace, held, document)
    elif model.kind in type_reach.KINDS:
        type_reach.require_reach(access, model, held, document)


def places_of(
    model: type[PlatformObject], namespace: str, name: str, spec: Mapping[str, Any], labels: Mapping[str, str]
) -> list[Place]:
    """Where a new object would be: at the place that it names, and at the real one of the component or resource."""
    place = place_of(model.kind, namespace, name, spec, labels)
    found = [place]
    for kind, owner in (("Component", place.component), ("Resource", place.resource)):
        if owner and model.kind != kind and (stored := get_or_none(kind, namespace, owner)) is not None:
            real = place_of(kind, namespace, owner, stored.spec, stored.labels)
            found += [real] if real != place else []
    return found


def parts_of(model: type[PlatformObject], document: Document) -> tuple[str, str, Mapping[str, Any], Mapping[str, str]]:
    """Namespace, name, spec and labels of a document of any form."""
    metadata = document.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    spec, labels = document.get("spec"), metadata.get("labels")
    namespace, name = metadata.get("namespace"), metadata.get("name")
    return (
        str(namespace or "default") if model.namespaced else "",
        name if isinstance(name, str) else "",
        spec if isinstance(spec, Mapping) else {},
        labels if isinstance(labels, Mapping) else {},
    )
