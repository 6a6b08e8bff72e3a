"""Drift of a binding's objects, for people: what differs now, what became of former differences, and what to do.

Called by `manage.py drift`, the REST endpoints and the admin. Three answers to a difference: restore it (what happens
without an answer, unless `stagecraft.dev/on-drift: report` is on the binding or its environment), accept it as an
override of the binding (`overriding`), or ignore it for a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from catalog import store
from catalog.compiler.documents import Document
from catalog.controllers import work
from catalog.controllers.tasks import send_wake_up
from catalog.delivery import drift_records
from catalog.delivery import rows as object_rows
from catalog.delivery.delivered import Delivered, delivered_of
from catalog.delivery.drift import Change, Difference, beside, compare, difference_id, left_over
from catalog.delivery.drift_models import DriftRecord
from catalog.delivery.drift_records import shown
from catalog.delivery.drivers import plane_at
from catalog.delivery.plane import ObjectKey, Plane, require_capability
from catalog.delivery.tracking import RESTARTED_AT
from catalog.kinds.base import PlatformObject
from catalog.kinds.rendered_object import RenderedObject
from catalog.kinds.rendered_release import RenderedRelease
from catalog.manifests.overriding import NotAcceptable, accepted_spec
from catalog.manifests.rendered import RENDERED_KINDS, releases_of
from catalog.store.documents import timestamp
from portal.accounts.actor import Actor

State = DriftRecord.State
BINDING_KINDS = RENDERED_KINDS - {"RenderedRelease"}
LONGEST = timedelta(days=366)
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
DURATION = re.compile(r"([1-9][0-9]{0,4})([mhdw])")
HISTORY = 50


class NoSuchDifference(LookupError):
    """No difference has that id, for the person who asked."""


class BadDecision(ValueError):
    """What was decided cannot be done as it was said. The text says what to say instead."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A difference of one object of a release, as it is now."""

    release: RenderedRelease
    key: ObjectKey
    difference: Difference

    @property
    def id(self) -> str:
        return difference_id(self.key, self.difference.path)


# What there is --------------------------------------------------------------------------------------------------------


def look(binding: PlatformObject, *, everything: bool = False) -> list[Seen]:
    """Compare what the binding's releases should be with what their planes hold, now.

    Drift and pending changes; with `everything` also what servers and controllers fill in. One request for each object.
    Raises `PlaneError`; `Unsupported` where a plane cannot be looked into.
    """
    found = []
    for release in releases_of(binding):
        delivered = delivered_of(release)
        rows = object_rows.rows_of(release)
        if delivered is None:
            continue
        plane = plane_at(delivered.location)
        require_capability(plane, "reads_live")
        found += list(look_at_release(release, rows, delivered, plane, everything=everything))
    return found


def look_at_release(
    release: RenderedRelease, rows: Sequence[RenderedObject], delivered: Delivered, plane: Plane, *, everything: bool
) -> Iterable[Seen]:
    """The differences of one release's objects, and the objects that bear its labels and are none of them."""
    restarted_at = release.annotations.get(RESTARTED_AT, "")
    by_key = {object_rows.key_of(row): row for row in rows}
    compiled = object_rows.bodies_for(rows, delivered.place, restarted_at)(list(by_key))
    applied = object_rows.former_bodies_for(rows, delivered.place, delivered.restarted_at)(list(by_key))
    for key, row in by_key.items():
        version = f"{row.group}/{row.version}" if row.group else row.version
        live = plane.find(version, row.kind, row.namespace, row.name)
        taken_at = timestamp(row.applied_at) if row.applied_at else ""
        for item in compare(compiled[key], applied.get(key), live, applied_at=taken_at):
            yield Seen(release, key, item)
        if everything and live is not None:
            for item in beside(applied.get(key) or compiled[key], live):
                yield Seen(release, key, item)
    for owned in plane.list_owned(delivered.place):
        if owned.key not in by_key:
            live = plane.read(delivered.place, owned.key)
            if live is not None and not live["metadata"].get("ownerReferences"):
                yield Seen(release, owned.key, left_over(live))


