"""Who refers to whom: keeps `ObjectReference` rows and the foreign keys of the kinds in step with the documents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any

from django.db.models import QuerySet

from catalog.kinds.base import PlatformObject, Ref
from catalog.kinds.registry import kind_named
from catalog.store.models import ObjectReference
from portal.prepared import Statement, statement


def references_of(obj: PlatformObject) -> list[Ref]:
    """What the object names, each reference once."""
    found = type(obj).references_of(obj.namespace_name, obj.spec or {}, obj.status or {})
    return list(dict.fromkeys(found))


@cache
def foreign_key_roles(model: type[PlatformObject]) -> frozenset[str]:
    """The roles for which the model has a foreign key to another kind."""
    return frozenset(
        field.name
        for field in model._meta.get_fields()
        if field.many_to_one and field.concrete and field.name != "namespace"
    )


def resolve_foreign_keys(obj: PlatformObject, references: Iterable[Ref]) -> None:
    """Point the row's foreign keys at the objects that it names, or at nothing. Does not save the row."""
    model = type(obj)
    wanted = {reference.role: reference for reference in references}
    for role in foreign_key_roles(model):
        reference = wanted.get(role)
        identity = None if reference is None else identity_of(reference.kind, reference.namespace, reference.name)
        setattr(obj, f"{role}_id", identity)


def identity_of(kind: str, namespace: str, name: str) -> int | None:
    """The primary key of the named object, or None."""
    found = keys(kind_named(kind)).rows(namespace=namespace, name=name)
    return found[0][0] if found else None


@cache
def keys(model: type[PlatformObject]) -> Statement:
    rows: Any = model.objects.system("store").values_list("id")
    if not model.namespaced:
        return statement(lambda name: rows.filter(name=name), "name")
    return statement(lambda namespace, name: rows.filter(namespace_id=namespace, name=name), "namespace", "name")


def save_references(obj: PlatformObject, references: Iterable[Ref], *, created: bool) -> None:
    """Bring the object's rows of `ObjectReference` in step: what is new is added, what is gone is dropped."""
    wanted = set(references)
    identity = int(obj.pk)
    if not created:
        rows = ObjectReference.objects.filter(source_kind=obj.kind, source_id=identity)
        stale = []
        for row in rows:
            held = Ref(row.role, row.target_kind, row.target_namespace, row.target_name)
            if held in wanted:
                wanted.discard(held)
            else:
                stale.append(row.pk)
        if stale:
            ObjectReference.objects.filter(pk__in=stale).delete()
    if wanted:
        ObjectReference.objects.bulk_create(
            ObjectReference(
                source_kind=obj.kind,
                source_id=identity,
                role=reference.role,
                target_kind=reference.kind,
                target_namespace=reference.namespace,
                target_name=reference.name,
            )
            for reference in wanted
        )


def drop_references(obj: PlatformObject) -> None:
    """Forget what a removed object named."""
    ObjectReference.objects.filter(source_kind=obj.kind, source_id=int(obj.pk)).delete()


def link_referrers(obj: PlatformObject) -> None:
    """Point the foreign keys of those who named the object before it existed."""
    dangling: dict[tuple[str, str], list[int]] = defaultdict(list)
    for source_kind, role, source_id in referring().rows(kind=obj.kind, namespace=obj.namespace_name, name=obj.name):
        dangling[source_kind, role].append(source_id)
    for (source_kind, role), identities in dangling.items():
        model = kind_named(source_kind)
        if role in foreign_key_roles(model):
            model.objects.system("store").filter(pk__in=identities).update(**{f"{role}_id": obj.pk})


@cache
def referring() -> Statement:
    """Kind, role and key of those who name an object."""
    return statement(
        lambda *target: referrers(*target).values_list("source_kind", "role", "source_id"), "kind", "namespace", "name"
    )


def referrers(kind: str, namespace: str, name: str) -> QuerySet[ObjectReference]:
    """The references whose target is that object."""
    return ObjectReference.objects.filter(target_kind=kind, target_namespace=namespace, target_name=name)
