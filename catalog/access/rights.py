"""Everything that somebody can do, by place and by kind: what the person's page shows, for now and for a past moment.

Worked out from the rules by the engine's own decision, so denies, conditions and what agents may not use count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from catalog.access.judging import ALWAYS, NO, Judge
from portal.access.actions import WITHIN, all_actions
from portal.access.place import Place
from portal.access.rules import Rule
from portal.access.subject import Subject

PLACES_MAX = 40


@dataclass(frozen=True)
class Right:
    """One verb of a kind, always or under a condition."""

    verb: str
    condition: str = ""
    is_denied: bool = False
    """Given around this place, and taken away here."""


@dataclass(frozen=True)
class Kind:
    """What may be done with objects of one kind."""

    kind: str
    rights: tuple[Right, ...]


@dataclass(frozen=True)
class Rights:
    """What may be done at one place, and within it."""

    place: Place
    kinds: tuple[Kind, ...]
    is_everything: bool = False

    @property
    def label(self) -> str:
        return "everywhere" if self.place == Place() else self.place.path


def rights_of(rules: Iterable[Rule], subject: Subject) -> tuple[list[Rights], bool]:
    """What rules give at each place that they name, outer places first; and whether there are more places.

    A place shows only what differs from the place around it. No query.
    """
    rules = tuple(rules)
    judge = Judge(rules, subject)
    places = sorted({rule.place for rule in rules}, key=lambda place: (place.path != "*", place.path))
    found: list[Rights] = []
    for place in places[:PLACES_MAX]:
        kinds: dict[str, list[Right]] = defaultdict(list)
        count = 0
        actions = [action for action in all_actions() if action.lowest_scope in WITHIN[place.level]]
        for action in actions:
            answer = judge(action.name, place)
            # The innermost place around that was shown says what is known already.
            known = next((judge(action.name, outer.place) for outer in reversed(around(place, found))), NO)
            if answer == known:
                continue
            count += answer == ALWAYS
            condition = "" if answer in (ALWAYS, NO) else answer
            kinds[action.kind].append(Right(action.verb, condition, is_denied=answer == NO))
        shown = tuple(Kind(kind, tuple(rights)) for kind, rights in sorted(kinds.items()))
        if shown:
            found.append(Rights(place, shown, is_everything=count == len(actions)))
    return found, len(places) > PLACES_MAX


def around(place: Place, found: list[Rights]) -> list[Rights]:
    """What has been found at places that contain this one."""
    return [outer for outer in found if outer.place != place and outer.place.contains(place)]
