"""What may be done at a place, around it and within it, for every action at once: surfaces draw their buttons by it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from portal.access.actions import expand
from portal.access.place import Place
from portal.access.rules import Rule, can_use


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


def capabilities(rules: Iterable[Rule], asked: Place, *, is_agent: bool) -> dict[str, Capability]:
    """By action, what these rules give and refuse at the asked place, around it and within it."""
    found: dict[str, Capability] = {}
    for rule in rules:
        if not (rule.place.contains(asked) or asked.contains(rule.place)):
            continue
        for pattern in rule.role.patterns:
            for action in expand(pattern):
                if can_use(rule, action, is_agent=is_agent):
                    capability = found.setdefault(action, Capability({}, {}))
                    capability.add(rule, [item.expression for item in rule.conditions_for(action)])
    return found
