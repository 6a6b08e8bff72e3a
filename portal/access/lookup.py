"""Rules by the action that they speak of and by their place: what a check looks at does not grow with the grants."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from portal.access.place import Place
from portal.access.rules import Rule

Key = tuple[str, str, str]
"""Namespace, the level's initial, and the name: a component is known by its namespace, whatever its project."""


class RulesByPlace:
    """The rules for one action. `around` gives those that may hold a place, in their order."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = list(rules)
        self.areas: dict[Any, Any] = {}
        """What lists are filtered by, as far as that depends on nothing but the rules (`portal.access.area`)."""
        self.by_place: dict[Key, list[tuple[int, Rule]]] = defaultdict(list)
        for position, rule in enumerate(self.rules):
            self.by_place[key_of(rule.place)].append((position, rule))

    def around(self, place: Place) -> list[Rule]:
        """The rules at the place and at those that hold it; `Place.contains` has the last word on each."""
        found = [entry for key in keys_around(place) for entry in self.by_place.get(key, ())]
        found.sort(key=lambda entry: entry[0])
        return [rule for _, rule in found]


def key_of(place: Place) -> Key:
    if place.component:
        return place.namespace, "c", place.component
    if place.resource:
        return place.namespace, "r", place.resource
    return (place.namespace, "p", place.project) if place.project else (place.namespace, "", "")


def keys_around(place: Place) -> list[Key]:
    """The keys of the place and of every place that can hold it, each once."""
    found: list[Key] = [("", "", "")]
    if place.namespace:
        found.append((place.namespace, "", ""))
    for level, name in (("p", place.project), ("c", place.component), ("r", place.resource)):
        if place.namespace and name:
            found.append((place.namespace, level, name))
    return found