def records_of(binding: PlatformObject, *, limit: int = HISTORY) -> list[DriftRecord]:
    """What was found before and what became of it, the newest first; what is still open comes before what is over."""
    rows = DriftRecord.objects.system("of a permitted binding").filter(
        release_uid__in=[release.uid for release in releases_of(binding)]
    )
    alive = list(rows.filter(state__in=drift_records.ALIVE))
    return [*alive, *rows.exclude(state__in=drift_records.ALIVE)[:limit]]


# What to do about it --------------------------------------------------------------------------------------------------


def restore(binding: PlatformObject, ids: Sequence[str], actor: Actor) -> list[str]:
    """Have objects made as they are wanted, whatever the policy: those of these differences, all without ids.

    What was ignored is not ignored any more. Returns the objects. Raises `NoSuchDifference` or `PlaneError`.
    """
    rows = newest_by_id(binding)
    wanted = set(ids) or {key for key, row in rows.items() if row.state in drift_records.ALIVE}
    now, chosen = timezone.now(), []
    with store.transaction():
        for release in releases_of(binding):
            mine = [row for row in rows.values() if row.release_uid == release.uid and row.difference in wanted]
            for row in mine:
                if row.state in drift_records.ALIVE:
                    row.state, row.expires_at, row.count = State.RESTORING, None, 1
                    row.decided_by, row.decided_at = actor.name, now
                    row.save()
            keys = {row.key for row in mine}
            chosen += [str(key) for key in sorted(keys)]
            drift_records.look_again(release, keys, "restore")
            look_soon(release)
    if missing := wanted - set(rows):
        chosen += restore_unrecorded(binding, missing)
    send_wake_up()
    return chosen


def restore_unrecorded(binding: PlatformObject, ids: set[str]) -> list[str]:
    """The same for differences that are there and that no delivery has come upon yet."""
    found = [item for item in look(binding) if item.id in ids]
    if missing := ids - {item.id for item in found}:
        raise NoSuchDifference(f"{binding.kind} {binding.name} has no difference {', '.join(sorted(missing))}")
    for item in found:
        drift_records.look_again(item.release, [item.key], "restore")
        look_soon(item.release)
    return [str(item.key) for item in found]


def ignore(binding: PlatformObject, difference: str, until: datetime, reason: str, actor: Actor) -> DriftRecord:
    """Leave a place of an object to others until then. Raises `NoSuchDifference`, `BadDecision` or `PlaneError`.

    Where it was mended meanwhile, the next edit there stays.
    """
    now = timezone.now()
    if not reason.strip():
        raise BadDecision("say why it is to be ignored: reason")
    if not now < until <= now + LONGEST:
        raise BadDecision(f"it can be ignored until a time to come, {LONGEST.days} days from now at most")
    row = newest_by_id(binding).get(difference) or recorded(binding, difference)
    if row.change == Change.PENDING or row.state == State.NOTED:
        raise BadDecision(f"{row.change} is no drift; there is nothing to ignore")
    if row.state not in drift_records.ALIVE:
        row.pk = None  # what is over stays in the history as it was
        row.found_at = now
    row.state, row.expires_at, row.note = State.IGNORED, until, ""
    row.decided_by, row.decided_at, row.reason, row.last_found_at = actor.name, now, reason.strip(), now
    with store.transaction():
        row.save()
        for release in releases_of(binding):
            if release.uid == row.release_uid:
                look_soon(release)
    send_wake_up()
    return row


