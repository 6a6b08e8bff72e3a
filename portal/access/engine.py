"""The engine: everything that may be asked of one subject's rights, from one policy.

    access = Access.of(user)
    access.check("component:update", place, attributes)     one object
    access.filter(Component.objects.all(), "component:view")  many, in SQL
    access.profile(place)                                   what is possible there and within
    access.reaches("component:view")                        anything at all, anywhere?

The policy is read at the first question, in one query, and kept for as long as the `Access` lives: one request.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db.models import Q

from portal.access import usage
from portal.access.actions import Level, contract_actions, expand
from portal.access.condition import as_sql, attributes_of
from portal.access.doors import opened
from portal.access.limited import policy_within
from portal.access.place import Place
from portal.access.policy import Policy, load_policy
from portal.access.rules import NO_ATTRIBUTES, Attributes, Decision, Rule, decide, usable
from portal.access.subject import Subject, subject_of
from portal.access.tables import Hierarchy, hierarchy_of
from portal.accounts.models import User

CREDENTIAL = "the token"
"""The name of the subject that stands for a credential's limits."""


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


class Access:
    """What one subject may do. Make one for each request."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._usable: dict[str, list[Rule]] = {}

    @classmethod
    def of(cls, user: User, *, groups: Iterable[str] = ()) -> Access:
        return cls(subject_of(user, groups=groups))

    @cached_property
    def policy(self) -> Policy:
        return load_policy(self.subject)

    @cached_property
    def principal(self) -> Access | None:
        """The rights of the person on whose behalf the subject acts."""
        return None if self.subject.acting_for is None else Access(self.subject.acting_for)

    @cached_property
    def bounds(self) -> tuple[Access, ...]:
        """What must allow everything too: the limits of the credential, and the person behind an agent."""
        found = [] if self.principal is None else [self.principal]
        if self.subject.limits is not None:
            limit = Access(Subject(None, CREDENTIAL))
            limit.policy = policy_within(self.subject.limits)
            found.insert(0, limit)
        return tuple(found)

    def rules_for(self, action: str) -> list[Rule]:
        if action not in self._usable:
            self._usable[action] = usable(self.policy.rules, action, is_agent=self.subject.is_agent)
        return self._usable[action]

    # One object

    def check(self, action: str, place: Place, attributes: Attributes = NO_ATTRIBUTES) -> Decision:
        """Judge one action at one place. An attribute that the action's conditions need and that is not given fails
        closed."""
        decision = self.check_unbound(action, place, attributes)
        if decision.allowed:
            for bound in self.bounds:
                behind = bound.check(action, place, attributes)
                if not behind.allowed:
                    is_limit = bound is not self.principal
                    return Decision(False, None if is_limit else behind.rule, "token" if is_limit else "on behalf of")
        return decision

    def check_unbound(self, action: str, place: Place, attributes: Attributes) -> Decision:
        """As `check`, by what the subject itself has been given."""
        if not self.subject.is_active:
            return Decision(False, because="inactive")
        if self.subject.needs_no_grant:
            return Decision(True, because="security off" if self.subject.is_unchecked else "break-glass")
        decision = decide(self.rules_for(action), action, place, attributes, strict_deny=settings.STRICT_DENY)
        if not decision.allowed and decision.because == "no grant" and self.subject.is_agent:
            everything = [rule for rule in self.policy.rules if rule.covers(action)]
            if decide(everything, action, place, attributes, strict_deny=settings.STRICT_DENY).allowed:
                return Decision(False, because="agent")
        return decision

    def allows(self, action: str, place: Place, attributes: Attributes = NO_ATTRIBUTES) -> bool:
        return self.check(action, place, attributes).allowed

    def may(self, verb: str, obj: Any) -> bool:
        """Whether the verb may be done to a stored object."""
        hierarchy = hierarchy_of(type(obj))
        return self.allows(hierarchy.action(verb), hierarchy.place_of(obj), hierarchy.attributes_of(obj))

    # Many objects

    def filter(self, queryset: Any, action: str) -> Any:
        """The rows for which `check` would say yes. No query of its own but the policy's."""
        if not self.subject.is_active:
            return queryset.none()
        queryset = opened(queryset, f"{action} of {self.subject.name}")
        if not self.subject.needs_no_grant:
            hierarchy = hierarchy_of(queryset.model)
            area = self.area(hierarchy, action, queryset.model)
            usage.note_all((rule for rule in self.rules_for(action) if rule.row), action)
            if not area.everything:
                queryset = queryset.none() if area.condition is None else queryset.filter(area.condition)
        for bound in self.bounds:
            queryset = bound.filter(queryset, action)
        return queryset

    def visible(self, queryset: Any) -> Any:
        """The rows that the subject may see."""
        return self.filter(queryset, hierarchy_of(queryset.model).action("view"))

    def reaches(self, action: str, within: Place | None = None) -> bool:
        """Whether the action might be allowed anywhere (or anywhere within a place): what shows a menu."""
        if not self.subject.is_active:
            return False
        found = self.subject.needs_no_grant or any(
            rule.effect == "allow" and (within is None or rule.place.contains(within) or within.contains(rule.place))
            for rule in self.rules_for(action)
        )
        return found and all(bound.reaches(action, within) for bound in self.bounds)

    def area(self, hierarchy: Hierarchy, action: str, model: Any) -> Area:
        """The rows that the rules give, denies taken away."""
        given: dict[str, list[Rule]] = defaultdict(list)
        denied: dict[str, list[Rule]] = defaultdict(list)
        refused: list[Rule] = []
        for rule in self.rules_for(action):
            if rule.effect == "allow":
                given["" if rule.is_own else rule.via].append(rule)
            elif rule.is_own or settings.STRICT_DENY:
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

    # Everything at once

    def profile(self, asked: Place) -> dict[str, Capability]:
        """What the subject may do at the asked place, around it and within it, by the contract's actions."""
        found = self.profile_unbound(asked)
        for bound in self.bounds:
            behind = bound.profile(asked)
            found = {action: intersected(found[action], behind[action]) for action in found if action in behind}
        return found

    def profile_unbound(self, asked: Place) -> dict[str, Capability]:
        """As `profile`, by what the subject itself has been given."""
        if not self.subject.is_active:
            return {}
        if self.subject.needs_no_grant:
            return {action.name: Capability({"*": None}, {}) for action in contract_actions()}
        found: dict[str, Capability] = {}
        for rule in self.policy.rules:
            if not (rule.place.contains(asked) or asked.contains(rule.place)):
                continue
            for pattern in rule.role.patterns:
                for action in expand(pattern):
                    if rule in self.rules_for(action):
                        capability = found.setdefault(action, Capability({}, {}))
                        capability.add(rule, [item.expression for item in rule.conditions_for(action)])
        return found


