"""A deletion as a plan: what goes in which order, what holds it up and by which name, and what stays on clusters.

The same plan before it is asked for and while it is under way; then each step says how far it is. `force` lets go of
what waits for a plane or for a person's word about what is to be retained, and says what it leaves behind. Called by
`manage.py delete --plan` and `--force`, the REST endpoint and the admin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from catalog import store
from catalog.controllers.conditions import true, with_conditions
from catalog.controllers.models import WorkItem
from catalog.controllers.retain_policy import LET_GO_ANNOTATION, is_retained
from catalog.delivery import rows as object_rows
from catalog.delivery.delivered import delivered_of
from catalog.delivery.drivers import plane_at
from catalog.delivery.plane import PlaneError
from catalog.kinds.base import Document, PlatformObject
from catalog.kinds.registry import BY_KIND
from catalog.kinds.rendered_object import bodies_of
from catalog.kinds.rendered_release import RenderedRelease
from catalog.kinds.resource_release_binding import ResourceReleaseBinding
from catalog.manifests.belonging import children_of, had_belonged
from catalog.store.models import Revision
from catalog.store.references import referrers
from portal.accounts.actor import Actor

HOLDERS = {
    "Environment": ("DeploymentPipeline", "has it in its promotion paths: take it out there"),
    "DeploymentPipeline": ("Project", "follows it: give the project another pipeline"),
    "DataPlane": ("Environment", "is on it: delete the environment or point it at another plane"),
    "ClusterDataPlane": ("Environment", "is on it: delete the environment or point it at another plane"),
}
"""Kinds that wait until nobody of another kind names them, and what to do about that."""
LOOKED_AT = 50
"""Objects of one release that are asked for on the plane while they are being removed."""
DONE_SHOWN = 1000


class NotForced(ValueError):
    """Why a deletion cannot be forced. The text says what to do instead."""


@dataclass
class Step:
    """One object that goes. `objects` are on planes, and go with it; `blockers` say what it waits for."""

    kind: str
    namespace: str
    name: str
    state: str
    """to do, deleting, blocked or done"""
    blockers: list[str] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)
    plane: str = ""
    obj: PlatformObject | None = None
    """The object, unless it is gone."""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass
class Plan:
    """All steps in their order, the object itself last, and what stays on planes with the reason."""

    target: PlatformObject
    steps: list[Step] = field(default_factory=list)
    stays: list[str] = field(default_factory=list)

    @property
    def blockers(self) -> list[str]:
        return [f"{step}: {blocker}" for step in self.steps for blocker in step.blockers]


def plan_of(target: PlatformObject) -> Plan:
    """The plan of an object's deletion, as it stands now. Planes are asked only about what is being removed."""
    plan = Plan(target)
    for obj in in_order(target, set()):
        plan.steps.append(Step(obj.kind, obj.namespace_name, obj.name, "to do", obj=obj))
    going = {(step.kind, step.namespace, step.name) for step in plan.steps}
    for step in plan.steps:
        describe(step, plan, going)
    plan.steps = [*done_steps(target), *plan.steps]
    return plan


def in_order(obj: PlatformObject, seen: set[tuple[str, int]]) -> Iterator[PlatformObject]:
    """What goes before the object, then the object; each once."""
    if (obj.kind, obj.pk) in seen:
        return
    seen.add((obj.kind, obj.pk))
    for stage in children_of(obj):
        for child in stage:
            yield from in_order(child, seen)
    yield obj


def describe(step: Step, plan: Plan, going: set[tuple[str, str, str]]) -> None:
    """Fill in what holds a step up, what it removes from planes, and what it leaves there."""
    obj: Any = step.obj
    step.blockers += list(held_by_others(obj, going))
    if isinstance(obj, ResourceReleaseBinding) and is_retained(obj):
        step.blockers.append(
            f"retainPolicy=Retain holds it and what it made: annotate it {LET_GO_ANNOTATION}=true to delete both, or "
            "force to keep what is on the plane and forget it here"
        )
    if isinstance(obj, RenderedRelease):
        describe_release(step, plan, obj)
    if obj.deleted_at is not None:
        step.blockers += failures_of(obj)
        step.state = "blocked" if step.blockers else "deleting"
    elif step.blockers:
        step.state = "blocked"


