"""Making thousands of changes readable: what is the same for many components is one line.

Changes are equal when they change the same field of the same kind of object from the same to the same value. Fields
that differ from component to component (images, hashes, names) become one line with examples. Environments in which the
same happens are shown together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from catalog.compiler.explain import Place
from catalog.preview.comparing import Action, FieldChange
from catalog.preview.examining import Result
from catalog.preview.world import Moment

MOST_VALUES = 3
"""So many different values of a field have lines of their own; more are one line."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A component, project or resource."""

    kind: str
    namespace: str
    name: str


@dataclass(slots=True)
class Group:
    """A change and whose it is. `variants`: how many different changes it stands for; if more than one, `before` and
    `after` are those of the first."""

    change: FieldChange
    owners: list[Owner]
    variants: int = 1


@dataclass(slots=True)
class FailureGroup:
    """A problem and whose it is; `is_old`: they have it already. `variants`: how many different messages of the same
    reason and place it stands for; if more than one, `message` is the first."""

    reason: str
    message: str
    is_old: bool
    place: Place | None
    owners: list[Owner] = field(default_factory=list)
    variants: int = 1


@dataclass(slots=True)
class EnvironmentImpact:
    """What happens in some environments at one moment: the same in all of them."""

    environments: list[str]
    moment: Moment
    changed: list[Owner]
    unchanged: int
    groups: list[Group]
    failures: list[FailureGroup]


def group(results: Iterable[Result]) -> list[EnvironmentImpact]:
    """The results by environment and moment, environments with equal results together."""
    by_place: dict[tuple[str, Moment], list[Result]] = defaultdict(list)
    for result in results:
        by_place[result.environment, result.moment].append(result)
    merged: list[EnvironmentImpact] = []
    for (environment, moment), some in sorted(by_place.items(), key=lambda item: (item[0][1] != "now", item[0][0])):
        impact = impact_of(environment, moment, some)
        same = next((other for other in merged if is_same(other, impact)), None)
        if same is None:
            merged.append(impact)
        else:
            same.environments.append(environment)
    return merged


def is_same(one: EnvironmentImpact, other: EnvironmentImpact) -> bool:
    """Whether the same happens to the same owners."""
    return (one.moment, one.changed, one.unchanged, one.groups, one.failures) == (
        other.moment, other.changed, other.unchanged, other.groups, other.failures,
    )  # fmt: skip


def impact_of(environment: str, moment: Moment, results: Sequence[Result]) -> EnvironmentImpact:
    """What happens in one environment."""
    changed = [owner_of(result) for result in results if result.changes]
    unchanged = sum(1 for result in results if not result.changes and result.failure is None)
    return EnvironmentImpact([environment], moment, changed, unchanged, groups_of(results), failures_of(results))


def groups_of(results: Iterable[Result]) -> list[Group]:
    """The changes of all results, those of the most owners first."""
    exact: dict[FieldChange, list[Owner]] = defaultdict(list)
    for result in results:
        owner = owner_of(result)
        for change in dict.fromkeys(result.changes):
            exact[change].append(owner)
    by_field: dict[tuple[str, str, Action], list[Group]] = defaultdict(list)
    for change, owners in exact.items():
        by_field[change.object_kind, change.path, change.action].append(Group(change, owners))
    groups = []
    for alike in by_field.values():
        groups += alike if len(alike) <= MOST_VALUES else [as_one(alike)]
    return sorted(groups, key=lambda item: (-len(item.owners), item.change.object_kind, item.change.path))


def as_one(groups: Sequence[Group]) -> Group:
    """Groups of one field as one line."""
    owners = list(dict.fromkeys(owner for item in groups for owner in item.owners))
    return Group(groups[0].change, owners, len(groups))


def failures_of(results: Iterable[Result]) -> list[FailureGroup]:
    """The problems of all results, those of the most owners first."""
    found: dict[tuple[str, str, bool], FailureGroup] = {}
    for result in results:
        failure = result.failure
        if failure is not None:
            key = (failure.reason, failure.message, failure.is_old)
            found.setdefault(key, FailureGroup(*key, failure.place)).owners.append(owner_of(result))
    by_place: dict[tuple[str, bool, Place | None], list[FailureGroup]] = defaultdict(list)
    for item in found.values():
        by_place[item.reason, item.is_old, item.place].append(item)
    groups: list[FailureGroup] = []
    for alike in by_place.values():
        groups += alike if len(alike) <= MOST_VALUES else [as_one_failure(alike)]
    return sorted(groups, key=lambda item: (item.is_old, -len(item.owners), item.message))


def as_one_failure(groups: Sequence[FailureGroup]) -> FailureGroup:
    """Failures of one reason and place as one line."""
    first = groups[0]
    owners = list(dict.fromkeys(owner for item in groups for owner in item.owners))
    return FailureGroup(first.reason, first.message, first.is_old, first.place, owners, len(groups))


def owner_of(result: Result) -> Owner:
    return Owner(result.kind, result.namespace, result.owner)
