"""The rows of a rendered release's objects as delivery sees them: what is wanted, what went out, what was seen.

Whatever is written here is written in bulk: one statement for all objects that fared alike.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F

from catalog.compiler.documents import Document
from catalog.delivery.plane import Applied, ObjectKey, Place, WantedObject
from catalog.delivery.tracking import digest, tracked
from catalog.kinds.rendered_object import RenderedObject, bodies_of
from catalog.kinds.rendered_release import RenderedRelease
from catalog.store.documents import timestamp


def rows_of(release: RenderedRelease) -> list[RenderedObject]:
    """The objects in the order of application. One query, without the manifests."""
    return list(RenderedObject.objects.system("deliver").filter(rendered_release=release).order_by("position"))


def key_of(row: RenderedObject) -> ObjectKey:
    return ObjectKey(*row.identity)


def is_due(row: RenderedObject) -> bool:
    """Whether what is wanted is not what the plane took last."""
    return row.applied_hash != row.manifest_id or bool(row.apply_error)


def wanted_objects(rows: Sequence[RenderedObject], place: Place, restarted_at: str) -> list[WantedObject]:
    return [
        WantedObject(
            key=key_of(row),
            version=row.version,
            id=row.resource_id,
            digest=digest(row.manifest_id, row.resource_id, place, key_of(row), restarted_at),
            is_applied=not is_due(row),
        )
        for row in rows
    ]


def bodies_for(
    rows: Sequence[RenderedObject], place: Place, restarted_at: str
) -> Callable[[Collection[ObjectKey]], Mapping[ObjectKey, Document]]:
    """A function that reads the manifests of some objects, in their final form. One query for each call."""
    by_key = {key_of(row): row for row in rows}

    def read(keys: Collection[ObjectKey]) -> Mapping[ObjectKey, Document]:
        bodies = bodies_of(by_key[key].manifest_id for key in keys)
        return {
            key: tracked(bodies[by_key[key].manifest_id], by_key[key].resource_id, place, restarted_at) for key in keys
        }

    return read


def record(rows: Sequence[RenderedObject], applied: Applied, now: datetime) -> None:
    """Write down how the objects fared, on the rows given and in the database.

    A row whose manifest has changed since it was read is left alone: what it wants now has not been delivered.
    """
    taken = [row for row in rows if is_due(row) and key_of(row) not in applied.errors]
    if taken:
        hashes = {row.manifest_id for row in taken}
        held = RenderedObject.objects.system("deliver").filter(pk__in=[row.pk for row in taken], manifest_id__in=hashes)
        held.update(applied_hash=F("manifest_id"), applied_at=now, apply_error="")
        for row in taken:
            row.applied_hash, row.applied_at, row.apply_error = row.manifest_id, now, ""
    refused = [row for row in rows if row.apply_error != applied.errors.get(key_of(row), row.apply_error)]
    for row in refused:
        row.apply_error = applied.errors[key_of(row)]
    if refused:
        RenderedObject.objects.system("deliver").bulk_update(refused, ["apply_error"])
    if applied.observed is not None:
        record_observations(rows, applied, now)


def record_observations(rows: Sequence[RenderedObject], applied: Applied, now: datetime) -> None:
    """Write down what the plane reports, where it is news."""
    news = []
    for row in rows:
        seen = (applied.observed or {}).get(key_of(row))
        if seen is not None and (seen.status, seen.health) != (row.observed, row.health):
            row.observed, row.health, row.observed_at = seen.status, seen.health, now
            news.append(row)
    if news:
        RenderedObject.objects.system("deliver").bulk_update(news, ["observed", "health", "observed_at"])


def resource_statuses(rows: Sequence[RenderedObject]) -> list[Document]:
    """`status.resources`: the objects that the plane has taken."""
    return [resource_status(row) for row in rows if row.applied_hash]


def resource_status(row: RenderedObject) -> Document:
    """One entry, its optional fields left out where there is nothing to say, as in the contract."""
    seen_at = row.observed_at or row.applied_at
    entry: dict[str, Any] = {
        "id": row.resource_id,
        "group": row.group,
        "version": row.version,
        "kind": row.kind,
        "name": row.name,
        "namespace": row.namespace,
        "status": row.observed,
        "healthStatus": row.health or "Unknown",
        "lastObservedTime": timestamp(seen_at) if seen_at else None,
    }
    return {field: value for field, value in entry.items() if value not in ("", None)}