def accept(binding: PlatformObject, difference: str, actor: Actor, permit: Any = None) -> DriftRecord:
    """Make a difference what is wanted, by an override in the binding. Raises `NoSuchDifference`, `NotAcceptable`,
    a `StoreError` or what `permit` raises (see `store.apply`)."""
    row = newest_by_id(binding).get(difference) or recorded(binding, difference)
    if row.state == State.NOTED:
        raise NotAcceptable(f"{row.change} is no drift; there is nothing to accept")
    with store.transaction():
        held = store.lock(binding.kind, binding.namespace_name, binding.name)
        if held is None or held.uid != binding.uid:
            raise store.NotFound(binding.kind, binding.namespace_name, binding.name)
        document = store.to_document(held, with_status=False)
        document["spec"] = accepted_spec(held, row)
        if permit is not None:
            permit(held, document)
        store.replace(document, actor)
        row.state, row.expires_at, row.note = State.ACCEPTED, None, "it is an override of the binding now"
        row.decided_by, row.decided_at = actor.name, timezone.now()
        row.save()
    return row


def newest_by_id(binding: PlatformObject) -> dict[str, DriftRecord]:
    """The newest row of each difference; one that is alive before those that are over."""
    rows = DriftRecord.objects.system("of a permitted binding").filter(
        release_uid__in=[release.uid for release in releases_of(binding)]
    )
    found: dict[str, DriftRecord] = {}
    for row in rows.order_by("id"):
        if row.difference not in found or row.state in drift_records.ALIVE or found[row.difference].state not in drift_records.ALIVE:  # noqa: E501  # fmt: skip
            found[row.difference] = row
    return found


def recorded(binding: PlatformObject, difference: str) -> DriftRecord:
    """A row for a difference that is there now and that no delivery has come upon. Raises `NoSuchDifference`."""
    for item in look(binding):
        if item.id == difference:
            return drift_records.new_row(item.release, item.key, item.difference, timezone.now())
    raise NoSuchDifference(f"{binding.kind} {binding.name} has no difference {difference}")


def look_soon(release: RenderedRelease) -> None:
    """Have the controller look at the release now."""
    work.mark_due([("RenderedRelease", release.pk)])


def until_from(text: str, now: datetime) -> datetime:
    """The end of a duration such as 30m, 12h, 7d or 2w. Raises `BadDecision`."""
    found = DURATION.fullmatch(text.strip())
    if found is None:
        raise BadDecision(f"{text!r} is no duration: write 30m, 12h, 7d or 2w")
    return now + timedelta(**{UNITS[found[2]]: int(found[1])})


# In words -------------------------------------------------------------------------------------------------------------


def seen_document(item: Seen) -> Document:
    """A difference as REST shows it; a value that is not there is left out."""
    difference = item.difference
    values = (difference.compiled, difference.applied, difference.live)
    return {
        "id": item.id,
        "object": object_document(item.key),
        "path": difference.path,
        "class": difference.change.value,
        "isDrift": difference.is_drift,
        **values_document(*(shown(item.key, value) for value in values)),
        "manager": difference.manager,
        "time": difference.time,
    }  # fmt: skip


def record_document(row: DriftRecord) -> Document:
    """A row as REST shows it."""
    return {
        "id": row.difference,
        "object": object_document(row.key),
        "path": row.path,
        "class": row.change,
        **values_document(row.compiled, row.applied, row.live),
        "manager": row.manager,
        "time": row.changed_at,
        "foundAt": timestamp(row.found_at),
        "lastFoundAt": timestamp(row.last_found_at),
        "count": row.count,
        "state": row.state,
        "note": row.note,
        "decidedBy": row.decided_by,
        "reason": row.reason,
        "expiresAt": timestamp(row.expires_at) if row.expires_at else None,
    }


def object_document(key: ObjectKey) -> Document:
    return {"group": key.group, "kind": key.kind, "namespace": key.namespace, "name": key.name}


def values_document(compiled: Any, applied: Any, live: Any) -> Document:
    named = {"compiled": compiled, "applied": applied, "live": live}
    return {name: value["value"] for name, value in named.items() if value is not None}
