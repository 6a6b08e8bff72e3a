"""Who stands behind a delivery: read from the log.

The binding's newest revision names its author. Where that is a controller, as with auto-deploy, it acted on somebody's
change of the component, its workload or its type; the newest of these names the person.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from catalog import store
from catalog.delivery.plane import Story
from catalog.kinds.rendered_release import RenderedRelease
from catalog.kinds.workload import Workload
from catalog.store.models import Revision

PINS = ("releaseName", "projectRelease", "resourceRelease")
"""How the three kinds of bindings name the release that they put in place."""


def story_of(release: RenderedRelease, plane: str) -> Story:
    """The story of what is delivered now; without an owner, the rendered release's own newest revision tells it."""
    owner = controlling_owner(release)
    told = newest_revision(owner["kind"], release.namespace_name, owner["name"]) if owner else None
    if told is None:
        told = newest_revision(release.kind, release.namespace_name, release.name) or {}
    author = told
    if told.get("actor_kind") == "system" and release.spec["owner"].get("componentName"):
        author = newest_change_by_a_person(release) or told
    spec = (told.get("after") or told.get("before") or {}).get("spec") or {}
    return Story(
        actor=author.get("actor", "system:rendered-release-controller"),
        request_id=author.get("request_id", ""),
        release=next((spec[field] for field in PINS if spec.get(field)), ""),
        generation=release.generation,
        plane=plane,
        through="" if author is told else told["actor"],
    )


def newest_change_by_a_person(release: RenderedRelease) -> dict[str, Any] | None:
    """The newest revision of what the component's release is made of that a person, agent or service account made."""
    component = release.component
    if component is None:
        return None
    component_type = component.component_type or component.cluster_component_type
    sources = [
        component,
        *Workload.objects.system("deliver").filter(component=component),
        *([component_type] if component_type else []),
    ]
    made_of = Q()
    for source in sources:
        made_of |= Q(kind=source.kind, namespace=source.namespace_name, name=source.name)
    rows = (
        Revision.objects.system("deliver")
        .filter(made_of)
        .exclude(actor_kind="system")
        .exclude(action=Revision.Action.STATUS)
    )
    return rows.order_by("-sequence").values("actor", "request_id").first()


def controlling_owner(release: RenderedRelease) -> dict[str, Any] | None:
    """The ownerReference of the binding that made it."""
    return next((reference for reference in release.owner_references if reference.get("controller")), None)


def newest_revision(kind: str, namespace: str, name: str) -> dict[str, Any] | None:
    found = store.history(kind, namespace, name).values("actor", "actor_kind", "request_id", "before", "after").last()
    return None if found is None else dict(found)
