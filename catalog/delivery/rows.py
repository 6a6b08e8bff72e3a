"""The rows of a rendered release's objects as delivery sees them: what is wanted, what went out, what was seen.

Whatever is written here is written in bulk: one statement for all objects that fared alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F

from catalog.compiler.documents import Document
from catalog.delivery.drift_records import Stance
from catalog.delivery.plane import Applied, ObjectKey, Place, WantedObject
from catalog.delivery.tracking import digest, tracked
from catalog.kinds.rendered_object import RenderedObject, bodies_of
from catalog.kinds.rendered_release import RenderedRelease
from catalog.store.documents import timestamp

OBSERVED = ["observed", "health", "observed_at", "seen_digest", "live_digest", "live_version"]


def rows_of(release: RenderedRelease) -> list[RenderedObject]:
    """The objects in the order of application. One query, without the manifests."""
    return list(RenderedObject.objects.system("deliver").filter(rendered_release=release).order_by("position"))


def key_of(row: RenderedObject) -> ObjectKey:
    return ObjectKey(*row.identity)


def is_due(row: RenderedObject) -> bool:
    """Whether what is wanted is not what the plane took last, or not what it held when it was last looked at."""
    return row.applied_hash != row.manifest_id or bool(row.apply_error) or row.live_digest != row.seen_digest


def has_drifted(row: RenderedObject) -> bool:
    """Whether the plane took the object, and it is not any more as it was left."""
    return bool(row.applied_hash) and row.live_digest != row.seen_digest


def wanted_objects(
    rows: Sequence[RenderedObject], place: Place, restarted_at: str, delivered_restart: str, stance: Stance
) -> list[WantedObject]:
    """What shall be there. A restart that is not `delivered_restart` makes due what takes restarts.

    `stance`: what was decided about drift. What is to be held is held as long as nothing else is wanted of it.
    """
    return [
        WantedObject(
            key=key_of(row),
            version=row.version,
            id=row.resource_id,
            digest=digest(row.manifest_id, row.resource_id, place, key_of(row), restarted_at),
            is_applied=not is_due(row) and (restarted_at == delivered_restart or not row_takes_restarts(row)),
            seen=row.seen_digest,
            is_drifted=has_drifted(row),
            is_held=row.applied_hash == row.manifest_id and stance.holds(key_of(row)),
            ignored=stance.ignored.get(key_of(row), ()),
            applied_at=timestamp(row.applied_at) if row.applied_at and row.applied_hash else "",
        )
        for row in rows
    ]


def row_takes_restarts(row: RenderedObject) -> bool:
    return (row.group, row.kind) == ("apps", "Deployment")


def kinds_of(rows: Iterable[RenderedObject]) -> set[str]:
    """The kinds of the objects as a `Place` keeps them."""
    return {f"{row.group}/{row.kind}" for row in rows}


def which_objects(rows: Iterable[RenderedObject]) -> str:
    """A digest of which objects these are, whatever they say."""
    names = sorted("/".join(row.identity) for row in rows)
    return hashlib.blake2b("\n".join(names).encode(), digest_size=16).hexdigest()


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


def former_bodies_for(
    rows: Sequence[RenderedObject], place: Place, delivered_restart: str
) -> Callable[[Collection[ObjectKey]], Mapping[ObjectKey, Document]]:
    """A function that reads the manifests that the plane took last, in their final form. One query for each call."""
    by_key = {key_of(row): row for row in rows if row.applied_hash}

    def read(keys: Collection[ObjectKey]) -> Mapping[ObjectKey, Document]:
        taken = [(key, by_key[key]) for key in keys if key in by_key]
        bodies = bodies_of(row.applied_hash for _, row in taken)
        return {
            key: tracked(bodies[row.applied_hash], row.resource_id, place, delivered_restart)
            for key, row in taken
            if row.applied_hash in bodies
        }

    return read


def sent_keys(rows: Sequence[RenderedObject], applied: Applied) -> list[ObjectKey]:
    """The objects that were sent because something else was wanted of them, and were taken."""
    return [
        key
        for row in rows
        if row.applied_hash != row.manifest_id
        and (key := key_of(row)) not in applied.errors
        and key not in applied.drifted
    ]


def record(rows: Sequence[RenderedObject], applied: Applied, now: datetime) -> None:
    """Write down how the objects fared, on the rows given and in the database.

    A row whose manifest has changed since it was read is left alone: what it wants now has not been delivered.
    """
    left = {key for key, found in applied.drifted.items() if found.is_held}
    taken = [row for row in rows if is_due(row) and key_of(row) not in applied.errors and key_of(row) not in left]
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
        save_columns(refused, ["apply_error"])
    if applied.observed is not None:
        record_observations(rows, applied, now)
    elif any(row.seen_digest or row.live_digest for row in rows):
        # The release has come from a plane that observes to one that does not.
        RenderedObject.objects.system("deliver").filter(pk__in=[row.pk for row in rows]).update(
            seen_digest="", live_digest="", live_version=0
        )


def record_observations(rows: Sequence[RenderedObject], applied: Applied, now: datetime) -> None:
    """Write down what the plane reports of objects as a delivery has left them, where it is news.

    The watch may have seen something newer meanwhile; then that stays, and only what the delivery made is noted.
    """
    found = {row.pk: seen for row in rows if (seen := (applied.observed or {}).get(key_of(row))) is not None}
    if not found:
        return
    locked = RenderedObject.objects.system("deliver").select_for_update().filter(pk__in=found)
    versions = dict(locked.values_list("pk", "live_version"))
    news = []
    for row in rows:
        seen = found.get(row.pk)
        if seen is None or row.pk not in versions:
            continue
        before = tuple(getattr(row, column) for column in OBSERVED)
        row.seen_digest = seen.digest
        if seen.version >= versions[row.pk]:
            row.observed, row.health, row.live_digest, row.live_version = (
                seen.status, seen.health, seen.digest, seen.version,
            )  # fmt: skip
            row.observed_at = now if before[:2] != (seen.status, seen.health) else row.observed_at
        else:
            row.refresh_from_db(fields=["observed", "health", "live_digest", "live_version", "observed_at"])
        if tuple(getattr(row, column) for column in OBSERVED) != before:
            news.append(row)
    if news:
        save_columns(news, OBSERVED)


def save_columns(rows: Sequence[RenderedObject], columns: Sequence[str]) -> None:
    """Write these columns of the rows: one plain statement with many values.

    `bulk_update` builds an expression over all rows and columns, which costs a worker a third of a delivery.
    """
    fields = [RenderedObject._meta.get_field(name) for name in columns]
    assignments = ", ".join(f"{connection.ops.quote_name(field.column)} = %s" for field in fields)
    values = [[*(field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields), row.pk]
              for row in rows]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.executemany(f"UPDATE {RenderedObject._meta.db_table} SET {assignments} WHERE id = %s", values)  # noqa: S608


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
