"""Drift, three ways: what is compiled now, what was applied last, and what the cluster holds, compared place by place.

The three documents and the server's list of field owners go in; differences come out, each with its place, the three
values, who owns the place now and since when, and its class. Only some classes are drift: an API server fills in
defaults, an autoscaler sets the replicas that a manifest leaves to it, a new release is on its way. Pure.

How it is told that a value was changed by somebody: by the owners, not by the value alone. The server writes quantities
its own way ("1000m" becomes "1") and webhooks rewrite what we send; such a place is still ours alone, and so no drift.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from catalog.compiler.documents import Document
from catalog.delivery.field_owners import Owner, hands, owners_of
from catalog.delivery.field_paths import (
    ABSENT,
    DEFAULTS_OF_KEYS,
    FieldPath,
    Item,
    Member,
    Step,
    child_of,
    children_of,
    is_below,
    text_of,
    value_at,
)
from catalog.delivery.plane import ObjectKey


class Change(StrEnum):
    """What sort of difference it is."""

    CHANGED = "changed by hand"
    ADDED = "added by hand"
    REMOVED = "removed by hand"
    TAKEN_OVER = "taken over"
    """The value is the wanted one, but belongs to somebody else."""
    BY_CONTROLLER = "changed by a controller"
    OBJECT_REMOVED = "object removed"
    OBJECT_GOING = "object being removed"
    OBJECT_REPLACED = "object replaced"
    LEFT_OVER = "left over"
    """An object that bears the release's labels and is none of its objects."""
    RESTARTED = "restarted by hand"
    CONTROLLER = "set by a controller"
    DEFAULTED = "defaulted by the API server"
    PENDING = "pending change"


