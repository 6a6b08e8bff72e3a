"""RenderedRelease: brings its objects to the plane, keeps them there, and takes them away again.

Sets ResourcesApplied (ApplySucceeded; ApplyFailed with the plane's own words) and, while being deleted, Finalizing
(CleanupInProgress, CleanupFailed). Status: `resources`, what the plane holds and how it fares there.

Only differences are delivered: objects whose wanted hash is not the applied one, and objects that left the release.
The plane is looked at again on a schedule, so what somebody has changed by hand there is mended.
"""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from django.utils import timezone

from catalog import store
from catalog.controllers.conditions import Condition, false, true, with_conditions
from catalog.controllers.plane_watch import bindings_on_changed_plane
from catalog.controllers.planes import resolve_data_plane, resolve_observability_plane
from catalog.controllers.registry import Result, Watch, controller, referrers
from catalog.delivery import drift_records
from catalog.delivery import rows as object_rows
from catalog.delivery.delivered import Delivered, bound_for, delivered_of, remember
from catalog.delivery.drift_records import Stance, stance_of
from catalog.delivery.drivers import Location, location_of, plane_at
from catalog.delivery.plane import (
    OBSERVABILITY_PLANE,
    Applied,
    Delivery,
    Place,
    Plane,
    PlaneError,
    PlaneNotConfigured,
    Story,
    Superseded,
)
from catalog.delivery.story import story_of
from catalog.delivery.tracking import RESTARTED_AT
from catalog.kinds.base import PlatformObject
from catalog.kinds.rendered_object import RenderedObject
from catalog.kinds.rendered_release import OBSERVABILITY_FINALIZER, RenderedRelease
from catalog.store.changes import Change
from portal.accounts.actor import system

log = logging.getLogger("stagecraft.delivery")
ACTOR = system("rendered-release-controller")
FINALIZERS = (RenderedRelease.finalizer, OBSERVABILITY_FINALIZER)
STABLE, PROGRESSING, SCALED_TO_ZERO = timedelta(minutes=5), timedelta(seconds=10), timedelta(minutes=1)
JITTER = 0.2
CONFIGURATION_RETRY = timedelta(minutes=1)  # a change of the environment or the plane comes sooner, by its event
SOONEST_CLEANUP, LATEST_CLEANUP = timedelta(seconds=0.3), timedelta(seconds=5)
GIVE_UP_CLEANUP_AFTER = timedelta(minutes=5)
LONGEST_DURATION = 64  # looking for parts takes the square of the length
DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
UNIT_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


class ObjectsRefused(PlaneError):
    """The plane took some objects and refused others."""


def releases_on_changed_observability_plane(kind: str) -> Watch:
    """A change of an observability plane concerns all that is on such planes; it is too rare to look more closely."""

    def mapping(change: Change, watcher: str) -> Iterable[int]:
        found = RenderedRelease.objects.system("reconcile").filter(spec__targetPlane=OBSERVABILITY_PLANE)
        return found.values_list("id", flat=True)

    return Watch(kind, mapping, frozenset({"created", "changed"}))


@controller(
    "RenderedRelease",
    watches=[
        referrers("Environment", role="environment", actions=("created", "changed")),
        *bindings_on_changed_plane(),
        releases_on_changed_observability_plane("ObservabilityPlane"),
        releases_on_changed_observability_plane("ClusterObservabilityPlane"),
    ],
    related=("environment", "environment__data_plane", "environment__cluster_data_plane"),
)
def reconcile(release: RenderedRelease) -> Result:
    """One look: deliver what differs, or clean up."""
    if release.deleted_at is not None:
        return finalize(release)
    try:
        location = location_of(find_plane(release))
        plane = plane_at(location)
        delivered = bound_for(release, location)
        # Only where a plane can be looked at there are decisions about what was seen there.
        stance = stance_of(release, timezone.now()) if plane.capabilities.reads_live else Stance()
        rows = object_rows.rows_of(release)
        if is_settled(release, rows, delivered, plane):
            if plane.capabilities.observes_health:
                report(release, applied_condition(rows, Applied(changed=False)), rows)
            return next_look(release, rows, plane, stance)
        deliver(release, rows, delivered, plane, stance)
        leave_former_planes(release)
        return next_look(release, rows, plane, stance)
    except Superseded:
        return Result()  # what superseded this look has asked for the next one
    except ObjectsRefused:
        raise  # the condition names them already
    except PlaneNotConfigured as error:
        report(release, apply_failed(str(error)))
        return Result(again_after=CONFIGURATION_RETRY)
    except PlaneError as error:
        report(release, apply_failed(str(error)))
        raise


def find_plane(release: RenderedRelease) -> PlatformObject:
    """The plane document that the release is for. Raises `PlaneNotConfigured` if there is none (yet)."""
    environment = release.environment
    if environment is None:
        raise PlaneNotConfigured(f'environment "{release.spec["environmentName"]}" not found')
    data_plane = resolve_data_plane(environment)
    if data_plane is None:
        raise PlaneNotConfigured(f'no data plane found for environment "{environment.name}"')
    if release.spec.get("targetPlane") != OBSERVABILITY_PLANE:
        return data_plane
    observability_plane = resolve_observability_plane(data_plane)
    if observability_plane is None:
        raise PlaneNotConfigured(f'no observability plane found for data plane "{data_plane.name}"')
    return observability_plane


