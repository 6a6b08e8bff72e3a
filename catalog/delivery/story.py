"""Who stands behind a delivery: read from the log, where the binding's newest revision names its author."""

from __future__ import annotations

from typing import Any

from catalog import store
from catalog.delivery.plane import Story
from catalog.kinds.rendered_release import RenderedRelease

PINS = ("releaseName", "projectRelease", "resourceRelease")
"""How the three kinds of bindings name the release that they put in place."""


def story_of(release: RenderedRelease, plane: str) -> Story:
    """The story of what is delivered now; without an owner, the rendered release's own newest revision tells it."""
    owner = controlling_owner(release)
    told = newest_revision(owner["kind"], release.namespace_name, owner["name"]) if owner else None
    if told is None:
        told = newest_revision(release.kind, release.namespace_name, release.name) or {}
    spec = (told.get("after") or told.get("before") or {}).get("spec") or {}
    return Story(
        actor=told.get("actor", "system:rendered-release-controller"),
        request_id=told.get("request_id", ""),
        release=next((spec[field] for field in PINS if spec.get(field)), ""),
        generation=release.generation,
        plane=plane,
    )


def controlling_owner(release: RenderedRelease) -> dict[str, Any] | None:
    """The ownerReference of the binding that made it."""
    return next((reference for reference in release.owner_references if reference.get("controller")), None)


def newest_revision(kind: str, namespace: str, name: str) -> dict[str, Any] | None:
    found = store.history(kind, namespace, name).values("actor", "request_id", "before", "after").last()
    return None if found is None else dict(found)