DRIFT = frozenset(
    {
        Change.CHANGED, Change.ADDED, Change.REMOVED, Change.TAKEN_OVER, Change.BY_CONTROLLER, Change.OBJECT_REMOVED,
        Change.OBJECT_GOING, Change.OBJECT_REPLACED, Change.LEFT_OVER,
    }
)  # fmt: skip
RESTART_PATHS: tuple[FieldPath, ...] = (
    ("spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"),
)
"""What `kubectl rollout restart` leaves. Taking it away would restart every pod once more."""
NOT_COMPARED = frozenset({"apiVersion", "kind", "status", "stringData"})
"""`stringData` is written into a Secret and never read from it."""
SYSTEM_METADATA = frozenset(
    {"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink", "deletionTimestamp",
     "deletionGracePeriodSeconds"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference of one object. `path` is "" for the object as a whole; absent values are `ABSENT`."""

    change: Change
    path: str = ""
    compiled: Any = ABSENT
    applied: Any = ABSENT
    live: Any = ABSENT
    manager: str = ""
    """Who owns the place now; "" where the server keeps no trace, as of what was removed."""
    time: str = ""
    """When the owner wrote last, as the server says it."""
    steps: FieldPath = ()

    @property
    def is_drift(self) -> bool:
        return self.change in DRIFT


def difference_id(key: ObjectKey, path: str) -> str:
    """12 hexadecimal digits that name a place of an object, for people to point at it."""
    return hashlib.sha256("\0".join((*key, path)).encode()).hexdigest()[:12]


def compare(
    compiled: Document | None, applied: Document | None, live: Document | None, *, applied_at: str = ""
) -> list[Difference]:
    """All differences that matter: drift, what a controller set over ours, and pending changes.

    `compiled` is None for what has left the release, `applied` for what was never taken, `live` for what is not there.
    `applied_at` is the time of the last apply, RFC 3339. Defaults and controllers' own fields: `beside`.
    """
    if live is None:
        if applied is None:
            return [Difference(Change.PENDING, compiled=compiled)] if compiled is not None else []
        return [Difference(Change.OBJECT_REMOVED, compiled=or_absent(compiled), applied=applied)]
    if compiled is None and applied is None:
        return [left_over(live)]
    found = list(object_differences(live, applied, applied_at))
    wanted = applied if applied is not None else compiled
    assert wanted is not None  # noqa: S101 - one of them is there
    if not any(item.change is Change.OBJECT_REPLACED for item in found):
        owners = owners_of(live)
        shape = merged_fields(owners)
        found += list(of_wanted(wanted, live, owners, shape))
        for hand in hands(owners):
            found += added_by(hand, wanted, live, owners)
    if compiled is not None and applied is not None:
        pending = pending_changes(applied, compiled, merged_fields(owners_of(live)))
        found += [replace(item, live=value_at(live, item.steps)) for item in pending]
    found = [replace(item, compiled=value_at(compiled, item.steps), applied=value_at(applied, item.steps))
             if item.steps else item for item in found]  # fmt: skip
    return without_repeats(found)


def drift_of(differences: Iterable[Difference], ignored: Sequence[str] = ()) -> list[Difference]:
    """Those that are drift and that nobody has said to ignore."""
    return [item for item in differences if item.is_drift and not any(is_below(item.path, above) for above in ignored)]


def or_absent(value: Any) -> Any:
    return ABSENT if value is None else value


def without_repeats(differences: Iterable[Difference]) -> list[Difference]:
    """One difference for each place and sort; a place may be reached through two owners."""
    return list({(item.change is Change.PENDING, item.path): item for item in reversed(list(differences))}.values())[
        ::-1
    ]


# The object as a whole ------------------------------------------------------------------------------------------------


def object_differences(live: Document, applied: Document | None, applied_at: str) -> Iterator[Difference]:
    """Whether it is on its way out, or another one under the same name."""
    metadata = live["metadata"]
    if metadata.get("deletionTimestamp"):
        holding = metadata.get("finalizers") or []
        yield Difference(
            Change.OBJECT_GOING, applied=or_absent(applied), live={"finalizers": holding},
            time=str(metadata["deletionTimestamp"]),
        )  # fmt: skip
    owners = owners_of(live)
    is_newer = not applied_at or str(metadata.get("creationTimestamp") or "") > applied_at
    if applied is None or any(owner.is_ours for owner in owners):
        return
    if not is_newer:
        yield Difference(Change.TAKEN_OVER, "metadata.managedFields")  # somebody has wiped the list of owners
    else:
        first = next(iter(hands(owners)), None)
        yield Difference(
            Change.OBJECT_REPLACED, applied=applied, live={"uid": metadata.get("uid", "")},
            manager=first.manager if first else "", time=str(metadata.get("creationTimestamp") or ""),
        )  # fmt: skip


def left_over(live: Document) -> Difference:
    """An object of the release that no manifest is for."""
    owner = next(iter(owners_of(live)), None)
    return Difference(
        Change.LEFT_OVER, live=live, manager=owner.manager if owner else "",
        time=str(live["metadata"].get("creationTimestamp") or ""),
    )  # fmt: skip


# What we want, and what has become of it ------------------------------------------------------------------------------


def of_wanted(wanted: Document, live: Document, owners: Sequence[Owner], shape: Mapping[str, Any]) -> Iterator[Difference]:  # noqa: E501  # fmt: skip
    """Places that our manifest names and that are not as it says, or no longer ours."""
    for key, value in wanted.items():
        if key not in NOT_COMPARED:
            for path, sort in unlike(value, live.get(key, ABSENT), (key,), shape.get(f"f:{key}")):
                yield from judged(sort, path, live, owners)


def judged(sort: str, path: FieldPath, live: Document, owners: Sequence[Owner]) -> Iterator[Difference]:
    """A place that is not as wanted: whose doing that is. Nothing if it still is ours alone."""
    value = value_at(live, path)
    found = Difference(Change.REMOVED, text_of(path), live=value, steps=path)
    if sort == "removed":
        hand = newest(hands(owners))
        yield replace(found, manager=hand.manager if hand else "", time=hand.time if hand else "")
        return
    holders = [owner for owner in owners if owner.owns(path) and owner.subresource != "status"]
    if holders and all(owner.is_ours for owner in holders):
        return
    others = [owner for owner in holders if not owner.is_ours]
    by = newest(others)
    change = Change.BY_CONTROLLER if others and not hands(others) else Change.CHANGED
    yield replace(found, change=change, manager=by.manager if by else "", time=by.time if by else "")


def newest(owners: Iterable[Owner]) -> Owner | None:
    """Who wrote last."""
    return max(owners, key=lambda owner: owner.time, default=None)


def unlike(wanted: Any, live: Any, path: FieldPath, shape: Mapping[str, Any] | None) -> Iterator[tuple[FieldPath, str]]:
    """The nearest places where the live value is not as wanted, each "changed" or "removed".

    `shape` is what the owners' trees say of the place together: whether a list is a set, has items of its own, or
    counts as one value, as a leaf of the trees does (`{}`). None: nobody owns anything there.
    """
    if live is ABSENT:
        if wanted not in (None, {}, []):  # which the server drops
            yield path, "removed"
    elif isinstance(wanted, Mapping) and isinstance(live, Mapping) and (shape is None or shape):
        for key, value in wanted.items():
            yield from unlike(value, live.get(key, ABSENT), (*path, key), shape and shape.get(f"f:{key}"))
    elif isinstance(wanted, list) and isinstance(live, list) and (keys := item_keys(wanted, shape)) is not None:
        for item in wanted:
            step = Member(item) if not keys else item_step(item, keys)
            inner = next((node for other, node in children_of(shape or {}) if other == step), None)
            yield from unlike(item, child_of(live, step), (*path, step), inner)
    elif not is_same(wanted, live):
        yield path, "changed"


def item_keys(items: list[Any], shape: Mapping[str, Any] | None) -> tuple[str, ...] | None:
    """The fields that tell a list's items, () for a set, None for a list that counts as one value."""
    for step, _ in children_of(shape or {}):
        if isinstance(step, Item):
            return tuple(name for name, _ in step.keys)
        if isinstance(step, Member):
            return ()
    named = bool(items) and all(isinstance(item, Mapping) and "name" in item for item in items)
    return ("name",) if named and shape is None else None


def item_step(item: Any, keys: tuple[str, ...]) -> Step:
    """The step to an item of a manifest's list."""
    held = item if isinstance(item, Mapping) else {}
    return Item(tuple((name, held.get(name, DEFAULTS_OF_KEYS.get(name))) for name in sorted(keys)))


def is_same(wanted: Any, live: Any) -> bool:
    """Whether two values mean the same; nothing, an empty map and an empty list do."""
    empty: tuple[Any, ...] = (None, {}, [], "")
    return wanted == live or (wanted in empty and live in empty)


def merged_fields(owners: Iterable[Owner]) -> dict[str, Any]:
    """The trees of all owners as one."""
    found: dict[str, Any] = {}
    for owner in owners:
        merge(found, owner.fields)
    return found


def merge(into: dict[str, Any], fields: Mapping[str, Any]) -> None:
    for key, node in fields.items():
        merge(into.setdefault(key, {}), node)


# What others have added ----------------------------------------------------------------------------------------------


def added_by(hand: Owner, wanted: Document, live: Document, owners: Sequence[Owner]) -> list[Difference]:
    """What one who is no controller owns beside what we want, and which of our places it has taken."""
    keepers = [owner for owner in owners if not owner.is_hand and owner.subresource != "status"]
    found = []
    for path, change in foreign(hand.fields, (), wanted, live, keepers):
        if path in RESTART_PATHS:
            change = Change.RESTARTED
        found.append(Difference(change, text_of(path), live=value_at(live, path), manager=hand.manager, time=hand.time, steps=path))  # noqa: E501  # fmt: skip
    return found


def foreign(
    node: Mapping[str, Any], path: FieldPath, wanted: Any, live: Any, keepers: Sequence[Owner]
) -> Iterator[tuple[FieldPath, Change]]:
    """The outermost places below a node that are somebody's own additions, and the leaves that it has taken over."""
    for step, inner in children_of(node):
        place = (*path, step)
        if is_system(place) or (value := child_of(live, step)) is ABSENT:
            continue
        target = child_of(wanted, step)
        is_leaf = not any(key != "." for key in inner)
        if target is ABSENT:
            if is_leaf or (is_own(inner, step, place, keepers) and not leads_to_restart(place)):
                yield place, Change.ADDED
            else:
                yield from foreign(inner, place, ABSENT, value, keepers)
        elif not is_leaf:
            yield from foreign(inner, place, target, value, keepers)
        elif is_same(target, value) and not any(owner.is_ours and owner.owns(place) for owner in keepers):
            yield place, Change.TAKEN_OVER


def is_own(inner: Mapping[str, Any], step: Step, place: FieldPath, keepers: Sequence[Owner]) -> bool:
    """Whether all of an added place may go: it was added as one, and nobody whose work is welcome has a part in it."""
    return ("." in inner or isinstance(step, Item | Member)) and all(owner.node(place) is None for owner in keepers)


def leads_to_restart(place: FieldPath) -> bool:
    return any(path[: len(place)] == place for path in RESTART_PATHS)


def is_system(place: FieldPath) -> bool:
    return place[0] in NOT_COMPARED or (place[0] == "metadata" and len(place) > 1 and place[1] in SYSTEM_METADATA)


# What is on its way, and what is nobody's fault -----------------------------------------------------------------------


def pending_changes(applied: Document, compiled: Document, shape: Mapping[str, Any]) -> Iterator[Difference]:
    """Places where the manifest is another one than the one that was applied."""
    if applied == compiled:
        return
    known = shape or None
    both = [*unlike(compiled, applied, (), known), *unlike(applied, compiled, (), known)]
    for path in dict.fromkeys(path for path, _ in both):
        yield Difference(Change.PENDING, text_of(path), steps=path)


def beside(wanted: Document, live: Document) -> list[Difference]:
    """What is there beside what we want and is no drift: defaults of the server, and what controllers have set."""
    owners = owners_of(live)
    controllers = [owner for owner in owners if not owner.is_ours and not owner.is_hand and owner.subresource != "status"]  # noqa: E501  # fmt: skip
    found = []
    for owner in controllers:
        for path, change in foreign(owner.fields, (), wanted, live, ()):
            if change is Change.ADDED:
                found.append(Difference(Change.CONTROLLER, text_of(path), live=value_at(live, path), manager=owner.manager, time=owner.time, steps=path))  # noqa: E501  # fmt: skip
    shape = merged_fields(owners)
    for path in defaulted(wanted, live, shape, ()):
        found.append(Difference(Change.DEFAULTED, text_of(path), live=value_at(live, path), steps=path))
    return without_repeats(found)


def defaulted(wanted: Any, live: Any, shape: Mapping[str, Any], path: FieldPath) -> Iterator[FieldPath]:
    """The outermost places that neither we want nor anybody owns."""
    if isinstance(live, Mapping):
        steps: list[Step] = list(live)
    else:
        steps = [step for step, _ in children_of(shape) if isinstance(step, Item)]
    for step in steps:
        place = (*path, step)
        value = child_of(live, step)
        if value is ABSENT or is_system(place):
            continue
        target = child_of(wanted, step)
        inner = next((node for other, node in children_of(shape) if other == step), None)
        if inner is None and target is ABSENT:
            yield place
        elif inner is not None and isinstance(value, Mapping | list):
            yield from defaulted(target, value, inner, place)
