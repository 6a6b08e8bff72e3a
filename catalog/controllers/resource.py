"""Resource: cuts a release whenever its type or parameters change. Which environment takes it is for people to say.

Sets Ready (Reconciled; ResourceTypeNotFound, ReleaseOwnershipConflict) and, while being deleted, Finalizing. Status:
`latestRelease{name, hash}`.

The pin of a ResourceReleaseBinding is never touched, with one exception that the binding asks for: the annotation
`stagecraft.dev/follow-latest: "true"` has it follow the newest release, as autoDeploy does for a component's first
environment. Bindings that retain what they made are left alone when the resource is deleted, and hold it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from catalog import store
from catalog.compiler.release_hash import resource_release_hash
from catalog.compiler.releases import resource_release_spec
from catalog.controllers.conditions import Condition, false, true, with_conditions
from catalog.controllers.deletion import delete_all, when_child_is_gone
from catalog.controllers.pins import pin
from catalog.controllers.registry import Result, by_others, controller, owner_of, referrers
from catalog.controllers.release_cut import ReleaseNameTaken, ensure_release, type_not_found
from catalog.controllers.retain_policy import LET_GO_ANNOTATION, is_retained
from catalog.kinds.base import PlatformObject
from catalog.kinds.resource import Resource
from catalog.kinds.resource_release import ResourceRelease
from catalog.kinds.resource_release_binding import ResourceReleaseBinding
from portal.accounts.actor import system

ACTOR = system("resource-controller")
FOLLOW_ANNOTATION = "stagecraft.dev/follow-latest"


@controller(
    "Resource",
    related=("resource_type", "cluster_resource_type"),
    watches=[
        referrers("ResourceType"),
        referrers("ClusterResourceType"),
        by_others(ACTOR, owner_of("ResourceReleaseBinding", "resource", actions=("created", "changed"))),
        when_child_is_gone("ResourceReleaseBinding", "resource"),
    ],
)
def reconcile(resource: Resource) -> Result:
    """One look: the release, the bindings that follow it, the status; or a step of the deletion."""
    with suppress(store.Terminating), store.transaction():
        # Suppressed: a namespace that is being deleted takes nothing new, and will take this along.
        if resource.deleted_at is not None:
            finalize(resource)
            return Result()
        latest, ready = cut_release(resource)
        status = with_conditions(resource, [ready])
        if latest:
            status["latestRelease"] = latest
            advance_followers(resource, latest["name"])
        store.write_status(resource, status, ACTOR)
    return Result()


def cut_release(resource: Resource) -> tuple[dict[str, str] | None, Condition]:
    """Make sure that the release of the present type and parameters exists: (latestRelease or None, Ready)."""
    resource_type = resource.cluster_resource_type or resource.resource_type
    if resource_type is None:
        return None, false("Ready", "ResourceTypeNotFound", type_not_found(resource.spec["type"]))
    spec = resource_release_spec(store.to_document(resource), store.to_document(resource_type))
    release_hash = resource_release_hash(spec)
    try:
        name = ensure_release("ResourceRelease", resource, release_hash, spec, ACTOR)
    except ReleaseNameTaken as taken:
        return None, false("Ready", "ReleaseOwnershipConflict", str(taken))
    return {"name": name, "hash": release_hash}, true("Ready", "Reconciled", f"ResourceRelease {name} in place")


def advance_followers(resource: Resource, release_name: str) -> None:
    """Pin the release on the bindings that ask to follow the newest."""
    for binding in ResourceReleaseBinding.objects.system("reconcile").filter(resource=resource, deleted_at=None):
        follows = binding.annotations.get(FOLLOW_ANNOTATION, "").lower() == "true"
        if follows and binding.spec.get("resourceRelease") != release_name:
            pin(binding, "resourceRelease", release_name, ACTOR)


def finalize(resource: Resource) -> None:
    """Delete the bindings, but for the retained, then the releases; let the resource go when nothing is left."""
    bindings = list(
        ResourceReleaseBinding.objects.system("reconcile").filter(resource=resource).select_related("resource_release")
    )
    retained = [binding for binding in bindings if is_retained(binding)]
    remaining = delete_all([binding for binding in bindings if binding not in retained], ACTOR)
    if retained or remaining:
        report_waiting(resource, f"Waiting for ResourceReleaseBindings to be deleted{held_by(retained)}")
        return
    if delete_all(ResourceRelease.objects.system("reconcile").filter(resource=resource), ACTOR):
        report_waiting(resource, "Waiting for ResourceReleases to be deleted")
        return
    store.remove_finalizer(resource, Resource.finalizer, ACTOR)


def held_by(retained: Sequence[PlatformObject]) -> str:
    """Who keeps the resource, for its message: "" if nobody does."""
    if not retained:
        return ""
    names = ", ".join(f'"{binding.name}"' for binding in retained)
    return (
        f"; retainPolicy=Retain holds {names} and what it made: to delete both, delete the binding with the annotation "
        f'{LET_GO_ANNOTATION}: "true"'
    )


def report_waiting(resource: Resource, message: str) -> None:
    store.write_status(resource, with_conditions(resource, [true("Finalizing", "Finalizing", message)]), ACTOR)
