"""What writing or deleting a role or a binding would do to people: the rehearsal behind the admin's previews, REST's
`access/preview` and `manage.py preview-access`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.auth.models import Group

from catalog import store
from catalog.access.compile import BINDINGS
from catalog.access.effects import Effects, Holder, effects_of, entitlement_of
from catalog.access.models import GRANTS, PolicyException
from catalog.access.permissions import ROLES, key_of
from catalog.kinds.base import Document, PlatformObject
from catalog.store.models import ObjectReference
from portal.access.actions import LEVELS
from portal.accounts.actor import Actor

HOLDERS_MAX = 200
WHY = "whom a role or a binding concerns, for who may write it"
KINDS = frozenset(BINDINGS) | frozenset(ROLES)


def effects_of_document(
    model: type[PlatformObject], held: PlatformObject | None, document: Document | None, actor: Actor
) -> Effects:
    """What the new document of a role or a binding would do, or (without one) its deletion. Nothing is kept.

    Whether the actor may write it is the caller's question. Raises what the store would raise.
    """

    def change() -> None:
        if document is None:
            assert held is not None  # noqa: S101 - a deletion is of something
            store.delete(held.kind, held.namespace_name, held.name, actor)
        elif held is None:
            store.create(document, actor)
        else:
            store.replace(document, actor)

    holders = list(dict.fromkeys(holders_of(model, held, document)))
    found = effects_of(change, holders[:HOLDERS_MAX])
    return Effects(found.effects, True) if len(holders) > HOLDERS_MAX else found


def holders_of(model: type[PlatformObject], held: PlatformObject | None, document: Document | None) -> Iterator[Holder]:
    """Who is concerned: those whom the binding names, before and after; those who have the role by any grant."""
    if model.kind in BINDINGS:
        specs = [None if held is None else held.spec, (document or {}).get("spec")]
        yield from (Holder(group=name) for spec in specs if (name := entitlement_of(spec)))
    elif model.kind in ROLES:
        if held is not None:
            yield from holders_of_role(held)
        yield from waiting_for_role(model, held, document)


def holders_of_role(role: PlatformObject) -> Iterator[Holder]:
    """Everybody who has a role, by any binding or by hand."""
    for level in LEVELS:
        user_grants, group_grants = GRANTS[level]
        wanted = {"permission__codename": f"{level}|{key_of(role)}"}
        users = user_grants._default_manager.filter(**wanted).values_list("user_id", flat=True)
        yield from (Holder(user_id=user) for user in users.distinct()[: HOLDERS_MAX + 1])
        exceptions = PolicyException.objects.system(WHY).filter(level=level, **wanted)
        for rows in (group_grants._default_manager.filter(**wanted), exceptions):
            names: Iterable[str] = rows.values_list("group__name", flat=True).distinct()[: HOLDERS_MAX + 1]
            yield from (Holder(group=name) for name in names)


def waiting_for_role(
    model: type[PlatformObject], held: PlatformObject | None, document: Document | None
) -> Iterator[Holder]:
    """Those whom bindings give a role that does not exist yet."""
    metadata: Any = (document or {}).get("metadata")
    if held is not None or not isinstance(metadata, dict):
        return
    named = ObjectReference.objects.filter(
        target_kind=model.kind,
        target_name=str(metadata.get("name") or ""),
        target_namespace=str(metadata.get("namespace") or "default") if model.namespaced else "",
        source_kind__in=list(BINDINGS),
    )
    for kind, key in named.values_list("source_kind", "source_id").distinct()[: HOLDERS_MAX + 1]:
        binding = BINDINGS[kind].objects.system(WHY).filter(pk=key).first()
        if binding is not None:
            yield Holder(group=entitlement_of(binding.spec))


def known_members(spec: Any) -> int:
    """How many users are known here to be in the group that a binding names."""
    return int(Group.objects.filter(name=entitlement_of(spec), user__is_active=True).count())
