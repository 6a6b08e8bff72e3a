"""What one subject has been given or refused, and what follows from it for one action at one place.

Pure: rules in, a decision out, no database. The meaning, in full:

* A rule counts where its place contains the asked one and its role covers the action.
* A rule with conditions for the action counts if one of them holds. If an attribute that any of them names is not
  known, an allow does not count and a deny does.
* A deny that is bound to the subject itself refuses, whatever else there is. A deny bound to a group takes away what
  the same group gives, no more; with `strict_deny` every deny refuses.
* An agent gets through groups only what reads, and never what gives rights (roles and bindings).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from portal.access.actions import Level, action_named, any_covers
from portal.access.condition import Condition, attributes_of, closure
from portal.access.place import Place

Effect = Literal["allow", "deny"]
Attributes = Mapping[str, str]
Because = Literal[
    "grant", "no grant", "denied", "break-glass", "inactive", "agent", "on behalf of", "token", "security off"
]
POWER_KINDS = frozenset({"authzrole", "authzrolebinding", "clusterauthzrole", "clusterauthzrolebinding"})
NO_ATTRIBUTES: Attributes = {}


@dataclass(frozen=True, slots=True)
class Role:
    """What a permission of a grant stands for: a role's entries, or one action given by hand."""

    name: str
    patterns: tuple[str, ...]
    kind: str = ""
    """`ClusterAuthzRole`, `AuthzRole`, or "" for a single action."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One mapping as it applies to one subject.

    `via` is the group that it came through ("" for a grant to the subject's own user), `is_own` whether that means the
    subject itself rather than a group of many. `table` and `row` find the stored grant, `scope` its object.
    """

    effect: Effect
    level: Level
    place: Place
    role: Role
    via: str
    is_own: bool
    table: Literal["user", "group", "exception"]
    row: int
    scope: int
    conditions: tuple[Condition, ...] = ()

    @property
    def key(self) -> tuple[str, str, int]:
        """What names the stored row: its table, its level and its number there."""
        return self.table, self.level, self.row

    def covers(self, action: str) -> bool:
        return any_covers(self.role.patterns, action)

    def conditions_for(self, action: str) -> tuple[Condition, ...]:
        """The conditions that speak of the action; none means that it is given without."""
        return tuple(condition for condition in self.conditions if any_covers(condition.actions, action))

    def counts(self, action: str, attributes: Attributes) -> bool:
        """Whether the conditions let the rule count; fails closed where an attribute is missing or empty."""
        conditions = self.conditions_for(action)
        if not conditions:
            return True
        if any(not attributes.get(name) for condition in conditions for name in attributes_of(condition.tree)):
            return self.effect == "deny"
        return any(closure(condition.tree)(attributes) for condition in conditions)


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes or no, and the rule that decided: the grant that gave it, or the deny that took it."""

    allowed: bool
    rule: Rule | None = None
    because: Because = "no grant"
    cancelled: tuple[Rule, ...] = field(default=())
    """Grants that a deny of their own group took away."""


def can_use(rule: Rule, action: str, *, is_agent: bool) -> bool:
    """Whether a rule that covers the action counts for this sort of subject."""
    if not is_agent or rule.effect == "deny":
        return True
    kind, _, verb = action.partition(":")
    known = action_named(action)
    reads = known.only_reads if known else verb == "view"
    return reads or (rule.is_own and kind not in POWER_KINDS)


def usable(rules: Iterable[Rule], action: str, *, is_agent: bool) -> list[Rule]:
    """The rules that speak of the action and that this sort of subject may use."""
    covering: dict[int, bool] = {}  # many rules share few roles
    found = []
    for rule in rules:
        covers = covering.get(id(rule.role))
        if covers is None:
            covers = covering[id(rule.role)] = rule.covers(action)
        if covers and can_use(rule, action, is_agent=is_agent):
            found.append(rule)
    return found


def decide(rules: Iterable[Rule], action: str, place: Place, attributes: Attributes, *, strict_deny: bool) -> Decision:
    """Judge one action at one place by rules that `usable` has chosen."""
    counting = [rule for rule in rules if rule.place.contains(place) and rule.counts(action, attributes)]
    denies = [rule for rule in counting if rule.effect == "deny"]
    for rule in denies:
        if rule.is_own or strict_deny:
            return Decision(False, rule, "denied")
    denying = {rule.via: rule for rule in denies}
    cancelled = []
    for rule in counting:
        if rule.effect == "allow":
            if rule.via in denying and not rule.is_own:
                cancelled.append(rule)
            else:
                return Decision(True, rule, "grant")
    if cancelled:
        return Decision(False, denying[cancelled[0].via], "denied", tuple(cancelled))
    return Decision(False)