def is_settled(release: RenderedRelease, rows: Sequence[RenderedObject], delivered: Delivered, plane: Plane) -> bool:
    """Whether the plane holds this very generation, and the status says so."""
    return (
        delivered.generation == release.generation
        and delivered.restarted_at == release.annotations.get(RESTARTED_AT, "")
        and not delivered.leaving
        and not any(object_rows.is_due(row) for row in rows)
        and (release.condition("ResourcesApplied") or {}).get("status") == "True"
        and plane.holds(delivered.place, delivered.state)
    )


def deliver(
    release: RenderedRelease, rows: Sequence[RenderedObject], delivered: Delivered, plane: Plane, stance: Stance
) -> None:
    """Bring the objects to the plane and write down how they fared, on the rows too."""
    kinds = tuple(sorted({*delivered.place.kinds, *object_rows.kinds_of(rows)}))
    objects = object_rows.which_objects(rows)
    looks = not (
        not delivered.place.kinds
        or only_needs_sending(release, rows, delivered)
        or is_known_and_watched(delivered, objects, plane)
    )
    if delivered_of(release) is None or delivered.generation == 0 or (kinds, objects) != known(delivered):
        # Before anything goes out: clean-up must know where to look, and the next delivery that it must.
        delivered = replace(delivered, place=replace(delivered.place, kinds=kinds), objects="")
        remember(release, delivered)
    restarted_at = release.annotations.get(RESTARTED_AT, "")
    applied = plane.apply(
        Delivery(
            place=delivered.place,
            objects=object_rows.wanted_objects(rows, delivered.place, restarted_at, delivered.restarted_at, stance),
            story=story_for(plane, release, delivered.location),
            bodies=object_rows.bodies_for(rows, delivered.place, restarted_at),
            is_current=lambda: is_current(release),
            look=looks,
            former=object_rows.former_bodies_for(rows, delivered.place, delivered.restarted_at),
        )
    )
    with store.transaction():
        now = timezone.now()
        drift_records.note(release, applied.drifted, now)
        if stance.is_any:
            drift_records.overwritten(release, object_rows.sent_keys(rows, applied), now)
        object_rows.record(rows, applied, now)
        remember(
            release,
            replace(
                delivered,
                generation=0 if applied.errors else release.generation,
                restarted_at=restarted_at,
                revision=applied.revision,
                state=applied.state,
                objects="" if applied.errors else objects,
            ),
        )
        report(release, applied_condition(rows, applied), rows)
    if applied.errors:
        raise ObjectsRefused(
            f"{len(applied.errors)} of {len(rows)} objects could not be delivered, the first because: "
            f"{next(iter(applied.errors.values()))}"
        )


def only_needs_sending(release: RenderedRelease, rows: Sequence[RenderedObject], delivered: Delivered) -> bool:
    """Whether the release was delivered as it is, and some objects have been changed by others since."""
    return delivered.generation == release.generation and any(object_rows.is_due(row) for row in rows)


def story_for(plane: Plane, release: RenderedRelease, location: Location) -> Story:
    """Who does what, and why; looked up only for planes that write it down."""
    return story_of(release, str(location)) if plane.capabilities.keeps_history else Story(ACTOR.name)


def known(delivered: Delivered) -> tuple[tuple[str, ...], str]:
    """Which kinds and objects the place is known to hold."""
    return delivered.place.kinds, delivered.objects


def is_known_and_watched(delivered: Delivered, objects: str, plane: Plane) -> bool:
    """Whether the place holds these very objects, whatever they say, and somebody tells what changes there."""
    return (
        plane.capabilities.observes_health
        and delivered.generation != 0
        and delivered.objects == objects
        and plane.holds(delivered.place, delivered.state)
    )


def is_current(release: RenderedRelease) -> bool:
    """Whether the release still is as this look has read it."""
    held = RenderedRelease.objects.system("reconcile").filter(
        pk=release.pk, generation=release.generation, deleted_at=None
    )
    return held.exists()


def leave_former_planes(release: RenderedRelease) -> None:
    """Remove the objects from planes that the release was on before; they are on the present one by now."""
    delivered = delivered_of(release)
    if delivered is None or not delivered.leaving:
        return
    remaining = [location for location in delivered.leaving if not is_clean(release, location, delivered.place)]
    remember(release, replace(delivered, leaving=tuple(remaining)))


def is_clean(release: RenderedRelease, location: Location, place: Place) -> bool:
    """Remove the release's objects from a plane that it has left; an error only means to try again later."""
    try:
        plane = plane_at(location)
        return not plane.delete(place, story_for(plane, release, location))
    except PlaneError as error:
        log.warning("%s: objects left behind on %s: %s", release, location, error)
        return False