def held_by_others(obj: PlatformObject, going: set[tuple[str, str, str]]) -> Iterator[str]:
    """Those who name the object and do not go with it."""
    if obj.kind not in HOLDERS:
        return
    kind, what = HOLDERS[obj.kind]
    sources = referrers(obj.kind, obj.namespace_name, obj.name).filter(source_kind=kind).values("source_id")
    rows: Any = BY_KIND[kind].objects.system("deletion").filter(pk__in=sources).order_by("name")
    for other in rows:
        if (other.kind, other.namespace_name, other.name) not in going:
            yield f'{kind} "{other.name}" {what}'


def describe_release(step: Step, plan: Plan, release: RenderedRelease) -> None:
    """What a rendered release has on its plane, and what keeps it there."""
    delivered = delivered_of(release)
    rows = [row for row in object_rows.rows_of(release) if row.applied_hash]
    if delivered is None:
        return
    step.plane = str(delivered.location)
    step.objects = [str(row) for row in rows]
    owner: Document = next((item for item in release.owner_references if item.get("controller")), {})
    binding = store.get_or_none("ResourceReleaseBinding", release.namespace_name, str(owner.get("name") or ""))
    if isinstance(binding, ResourceReleaseBinding) and owner.get("kind") == binding.kind and is_retained(binding):
        plan.stays += [f"{row} on {step.plane}: retainPolicy=Retain" for row in rows]
    sets = [row for row in rows if row.kind == "StatefulSet"]
    bodies: Any = bodies_of(row.manifest_id for row in sets)
    for row in sets:
        if (bodies[row.manifest_id].get("spec") or {}).get("volumeClaimTemplates"):
            plan.stays.append(f"the volume claims of {row} on {step.plane}: Kubernetes keeps them")
    if release.deleted_at is None:
        return
    finalizing = release.condition("Finalizing") or {}
    if finalizing.get("reason") == "CleanupFailed":
        step.blockers.append(str(finalizing["message"]))
    else:
        step.blockers += held_on_plane(delivered)


def held_on_plane(delivered: Any) -> Iterator[str]:
    """The objects that are being removed from the plane and do not go, with those who hold them there."""
    try:
        plane = plane_at(delivered.location)
        if not plane.capabilities.reads_live:
            return
        for owned in plane.list_owned(delivered.place)[:LOOKED_AT]:
            live = plane.read(delivered.place, owned.key)
            finalizers = ", ".join((live or {}).get("metadata", {}).get("finalizers") or ())
            if live is not None and live["metadata"].get("deletionTimestamp") and finalizers:
                yield f"{owned.key} is held on {delivered.location} by its finalizer {finalizers}"
    except PlaneError as error:
        yield str(error)


def failures_of(obj: PlatformObject) -> list[str]:
    """What the controller says where its looks fail."""
    row = WorkItem.objects.filter(kind=obj.kind, object_id=obj.pk).exclude(last_error="").first()
    return [] if row is None else [f"its controller fails: {row.last_error.strip().splitlines()[-1][:300]}"]


def done_steps(target: PlatformObject) -> list[Step]:
    """What has gone already since the deletion was asked for, from the log."""
    if target.deleted_at is None:
        return []
    belongs = had_belonged(target.kind, target.namespace_name, target.name, store.to_document(target))
    return [
        Step(row.kind, row.namespace, row.name, "done")
        for row in gone_since(target)
        if row.before is not None and belongs(row.kind, row.namespace, row.before)
    ]


