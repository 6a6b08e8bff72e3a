"""The rows of a table that rules speak of, as a condition on its columns: what a filtered list is filtered by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from portal.access.actions import Level
from portal.access.condition import as_sql, attributes_of
from portal.access.lookup import RulesByPlace
from portal.access.rules import Rule
from portal.access.tables import Hierarchy


@dataclass(frozen=True)
class Area:
    """Some rows of a table: all of them, or those that meet a condition; `None` is none of them."""

    everything: bool = False
    condition: Q | None = None

    def __or__(self, other: Area) -> Area:
        if self.everything or other.everything:
            return Area(everything=True)
        if self.condition is None or other.condition is None:
            return self if other.condition is None else other
        return Area(condition=self.condition | other.condition)

    def without(self, other: Area) -> Area:
        if other.everything:
            return Area()
        if other.condition is None or (self.condition is None and not self.everything):
            return self
        outside = ~other.condition
        return Area(condition=outside if self.condition is None else self.condition & outside)


def area_within(found: RulesByPlace, hierarchy: Hierarchy, action: str, model: Any, *, strict_deny: bool) -> Area:
    """As `area_given`, worked out once while the rules are kept; conditions are tried on the rows each time."""
    known: Area | None = found.areas.get((model, strict_deny))
    if known is not None:
        return known
    area = area_given(found.rules, hierarchy, action, model, strict_deny=strict_deny)
    if not any(rule.conditions for rule in found.rules):
        found.areas[model, strict_deny] = area
    return area


def area_given(rules: Iterable[Rule], hierarchy: Hierarchy, action: str, model: Any, *, strict_deny: bool) -> Area:
    """The rows that the rules give, denies taken away."""
    given: dict[str, list[Rule]] = defaultdict(list)
    denied: dict[str, list[Rule]] = defaultdict(list)
    refused: list[Rule] = []
    for rule in rules:
        if rule.effect == "allow":
            given["" if rule.is_own else rule.via].append(rule)
        elif rule.is_own or strict_deny:
            refused.append(rule)
        else:
            denied[rule.via].append(rule)
    plain = [rule for via, rules in given.items() if via not in denied for rule in rules]
    total = area_of(plain, hierarchy, action, model)
    for via, rules in given.items():
        if via in denied:
            mine = area_of(rules, hierarchy, action, model)
            total |= mine.without(area_of(denied[via], hierarchy, action, model))
    return total.without(area_of(refused, hierarchy, action, model))


def area_of(rules: Iterable[Rule], hierarchy: Hierarchy, action: str, model: Any) -> Area:
    """The rows that some rules speak of: those without conditions by level, the others one by one."""
    by_level: dict[Level, list[Rule]] = defaultdict(list)
    total = Area()
    for rule in rules:
        if not rule.conditions or not rule.conditions_for(action):
            by_level[rule.level].append(rule)
        else:
            total |= conditional(rule, hierarchy, action, model)
    for level, found in by_level.items():
        total |= held_by(level, found, hierarchy)
    return total


def held_by(level: Level, rules: list[Rule], hierarchy: Hierarchy) -> Area:
    """The rows that scope objects of one level hold."""
    if level == "cluster":
        return Area(everything=True)
    within = hierarchy.within.get(level)
    return Area() if within is None else Area(condition=within(rules))


def conditional(rule: Rule, hierarchy: Hierarchy, action: str, model: Any) -> Area:
    """The rows that one rule with conditions speaks of; where an attribute is missing, a deny counts."""
    held = held_by(rule.level, [rule], hierarchy)
    conditions = rule.conditions_for(action)
    names = sorted({name for condition in conditions for name in attributes_of(condition.tree)})
    if any(name not in hierarchy.attributes for name in names):
        return held if rule.effect == "deny" else Area()
    expressions = {name: hierarchy.attributes[name].expression for name in names}

    def values_of(name: str) -> list[str]:
        rows = model.objects.system("to try a condition on").filter(hierarchy.attributes[name].present)
        return list(rows.values_list(expressions[name], flat=True).distinct().order_by())

    meets = None
    for condition in conditions:
        one = as_sql(condition.tree, expressions, values_of)
        meets = one if meets is None else meets | one
    present = Q()
    for name in names:
        present &= hierarchy.attributes[name].present
    wanted = (present & meets) if rule.effect == "allow" else (~present | meets)  # type: ignore[operator]
    if held.everything:
        return Area(condition=wanted)
    return held if held.condition is None else Area(condition=held.condition & wanted)
