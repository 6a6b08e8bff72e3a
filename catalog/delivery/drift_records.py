"""Writing down drift and what was decided about it, and reading what counts for the next delivery.

Called by the RenderedRelease controller with what a delivery has found (`note`), and by those who decide
(`catalog.releases.drift_decisions`). Values of Secrets are never written down.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from catalog.delivery.drift import Difference, difference_id
from catalog.delivery.drift_models import DriftRecord
from catalog.delivery.field_paths import ABSENT
from catalog.delivery.mending import describe
from catalog.delivery.plane import Drifted, ObjectKey
from catalog.kinds.rendered_object import RenderedObject
from catalog.kinds.rendered_release import RenderedRelease

log = logging.getLogger("stagecraft.delivery")
State = DriftRecord.State
ON_DRIFT = "stagecraft.dev/on-drift"
"""Annotation of a binding or an Environment: `restore` (default) or `report`, which leaves drift to people."""
POLICIES = ("restore", "report")
SOON, TOO_OFTEN, PEACE = timedelta(minutes=10), 5, timedelta(minutes=10)
"""What is mended and changed again `TOO_OFTEN` times in a row, each within `SOON`, is left alone for `PEACE`: two that
correct each other for ever help nobody, and load the cluster."""
ALIVE = (State.OPEN, State.RESTORING, State.IGNORED)
HIDDEN = "(not shown)"
LONGEST = 16 * 1024


@dataclass(frozen=True, slots=True)
class Stance:
    """What was decided about the drift of a release, for its next delivery. Two queries at most, none without drift.

    `holds` are the objects that are reported and not mended; `ignored` the places to leave alone, by object.
    """

    reports_only: bool = False
    restoring: frozenset[ObjectKey] = frozenset()
    contested: frozenset[ObjectKey] = frozenset()
    ignored: Mapping[ObjectKey, tuple[str, ...]] = field(default_factory=dict)
    next_expiry: datetime | None = None
    is_any: bool = False
    """Whether there is any decision, or drift that waits for one."""

    def holds(self, key: ObjectKey) -> bool:
        return key in self.contested or (self.reports_only and key not in self.restoring)


def stance_of(release: RenderedRelease, now: datetime) -> Stance:
    """The decisions that hold now; those whose time is over are ended. One query, more only where something ends."""
    expire(release, now)
    policy = policy_of(release)
    restoring, contested, left = set(), set(), set()
    ignored: dict[ObjectKey, list[str]] = defaultdict(list)
    expiries = []
    for row in records_of(release).filter(state__in=ALIVE):
        if row.state == State.RESTORING:
            restoring.add(row.key)
        elif row.state == State.IGNORED:
            ignored[row.key].append(row.path)
        elif row.expires_at is not None:
            contested.add(row.key)
        else:
            left.add(row.key)
        if row.expires_at is not None:
            expiries.append(row.expires_at)
    paths = {key: tuple(found) for key, found in ignored.items()}
    if policy == "restore" and (resumed := left - contested - restoring):
        look_again(release, resumed, "restore")
    return Stance(
        policy == "report",
        frozenset(restoring),
        frozenset(contested - restoring),
        paths,
        min(expiries, default=None),
        bool(restoring or contested or left or ignored),
    )


def records_of(release: RenderedRelease) -> Any:
    return DriftRecord.objects.system("drift").filter(release_uid=release.uid)


def policy_of(release: RenderedRelease) -> str:
    """What is to be done about drift: as the binding says, else as its environment says, else it is mended.

    The binding's annotation comes with the rendered release.
    """
    environment = release.environment
    said = (release.annotations, environment.annotations if environment is not None else {})
    return next((found[ON_DRIFT] for found in said if found.get(ON_DRIFT) in POLICIES), "restore")


def expire(release: RenderedRelease, now: datetime) -> bool:
    """End what was ignored, or left in peace, until now: its objects are looked at again. Whether there was any."""
    over = list(records_of(release).filter(state__in=(State.IGNORED, State.OPEN), expires_at__lte=now))
    for row in over:
        if row.state == State.IGNORED:
            row.state, row.note = State.EXPIRED, "the time for which it was ignored is over"
        else:
            row.expires_at, row.count = None, TOO_OFTEN - 1
    if over:
        DriftRecord.objects.system("drift").bulk_update(over, ["state", "note", "expires_at", "count"])
        look_again(release, {row.key for row in over}, "expired")
    return bool(over)


def look_again(release: RenderedRelease, keys: Iterable[ObjectKey], why: str) -> None:
    """Make the next delivery compare these objects with what they should be."""
    wanted = set(keys)
    rows = RenderedObject.objects.system("drift").filter(rendered_release=release)
    found = [row.pk for row in rows if ObjectKey(*row.identity) in wanted]
    RenderedObject.objects.system("drift").filter(pk__in=found).update(seen_digest=why)


def note(release: RenderedRelease, drifted: Mapping[ObjectKey, Drifted], now: datetime) -> None:
    """Write down what a delivery has found on objects, and what it did about it."""
    if not drifted:
        return
    held: dict[str, DriftRecord] = {}
    for row in records_of(release).filter(last_found_at__gt=now - SOON) | records_of(release).filter(state__in=ALIVE):
        before = held.get(row.difference)
        if before is None or row.state in ALIVE:
            held[row.difference] = row
    for key, found in drifted.items():
        found_ids = {difference_id(key, item.path) for item in found.differences}
        for item in found.differences:
            note_one(release, key, item, found, held.get(difference_id(key, item.path)), now)
        close_others(release, key, found, found_ids, now)
        if found.differences:
            log.warning(
                "%s: drift of %s %s: %s", release, key, "left as it is" if found.is_held else "mended",
                describe(found.differences),
            )  # fmt: skip


def note_one(
    release: RenderedRelease, key: ObjectKey, item: Difference, found: Drifted, held: DriftRecord | None, now: datetime
) -> None:
    """One difference: a new row, or the one that says so already."""
    state, text = state_for(item, found, held)
    if state == State.NOTED and held is not None and held.state == State.NOTED and held.live == shown(key, item.live):
        held.last_found_at = now
        held.save(update_fields=["last_found_at"])
        return
    if held is not None and (held.state in ALIVE or is_again(held, item, now)):
        if held.state in (State.RESTORED, State.OPEN) and state == State.RESTORED:
            held.count += 1
        if held.state != State.IGNORED:
            held.state, held.note, held.change = state, text, item.change.value
        held.last_found_at, held.live, held.manager, held.changed_at = now, shown(key, item.live), item.manager[:128], item.time  # noqa: E501  # fmt: skip
        if held.count >= TOO_OFTEN and held.state == State.RESTORED:
            held.state, held.expires_at = State.OPEN, now + PEACE
            held.note = (
                f"it was mended {held.count} times and each time changed again by {item.manager or 'somebody'}; it is "
                "left alone for 10 minutes. Restore, accept or ignore it, or find out who changes it"
            )
        held.save()
        return
    row = new_row(release, key, item, now)
    row.state, row.note = state, text
    row.save()


def new_row(release: RenderedRelease, key: ObjectKey, item: Difference, now: datetime) -> DriftRecord:
    """A row for a difference, not saved yet."""
    owner: dict[str, Any] = next((item for item in release.owner_references if item.get("controller")), {})
    return DriftRecord(
        release_uid=release.uid, release=release.name, namespace=release.namespace_name,
        owner_kind=owner.get("kind", ""), owner_name=owner.get("name", ""),
        environment=str(release.spec.get("environmentName") or ""),
        group=key.group, kind=key.kind, object_namespace=key.namespace, name=key.name,
        difference=difference_id(key, item.path), path=item.path, change=item.change.value,
        compiled=shown(key, item.compiled), applied=shown(key, item.applied), live=shown(key, item.live),
        manager=item.manager[:128], changed_at=item.time[:40], found_at=now, last_found_at=now,
        state=DriftRecord.State.OPEN,
    )  # fmt: skip


def state_for(item: Difference, found: Drifted, held: DriftRecord | None) -> tuple[str, str]:
    """What became of a difference with the delivery that found it."""
    if not item.is_drift:
        return State.NOTED, ""
    if found.error:
        return State.OPEN, f"it could not be mended: {found.error}"
    if found.is_held:
        waits = held is not None and held.expires_at is not None
        return State.OPEN, held.note if waits and held is not None else "it is left for a person to decide"
    return State.RESTORED, found.did


def is_again(held: DriftRecord, item: Difference, now: datetime) -> bool:
    """Whether a row that is over speaks of the same edit by the same hand, a moment ago."""
    is_same = (held.change, held.manager) == (item.change.value, item.manager[:128])
    return held.state == State.RESTORED and is_same and now - held.last_found_at < SOON


def close_others(
    release: RenderedRelease, key: ObjectKey, found: Drifted, still_there: set[str], now: datetime
) -> None:
    """What was open on an object and was not found any more is over."""
    if found.error:
        return
    rows = records_of(release).filter(
        state__in=(State.OPEN, State.RESTORING), group=key.group, kind=key.kind, object_namespace=key.namespace,
        name=key.name,
    )  # fmt: skip
    rows.exclude(difference__in=still_there).update(
        state=State.RESTORED, expires_at=None, last_found_at=now, note="it is as wanted again"
    )


def overwritten(release: RenderedRelease, keys: Iterable[ObjectKey], now: datetime) -> None:
    """Objects were sent anew, for a new release: what was open on them is over."""
    rows = list(records_of(release).filter(state__in=(State.OPEN, State.RESTORING)))
    sent = set(keys)
    over = [row.pk for row in rows if row.key in sent]
    if over:
        DriftRecord.objects.system("drift").filter(pk__in=over).update(
            state=State.RESTORED, expires_at=None, last_found_at=now, note="a new release was applied over it"
        )


def shown(key: ObjectKey, value: Any) -> Any:
    """A value as it is kept: `{"value": …}`, None for none. Secrets are not shown, and long texts are cut."""
    if value is ABSENT:
        return None
    if (key.group, key.kind) == ("", "Secret"):
        return {"value": HIDDEN}
    if len(str(value)) > LONGEST:
        return {"value": f"{str(value)[:LONGEST]}… (cut)"}
    return {"value": value}


def forget_old(now: datetime | None = None) -> int:
    """Drop rows that have been over for longer than `DRIFT_KEEP_DAYS`. Returns how many."""
    before = (now or timezone.now()) - timedelta(days=settings.DRIFT_KEEP_DAYS)
    rows = DriftRecord.objects.system("drift").exclude(state__in=ALIVE).filter(last_found_at__lt=before)
    return int(rows.delete()[0])


def has_records(releases: Sequence[RenderedRelease]) -> bool:
    return bool(DriftRecord.objects.system("drift").filter(release_uid__in=[item.uid for item in releases]).exists())