def gone_since(target: PlatformObject) -> Iterator[Revision]:
    """The objects that have gone since then, in the target's namespace."""
    namespace = target.name if target.kind == "Namespace" else target.namespace_name
    rows = Revision.objects.system("deletion").filter(
        namespace=namespace, action=Revision.Action.DELETED, recorded_at__gte=target.deleted_at
    )
    yield from rows.order_by("sequence")[:DONE_SHOWN]


# Force ----------------------------------------------------------------------------------------------------------------


def force(target: PlatformObject, actor: Actor) -> list[str]:
    """Let go of what waits for a plane or is retained. Returns what is left on planes, by name.

    The deletion must have been asked for: whoever forces it first looks at the plan. Raises `NotForced`.
    """
    if target.deleted_at is None:
        raise NotForced(f"{target.kind} {target.name} is not being deleted; ask for its deletion first")
    plan = plan_of(target)
    left: list[str] = []
    with store.transaction():
        for step in plan.steps:
            held: Any = step.obj
            if isinstance(held, ResourceReleaseBinding) and is_retained(held):
                left += let_go_of_binding(held, actor)
            elif isinstance(held, RenderedRelease) and held.deleted_at is not None:
                left += let_go_of_release(held, actor)
    holders = [text for step in plan.steps for text in step.blockers if step.kind in HOLDERS]
    if holders and not left:
        raise NotForced(f"force does not take references away: {'; '.join(holders)}")
    return left


def let_go_of_binding(binding: ResourceReleaseBinding, actor: Actor) -> list[str]:
    """Forget a retained binding and its rendered release; what it made stays on the plane."""
    left = []
    for stage in children_of(binding):
        for release in stage:
            assert isinstance(release, RenderedRelease)  # noqa: S101 - a binding's children are
            left += let_go_of_release(release, actor)
    if binding.deleted_at is None:
        store.delete(binding.kind, binding.namespace_name, binding.name, actor)
    for finalizer in list(binding.finalizers):
        store.remove_finalizer(binding, finalizer, actor)
    return left


def let_go_of_release(release: RenderedRelease, actor: Actor) -> list[str]:
    """Forget a rendered release without its plane; its status says last what is left there."""
    delivered = delivered_of(release)
    where = str(delivered.location) if delivered is not None else ""
    left = [f"{row} on {where}" for row in object_rows.rows_of(release) if row.applied_hash and delivered is not None]
    if release.deleted_at is None:
        held: Any = store.delete(release.kind, release.namespace_name, release.name, actor)
        release.deleted_at = held.deleted_at
    message = f"forced by {actor.name}; left there: {', '.join(left) or 'nothing'}"
    store.write_status(release, with_conditions(release, [true("Finalizing", "CleanupFailed", message)]), actor)
    for finalizer in list(release.finalizers):
        store.remove_finalizer(release, finalizer, actor)
    return left


# In words -------------------------------------------------------------------------------------------------------------


def plan_document(plan: Plan, may_see: Callable[[PlatformObject], bool] = lambda obj: True) -> Document:
    """The plan as REST shows it; what the caller may not see is counted and not named."""
    shown = [step for step in plan.steps if step.obj is None or may_see(step.obj)]
    hidden = len(plan.steps) - len(shown)
    return {
        "deletionRequestedAt": store.to_document(plan.target)["metadata"].get("deletionTimestamp"),
        "steps": [step_document(number, step) for number, step in enumerate(shown, 1)],
        "hiddenSteps": hidden,
        "blockers": [text for step in shown for text in (f"{step}: {blocker}" for blocker in step.blockers)],
        "stays": plan.stays if not hidden else [],
        "done": sum(step.state == "done" for step in shown),
        "total": len(shown),
    }


def step_document(number: int, step: Step) -> Document:
    found: Document = {
        "step": number,
        "kind": step.kind,
        "namespace": step.namespace,
        "name": step.name,
        "state": step.state,
    }
    if step.objects:
        found |= {"plane": step.plane, "objects": step.objects}
    return {**found, "blockers": step.blockers} if step.blockers else found
