"""What a role gives: every action of its entries with its description, by level and kind; and which bindings use it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from catalog.access.compile import BINDINGS
from catalog.kinds.base import PlatformObject
from catalog.store.models import ObjectReference
from portal.access.actions import LEVELS, Action, all_actions, covers, is_pattern_known
from portal.access.engine import Access


@dataclass(frozen=True)
class Tick:
    """One action and how the role has it: by its own entry, or through a wildcard."""

    action: Action
    is_entry: bool
    through: str = ""

    @property
    def is_given(self) -> bool:
        return self.is_entry or bool(self.through)


@dataclass(frozen=True)
class KindTicks:
    """The actions of one kind that are judged at one level."""

    kind: str
    ticks: tuple[Tick, ...]
    wildcard: str
    has_wildcard: bool

    @property
    def count(self) -> int:
        return sum(tick.is_given for tick in self.ticks)


@dataclass(frozen=True)
class LevelTicks:
    """The kinds of one level."""

    level: str
    kinds: tuple[KindTicks, ...]

    @property
    def count(self) -> int:
        return sum(kind.count for kind in self.kinds)


def ticks_of(entries: Sequence[str]) -> list[LevelTicks]:
    """All actions there are, by level and kind, with those that the entries give."""
    by_level: dict[str, dict[str, list[Tick]]] = {level: defaultdict(list) for level in LEVELS}
    for action in all_actions():
        through = next((entry for entry in entries if entry != action.name and covers(entry, action.name)), "")
        by_level[action.lowest_scope][action.kind].append(Tick(action, action.name in entries, through))
    return [
        LevelTicks(
            level,
            tuple(
                KindTicks(kind, tuple(ticks), f"{kind}:*", f"{kind}:*" in entries)
                for kind, ticks in sorted(kinds.items())
            ),
        )
        for level, kinds in by_level.items()
        if kinds
    ]


def unknown_entries(entries: Sequence[str]) -> list[str]:
    """Entries that mean nothing here; they are kept, as a client may know them."""
    return [entry for entry in entries if not is_pattern_known(entry)]


def ticked(before: Sequence[str], chosen: Sequence[str]) -> list[str]:
    """The entries of a role after a form was sent: what stays keeps its place, what is new follows by name.

    What nobody could have ticked is left out.
    """
    possible = {action.name for action in all_actions()} | {f"{action.kind}:*" for action in all_actions()} | {"*"}
    wanted = {entry for entry in chosen if entry in possible or entry in before}
    kept = [entry for entry in dict.fromkeys(before) if entry in wanted]
    return kept + sorted(wanted - set(kept))


def bindings_using(role: PlatformObject, access: Access, limit: int) -> tuple[list[PlatformObject], bool]:
    """The bindings that name a role and that the viewer may see, and whether there are more. Two queries each kind."""
    named = ObjectReference.objects.filter(
        target_kind=role.kind,
        target_namespace=role.namespace_name,
        target_name=role.name,
        source_kind__in=list(BINDINGS),
    )
    keys: dict[str, set[int]] = defaultdict(set)
    for kind, key in named.values_list("source_kind", "source_id"):
        keys[kind].add(key)
    found: list[PlatformObject] = []
    for kind, wanted in sorted(keys.items()):
        rows = access.visible(BINDINGS[kind]._default_manager.filter(pk__in=wanted))
        found += rows.order_by("name")[: limit + 1]
    return found[:limit], len(found) > limit
