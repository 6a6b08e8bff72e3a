"""What the platform made of a binding: rendered releases and the manifests in them, with their state on the plane."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from catalog.compiler import yaml
from catalog.kinds.base import Document, PlatformObject
from catalog.kinds.rendered_object import RenderedObject
from catalog.kinds.rendered_release import RenderedRelease
from catalog.releases.rendered import is_owned_by
from catalog.store.models import ObjectReference

RENDERED_KINDS = frozenset({"ReleaseBinding", "ProjectReleaseBinding", "ResourceReleaseBinding", "RenderedRelease"})


@dataclass(frozen=True)
class Rendered:
    """A rendered release and its objects in the order of their application, manifests loaded."""

    release: RenderedRelease
    objects: list[RenderedObject]

    @property
    def target_plane(self) -> str:
        return str(self.release.spec.get("targetPlane", "dataplane"))


def rendered_of(obj: PlatformObject) -> list[Rendered]:
    """What was rendered for a binding, or a rendered release itself; nothing for other kinds. At most two queries."""
    if isinstance(obj, RenderedRelease):
        releases = [obj]
    elif obj.kind in RENDERED_KINDS:
        releases = releases_of(obj)
    else:
        return []
    rows = (
        RenderedObject.objects.system("of a permitted object")
        .filter(rendered_release__in=releases)
        .select_related("manifest")
        .order_by("position")
    )
    by_release: dict[int, list[RenderedObject]] = {release.pk: [] for release in releases}
    for row in rows:
        by_release[row.rendered_release_id].append(row)
    return [Rendered(release, by_release[release.pk]) for release in releases]


def releases_of(binding: PlatformObject) -> list[RenderedRelease]:
    """The rendered releases that a binding's controller made: of its environment, and owned by that very object."""
    of_environment = ObjectReference.objects.filter(
        source_kind="RenderedRelease",
        role="environment",
        target_kind="Environment",
        target_namespace=binding.namespace_name,
        target_name=binding.spec.get("environment", ""),
    )
    candidates = (
        RenderedRelease.objects.system("of a permitted object")
        .filter(pk__in=of_environment.values("source_id"))
        .order_by("name")
    )
    return [release for release in candidates if is_owned_by(release, binding)]


def as_yaml(objects: Iterable[RenderedObject]) -> str:
    """The manifests as one YAML stream."""
    return "---\n".join(yaml.dump(row.manifest.body) for row in objects)


def state_of(row: RenderedObject) -> Document:
    """How one object fares: wanted and applied hash, when, health, and what went wrong."""
    return {
        "id": row.resource_id,
        "hash": row.manifest_id,
        "isApplied": row.applied_hash == row.manifest_id,
        "health": row.health or "Unknown",
        **({"applyError": row.apply_error} if row.apply_error else {}),
    }
