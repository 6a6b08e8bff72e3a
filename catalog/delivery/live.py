"""What a plane holds of a rendered release now: for those who want to see the objects, not our record of them.

Called by the API (the tree of a binding's objects, logs, commands). Reads only.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalog.compiler.documents import Document
from catalog.delivery import rows as object_rows
from catalog.delivery.delivered import delivered_of
from catalog.delivery.drivers import plane_at
from catalog.delivery.plane import ObjectKey, Place, Plane, PlaneNotConfigured
from catalog.kinds.rendered_release import RenderedRelease


@dataclass(frozen=True, slots=True)
class LiveObject:
    """An object as the plane holds it. `health` is "Unknown" where the plane does not report it."""

    key: ObjectKey
    version: str
    id: str
    body: Document
    health: str


def plane_of(release: RenderedRelease) -> tuple[Plane, Place]:
    """Where a release has been delivered to. Raises `PlaneNotConfigured` if that is nowhere yet."""
    delivered = delivered_of(release)
    if delivered is None:
        raise PlaneNotConfigured(f"{release} has not been delivered yet")
    return plane_at(delivered.location), delivered.place


def live_objects(release: RenderedRelease) -> list[LiveObject]:
    """The objects of a release in the order of application; none before its first delivery. Raises `PlaneError`."""
    if release.delivered_to is None:
        return []
    plane, place = plane_of(release)
    health = {object_rows.key_of(row): row.health for row in object_rows.rows_of(release)}
    found = []
    for owned in plane.list_owned(place):
        body = plane.read(place, owned.key)
        if body is not None:
            found.append(LiveObject(owned.key, owned.version, owned.id, body, health.get(owned.key) or "Unknown"))
    return found
