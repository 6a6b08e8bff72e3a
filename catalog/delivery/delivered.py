"""What delivery remembers of a rendered release, on its row: where its objects are, and what was put there last.

Written before the first object goes out, so that whatever happens then, clean-up knows where to look, also when the
environment or the plane has been deleted meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from catalog.delivery.drivers import Location, is_same_store
from catalog.delivery.plane import Place
from catalog.kinds.rendered_release import RenderedRelease


@dataclass(frozen=True, slots=True)
class Delivered:
    """`leaving`: planes that this release has moved away from and that still have to be cleaned up.

    `generation`, `restarted_at`, `revision` and `state` are of the last complete delivery; 0 and "" before it.
    `objects` is a digest of which objects the place holds, "" while that is not certain.
    """

    location: Location
    place: Place
    leaving: tuple[Location, ...] = ()
    generation: int = 0
    restarted_at: str = ""
    revision: str = ""
    state: str = ""
    objects: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "location": self.location.to_json(),
            "place": self.place.to_json(),
            "leaving": [location.to_json() for location in self.leaving],
            "generation": self.generation,
            "restartedAt": self.restarted_at,
            "revision": self.revision,
            "state": self.state,
            "objects": self.objects,
        }

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> Delivered:
        return cls(
            location=Location.from_json(held["location"]),
            place=Place.from_json(held["place"]),
            leaving=tuple(Location.from_json(item) for item in held["leaving"]),
            generation=held["generation"],
            restarted_at=held["restartedAt"],
            revision=held["revision"],
            state=held["state"],
            objects=held.get("objects", ""),
        )


def delivered_of(release: RenderedRelease) -> Delivered | None:
    """What is remembered, None before the first delivery."""
    return None if release.delivered_to is None else Delivered.from_json(release.delivered_to)


def remember(release: RenderedRelease, delivered: Delivered) -> None:
    """Keep it on the row."""
    release.delivered_to = delivered.to_json()
    RenderedRelease.objects.system("deliver").filter(pk=release.pk).update(delivered_to=release.delivered_to)


def bound_for(release: RenderedRelease, location: Location) -> Delivered:
    """What is remembered, with this location as the one to deliver to; the one before, if another, is to be left."""
    before = delivered_of(release)
    if before is None:
        return Delivered(location, place_of(release))
    if before.location == location:
        return before
    left = [*before.leaving, *(() if before.location in before.leaving else (before.location,))]
    leaving = tuple(item for item in left if not is_same_store(item, location))
    return replace(before, location=location, leaving=leaving, generation=0, state="", objects="")


def place_of(release: RenderedRelease) -> Place:
    """Whose objects they are."""
    spec = release.spec
    owner = spec["owner"]
    return Place(
        namespace=release.namespace_name,
        environment=spec["environmentName"],
        project=owner["projectName"],
        component=owner.get("componentName") or "",
        resource=owner.get("resourceName") or "",
        target=spec.get("targetPlane") or "dataplane",
        release=release.name,
        uid=str(release.uid),
    )
