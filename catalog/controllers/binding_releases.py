"""The rendered releases of a ReleaseBinding: one for the data plane, and one for the observability plane if need be.

Called by the ReleaseBinding controller with what it has rendered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from catalog import store
from catalog.compiler.documents import Document
from catalog.compiler.rendered import (
    OBSERVABILITY_PLANE,
    component_entries,
    rendered_release,
    rendered_release_name,
)
from catalog.controllers.binding_sync import CONFLICT_POLL, NotSynced
from catalog.controllers.component_manifests import Manifests
from catalog.controllers.conditions import Condition, true
from catalog.controllers.deletion import delete_all
from catalog.controllers.planes import resolve_observability_plane
from catalog.controllers.registry import Watch
from catalog.delivery.drift_records import ON_DRIFT
from catalog.kinds.base import PlatformObject
from catalog.kinds.release_binding import ReleaseBinding
from catalog.kinds.rendered_release import RenderedRelease
from catalog.releases.rendered import (
    ReleaseOwnershipConflict,
    ReleaseTerminating,
    is_owned_by,
    put_rendered_document,
)
from catalog.store.changes import Change
from catalog.store.write import Outcome
from portal.accounts.actor import Actor

RESTARTED_AT_ANNOTATION = "openchoreo.dev/restartedAt"
"""On a binding: when its pods were last asked to restart. Delivery passes it on to the Deployments."""
NOTHING_TO_OBSERVE = "no observability resources to deploy"

HeldReleases = Mapping[str, RenderedRelease]
"""The rendered releases that bear the binding's names, by name, whoever owns them."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What was written: the release for the data plane, and ReleaseSynced."""

    release: RenderedRelease
    synced: Condition


def release_names(binding: ReleaseBinding) -> tuple[str, str]:
    """The names of the releases for the data plane and for the observability plane."""
    owner, environment = binding.spec["owner"], binding.spec["environment"]
    return rendered_release_name(owner, environment), rendered_release_name(owner, environment, OBSERVABILITY_PLANE)


def held_releases(binding: ReleaseBinding) -> HeldReleases:
    """Both rendered releases, as far as they are there. One query."""
    rows = RenderedRelease.objects.system("reconcile").filter(
        namespace_id=binding.namespace_name, name__in=release_names(binding)
    )
    return {row.name: row for row in rows}


def put_releases(
    binding: ReleaseBinding, manifests: Manifests, data_plane: PlatformObject, held: HeldReleases, actor: Actor
) -> Delivery:
    """Write both releases, or take away the second when it is no longer wanted. Raises `NotSynced`."""
    name, second_name = release_names(binding)
    outcome = put(binding, manifests.data_plane, "dataplane", held.get(name), actor)
    skipped = why_second_is_skipped(manifests, data_plane)
    if skipped is None:
        second = put(binding, manifests.observability_plane, OBSERVABILITY_PLANE, held.get(second_name), actor)
        done = (second_name, operation(second), len(manifests.observability_plane))
    else:
        delete_owned(binding, [held[second_name]] if second_name in held else [], actor)
        done = None
    release: Any = outcome.obj
    synced = release_synced(name, operation(outcome), len(manifests.data_plane), done, skipped)
    return Delivery(release, synced)


def put(
    binding: ReleaseBinding, objects: list[Document], plane: str, held: RenderedRelease | None, actor: Actor
) -> Outcome:
    """Write one release. Raises `NotSynced`."""
    document = rendered_release(store.to_document(binding, with_status=False), component_entries(objects), plane)
    restarted_at = binding.annotations.get(RESTARTED_AT_ANNOTATION) if plane != OBSERVABILITY_PLANE else None
    annotations = {RESTARTED_AT_ANNOTATION: restarted_at} if restarted_at else {}
    if ON_DRIFT in binding.annotations:
        annotations[ON_DRIFT] = binding.annotations[ON_DRIFT]
    try:
        return put_rendered_document(document, binding, actor, annotations, held)
    except ReleaseOwnershipConflict as conflict:
        raise NotSynced("ReleaseOwnershipConflict", str(conflict), again_after=CONFLICT_POLL) from None
    except (ReleaseTerminating, store.StoreError) as error:
        words = "observability plane" if plane == OBSERVABILITY_PLANE else "dataplane"
        message = f"Failed to reconcile {words} Release: {error}"
        raise NotSynced("ReleaseUpdateFailed", message, again_after=CONFLICT_POLL) from None


def why_second_is_skipped(manifests: Manifests, data_plane: PlatformObject) -> str | None:
    """Why nothing goes to the observability plane, None if something does."""
    if not manifests.observability_plane:
        return NOTHING_TO_OBSERVE
    if resolve_observability_plane(data_plane) is not None:
        return None
    reference = data_plane.spec.get("observabilityPlaneRef")
    if not reference:
        return "ObservabilityPlane not found: no ObservabilityPlaneRef specified and there is no default plane"
    kind = "ClusterObservabilityPlane" if not data_plane.namespaced else reference.get("kind", "ObservabilityPlane")
    return f"ObservabilityPlane not found: {kind} '{reference['name']}' not found"


def operation(outcome: Outcome) -> str:
    """What was done, in the words of the contract's messages."""
    return {"created": "created", "changed": "updated", "unchanged": "unchanged"}[outcome.action]


def release_synced(
    name: str, done: str, count: int, second: tuple[str, str, int] | None, skipped: str | None
) -> Condition:
    """ReleaseSynced=True, saying what became of both releases."""
    if done == "unchanged":
        message = f'Dataplane Release "{name}" is up to date'
        if second is not None:
            message += f'; observability Release "{second[0]}" is {second[1]}'
    else:
        message = f'Dataplane Release "{name}" {done} with {count} resources'
        if second is not None:
            message += f'; observability Release "{second[0]}" {second[1]} with {second[2]} resources'
    if skipped is not None:
        message += f" (observability release skipped: {skipped})"
    return true("ReleaseSynced", "ReleaseSynced" if done == "unchanged" else "ReleaseCreated", message)


def delete_owned(binding: ReleaseBinding, held: Iterable[RenderedRelease], actor: Actor) -> list[PlatformObject]:
    """Ask for the deletion of those that the binding owns; return those that are still there."""
    return delete_all([release for release in held if is_owned_by(release, binding)], actor)


def bindings_awaiting_observability() -> list[Watch]:
    """A new or removed observability plane concerns all bindings in its reach: a rare event, so none is singled out."""

    def mapping(change: Change, watcher: str) -> Iterable[int]:
        rows = ReleaseBinding.objects.system("reconcile")
        if change.obj.namespaced:
            rows = rows.filter(namespace_id=change.obj.namespace_name)
        return rows.values_list("id", flat=True)

    kinds = ("ObservabilityPlane", "ClusterObservabilityPlane")
    return [Watch(kind, mapping, frozenset({"created", "deleted"})) for kind in kinds]