def finalize(release: RenderedRelease) -> Result:
    """Take the objects off every plane that has any, then let the release go."""
    delivered = delivered_of(release)
    locations = () if delivered is None else (*delivered.leaving, delivered.location)
    for location in locations:
        assert delivered is not None  # noqa: S101 - there is no location without it
        try:
            plane = plane_at(location)
            remaining = plane.delete(delivered.place, story_for(plane, release, location))
        except PlaneError as error:
            if not is_lost(release, location):
                report(release, true("Finalizing", "CleanupFailed", str(error)))
                if isinstance(error, PlaneNotConfigured):
                    return Result(again_after=CONFIGURATION_RETRY)
                raise
            say_what_is_left(release, location, error)
            continue
        if remaining:
            report(release, true("Finalizing", "CleanupInProgress", "Cleaning up dataplane resources"))
            return Result(again_after=next_clean_up(release))
    with store.transaction():
        for finalizer in FINALIZERS:
            store.remove_finalizer(release, finalizer, ACTOR)
    return Result()


def next_clean_up(release: RenderedRelease) -> timedelta:
    """When to look again whether all is gone: soon at first, and less often the longer it takes."""
    assert release.deleted_at is not None  # noqa: S101 - it is being deleted
    waited = timezone.now() - release.deleted_at
    return min(max(waited / 2, SOONEST_CLEANUP), LATEST_CLEANUP)


def is_lost(release: RenderedRelease, location: Location) -> bool:
    """Whether to stop trying: nobody describes the plane any more, and it has not answered for a while."""
    known = store.get_or_none(location.kind, location.namespace, location.name)
    if known is not None and release.environment is not None:
        return False
    return release.deleted_at is not None and timezone.now() - release.deleted_at > GIVE_UP_CLEANUP_AFTER


def say_what_is_left(release: RenderedRelease, location: Location, error: PlaneError) -> None:
    """Name what stays behind where nobody can remove it: in the log, and in the history of the release."""
    names = ", ".join(str(row) for row in object_rows.rows_of(release) if row.applied_hash) or "nothing"
    message = f"{location} or its environment is gone and cannot be cleaned up ({error}); left there: {names}"
    log.error("%s: %s", release, message)
    report(release, true("Finalizing", "CleanupFailed", message))


def applied_condition(rows: Sequence[RenderedObject], applied: Applied) -> Condition:
    """ResourcesApplied for a delivery: True, or the first object that was refused."""
    for row in rows:
        reason = applied.errors.get(object_rows.key_of(row))
        if reason is not None:
            return apply_failed(f"failed to apply resource {row.resource_id}: {reason}")
    return true("ResourcesApplied", "ApplySucceeded", "All resources applied successfully")


def apply_failed(reason: str) -> Condition:
    return false("ResourcesApplied", "ApplyFailed", f"Failed to apply resources to target plane: {reason}")


def report(release: RenderedRelease, condition: Condition, rows: Sequence[RenderedObject] | None = None) -> None:
    """Write the condition and, if rows are given, `status.resources`."""
    status = with_conditions(release, [condition])
    if rows is not None:
        status["resources"] = object_rows.resource_statuses(rows)
        if not status["resources"]:
            del status["resources"]
    store.write_status(release, status, ACTOR)


def next_look(release: RenderedRelease, rows: Sequence[RenderedObject], plane: Plane, stance: Stance) -> Result:
    """When to look again: soon while things move, else on the release's schedule. An interval of 0 means never.

    Where drift is ignored for a time, not later than that ends.
    """
    look = scheduled_look(release, rows, plane)
    if stance.next_expiry is None:
        return look
    until = max(stance.next_expiry - timezone.now(), timedelta(seconds=1))
    return Result(again_after=until if look.again_after is None else min(until, look.again_after))


def scheduled_look(release: RenderedRelease, rows: Sequence[RenderedObject], plane: Plane) -> Result:
    """The release's schedule."""
    pause = duration(release.spec.get("interval"), STABLE)
    if plane.capabilities.observes_health:
        soon = pause
        if any(row.health in ("", "Progressing", "Unknown", "Degraded") for row in rows):
            soon = duration(release.spec.get("progressingInterval"), PROGRESSING)
        elif any(row.health == "Suspended" for row in rows):
            soon = SCALED_TO_ZERO
        # Where somebody watches, news come by themselves: a route that no gateway ever takes costs nothing.
        delivered = delivered_of(release)
        if soon != pause and not (delivered is not None and plane.holds(delivered.place, delivered.state)):
            pause = soon
    if not pause:
        return Result()
    return Result(again_after=pause * (1 + random.uniform(0, JITTER)))  # noqa: S311 - jitter, not a secret


def duration(text: str | None, default: timedelta) -> timedelta:
    """A duration as Go writes it (5m, 1h30m, 0s)."""
    if not text or len(text) > LONGEST_DURATION:
        return default
    return timedelta(seconds=sum(float(n) * UNIT_SECONDS[unit] for n, unit in DURATION_PART.findall(text)))
