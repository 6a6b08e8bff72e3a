"""Whether rules allow an action at a place, for whole tables of actions and places: behind previews and people's pages.

The engine's own decision (`portal.access.rules`), asked once for what is alike. No database.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from django.conf import settings

from portal.access.actions import Action, all_actions, any_covers
from portal.access.place import Place
from portal.access.rules import POWER_KINDS, Rule, decide, usable
from portal.access.subject import Subject

NO = ""
ALWAYS = "always"


class Judge:
    """Whether rules allow an action at a place: always, never, or under a condition, which is its answer.

    Places that the same rules hold get the same answer, once. Rules are found by the places around, not by trying all.
    """

    def __init__(self, rules: tuple[Rule, ...], subject: Subject) -> None:
        self.rules, self.subject = rules, subject
        self.by_action: dict[str, dict[Place, list[Rule]]] = {}
        self.answers: dict[Any, str] = {}

    def __call__(self, action: str, place: Place) -> str:
        if action not in self.by_action:
            by_place: dict[Place, list[Rule]] = defaultdict(list)
            for rule in usable(self.rules, action, is_agent=self.subject.is_agent):
                by_place[rule.place].append(rule)
            self.by_action[action] = dict(by_place)
        held = self.by_action[action]
        if place.component or place.resource:
            # A component may be named with its project or without.
            rules = [rule for outer, found in held.items() if outer.contains(place) for rule in found]
        else:
            around = dict.fromkeys((Place(), Place(place.namespace), place))
            rules = [rule for outer in around for rule in held.get(outer, ())]
        key = (action, tuple(map(id, rules)))
        if key not in self.answers:
            self.answers[key] = judged(rules, action, place)
        return self.answers[key]


def judged(rules: list[Rule], action: str, place: Place) -> str:
    """`ALWAYS`, `NO`, or the expressions of which one must hold."""
    # Without attributes, a conditional allow does not count and a conditional deny does.
    if decide(rules, action, place, {}, strict_deny=settings.STRICT_DENY).allowed:
        return ALWAYS
    hopeful = [
        replace(rule, conditions=()) if rule.effect == "allow" else rule
        for rule in rules
        if rule.effect == "allow" or not rule.conditions_for(action)
    ]
    if not decide(hopeful, action, place, {}, strict_deny=settings.STRICT_DENY).allowed:
        return NO
    allowing = sorted(
        {item.expression for rule in rules if rule.effect == "allow" for item in rule.conditions_for(action)}
    )
    refusing = sorted(
        {item.expression for rule in rules if rule.effect == "deny" for item in rule.conditions_for(action)}
    )
    text = " or ".join(allowing)
    if refusing:
        unless = " or ".join(refusing)
        text = f"({text}) and not ({unless})" if text else f"not ({unless})"
    return text


def alike(rules: Iterable[Rule], subject: Subject) -> list[list[Action]]:
    """All actions, those together of which every rule says the same: it is enough to judge one of each."""
    entries = {rule.role.patterns for rule in rules}
    entries |= {condition.actions for rule in rules for condition in rule.conditions}
    covered = [covered_by(patterns) for patterns in sorted(entries)]
    classes: dict[Any, list[Action]] = defaultdict(list)
    for action in all_actions():
        agents = (action.only_reads, action.kind in POWER_KINDS) if subject.is_agent else ()
        classes[action.lowest_scope, agents, tuple(action.name in names for names in covered)].append(action)
    return list(classes.values())


@lru_cache(maxsize=512)
def covered_by(patterns: tuple[str, ...]) -> frozenset[str]:
    """The actions that some entries give."""
    return frozenset(action.name for action in all_actions() if any_covers(patterns, action.name))