@dataclass(frozen=True)
class Capability:
    """Where an action is allowed and denied: path → expressions (any of which must hold), or None for no condition."""

    allowed: dict[str, list[str] | None]
    denied: dict[str, list[str] | None]

    def add(self, rule: Rule, expressions: list[str]) -> None:
        """Count a rule in. What is unconditional absorbs conditions at the same path."""
        paths = self.allowed if rule.effect == "allow" else self.denied
        path = rule.place.path
        if not expressions:
            paths[path] = None
        elif (held := paths.setdefault(path, [])) is not None:
            held.extend(item for item in expressions if item not in held)


def intersected(one: Capability, other: Capability) -> Capability:
    """What both allow: the inner of two places of which one holds the other. Conditions of both must hold."""
    allowed: dict[str, list[str] | None] = {}
    for left, left_expressions in one.allowed.items():
        for right, right_expressions in other.allowed.items():
            if holds(left, right) or holds(right, left):
                inner = right if holds(left, right) else left
                allowed[inner] = both(left_expressions, right_expressions)
    return Capability(allowed, {**one.denied, **other.denied})


def holds(outer: str, inner: str) -> bool:
    """Whether one path is the other or contains it."""
    return outer in ("*", inner) or inner.startswith(outer + "/")


def both(left: list[str] | None, right: list[str] | None) -> list[str] | None:
    """Expressions of which one must hold, from two lists of which one each must hold."""
    if left is None or right is None:
        return right if left is None else left
    return [f"({one}) && ({other})" for one in left for other in right]


def area_of(rules: Iterable[Rule], hierarchy: Hierarchy, action: str, model: Any) -> Area:
    """The rows that some rules speak of: those without conditions by level, the others one by one."""
    by_level: dict[Level, list[Rule]] = defaultdict(list)
    total = Area()
    for rule in rules:
        if not rule.conditions_for(action):
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


def checks(access: Access, questions: Iterable[tuple[str, Place, Mapping[str, str]]]) -> Iterator[Decision]:
    """A batch of questions about one subject, in order, from one policy."""
    for action, place, attributes in questions:
        yield access.check(action, place, attributes)
