"""The scope objects around a place, from the cluster inwards."""

from __future__ import annotations

from catalog.access.compile import scope_object
from portal.access.actions import Level
from portal.access.place import Place


def scopes_around(place: Place) -> list[tuple[Level, int]]:
    """Levels and keys of the places around one, the cluster first and itself last; empty if it does not exist.

    One query for each level.
    """
    found: list[tuple[Level, int]] = []
    for outer in places_around(place):
        scope = scope_object(outer)
        if scope is None:
            return []
        found.append((outer.level, scope.pk))
    return found


def places_around(place: Place) -> list[Place]:
    """The places that contain one, the cluster first and itself last."""
    around = [Place(), Place(place.namespace), Place(place.namespace, place.project), place]
    return list(dict.fromkeys(outer for outer in around if outer.contains(place)))
