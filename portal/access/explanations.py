"""Why something may or may not be done: every grant that gives it, or what refuses it and the least change that would
allow it.

    explain(Access.of(user), "component:update", Place("acme", "shop"), {})   now
    explain(past.access, …, records=past.records)                             at a moment of `portal.access.past`

The answer is plain JSON, and `explanation_text` tells it in lines: REST, `manage.py why` and `can-i`, the admin and
whatever comes later say the same in the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from django.conf import settings

from portal.access.actions import Action, action_named
from portal.access.condition import attributes_of
from portal.access.engine import Access
from portal.access.place import Place
from portal.access.reasons import Change, Grant, Grounds, grounds_of, innermost, least_change
from portal.access.rules import Attributes, Decision, Rule
from portal.access.tables import Origins, hierarchy_of, tables

SENTENCES = {
    "no grant": "nothing gives it",
    "break-glass": "superusers may do everything",
    "inactive": "the account is not active",
    "agent": "groups let an agent only read, and no agent writes roles or bindings: bind the agent by its own name",
    "on behalf of": "the person on whose behalf the agent acts may not do it",
    "token": "the token may be used for less than its account may do: use another",
    "security off": "permission is switched off in the settings: everything is allowed",
}


@dataclass(frozen=True)
class Records:
    """Where an explanation looks up what rules only point to: the documents behind them, and whether a place exists.

    `real_place` gives the full place of an object that a place names, None if there is no such object.
    """

    origins_of: Callable[[Iterable[Rule]], Mapping[tuple[str, str, int], Origins]]
    real_place: Callable[[Place], Place | None]
    are_stored: bool = True
    """Whether rules are rows of today's tables, so that their keys mean something to others."""


def present() -> Records:
    """The records of this moment."""
    return Records(tables().origins_of, stored_place)


def explain(
    access: Access, action: str, place: Place, attributes: Attributes, records: Records | None = None
) -> dict[str, Any]:
    """The decision, all that decided it, in a sentence, and for a refusal the least change that would allow it.

    `{"subject", "action", "scope", "allowed", "because", "reason"}`, and where there are any: `"rule"` (the one that
    decided), `"rules"` (every grant that would be enough alone, or every deny that stands in the way), `"unmet"`
    (grants whose conditions do not hold), `"onBehalfOf"` (the same for the person behind an agent), `"wouldAllow"`
    (`{"remove": [mapping…], "grants": [{"action", "scope", "entitlement"}…]}`).
    """
    records = records or present()
    decision = access.check(action, place, attributes)
    grounds = grounds_for(access, action, place, attributes)
    bearing = [*grounds.allowing, *grounds.refusing, *grounds.cancelling, *grounds.unmet]
    told = Telling(action, attributes, records.origins_of(bearing), records.are_stored)
    shown: dict[str, Any] = {
        "subject": access.subject.name,
        "action": action,
        "scope": place.path,
        "allowed": decision.allowed,
        "because": decision.because,
        "reason": sentence(decision, grounds, told),
    }
    if decision.because in ("grant", "denied") and decision.rule is not None:
        shown["rule"] = told.rule(decision.rule)
        shown["rules"] = [told.rule(rule) for rule in deciding(decision, grounds)]
    if not decision.allowed and grounds.unmet:
        shown["unmet"] = [told.rule(rule) for rule in grounds.unmet]
    if access.principal is not None:
        shown["onBehalfOf"] = explain(access.principal, action, place, attributes, records)
    if not decision.allowed and (change := change_for(access, action, place, attributes, records)) is not None:
        shown["wouldAllow"] = wire_change(change, records)
    return shown


def explain_object(access: Access, verb: str, obj: Any) -> dict[str, Any]:
    """As `explain`, for a verb on a stored object: at its place, with its attributes."""
    hierarchy = hierarchy_of(type(obj))
    return explain(access, hierarchy.action(verb), hierarchy.place_of(obj), hierarchy.attributes_of(obj))


def grounds_for(access: Access, action: str, place: Place, attributes: Attributes) -> Grounds:
    """What bears on a question of one subject; the person on whose behalf it acts has grounds of its own."""
    rules = access.rules_for(action)
    return grounds_of(rules, action, place, attributes, strict_deny=settings.STRICT_DENY)


def deciding(decision: Decision, grounds: Grounds) -> tuple[Rule, ...]:
    """Every rule that decided as the named one did, that one first."""
    others = grounds.allowing if decision.allowed else grounds.refusing or grounds.cancelling
    return tuple(sorted(others, key=lambda rule: rule != decision.rule))


# Text -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Telling:
    """How the rules of one answer are told."""

    action: str
    attributes: Attributes
    origins: Mapping[tuple[str, str, int], Origins]
    are_stored: bool = True

    def rule(self, rule: Rule) -> dict[str, Any]:
        """A rule with its bindings, and its conditions with the values that they were judged by."""
        origins = self.origins_of(rule)
        shown: dict[str, Any] = {
            "effect": rule.effect,
            "role": {"kind": rule.role.kind, "name": rule.role.name} if rule.role.kind else {"action": rule.role.name},
            "scope": rule.place.path,
            "through": unquote(rule.via) or "the user's own grant",
            "bindings": origins.names(),
        }
        if self.are_stored:
            shown["grant"] = ":".join(str(part) for part in rule.key)
        if origins.mappings:
            shown["mappings"] = [mapping.as_json() for mapping in origins.mappings]
        if conditions := rule.conditions_for(self.action):
            used = {name for condition in conditions for name in attributes_of(condition.tree)}
            shown["conditions"] = [condition.expression for condition in conditions]
            shown["attributes"] = {name: self.attributes.get(name) or None for name in sorted(used)}
        return shown

    def origins_of(self, rule: Rule) -> Origins:
        return self.origins.get(rule.key, Origins(is_manual=True))

    def clause(self, rule: Rule) -> str:
        """`AuthzRoleBinding acme/team gives developer at ns/acme to groups:dev`, and its condition."""
        bindings = ", ".join(self.origins_of(rule).names())
        verb = "gives" if rule.effect == "allow" else "denies"
        said = f"{bindings} {verb} {rule.role.name} at {rule.place.path} to {unquote(rule.via) or 'the user'}"
        return said + self.condition(rule)

    def condition(self, rule: Rule) -> str:
        """` if resource.environment == "acme/dev" (environment is acme/dev)`."""
        if not (conditions := rule.conditions_for(self.action)):
            return ""
        used = sorted({name for condition in conditions for name in attributes_of(condition.tree)})
        values = ", ".join(
            f"{name} is {self.attributes[name]}" if self.attributes.get(name) else f"{name} is not given"
            for name in used
        )
        return f" if {' or '.join(condition.expression for condition in conditions)} ({values})"


def sentence(decision: Decision, grounds: Grounds, told: Telling) -> str:
    """The reason in words."""
    if decision.because in ("grant", "denied") and decision.rule is not None:
        first, *others = deciding(decision, grounds) or (decision.rule,)
        return "; and ".join([told.clause(first), *(told.clause(rule) for rule in others)])
    said = SENTENCES.get(decision.because, decision.because)
    if decision.because == "no grant" and grounds.unmet:
        said += "; only under a condition: " + "; and ".join(told.clause(rule) for rule in grounds.unmet)
    return said


# What would allow it --------------------------------------------------------------------------------------------------


def change_for(access: Access, action: str, place: Place, attributes: Attributes, records: Records) -> Change | None:
    """The least change that would allow what is refused, for the subject and the person behind it; None if none would.

    An account that is not active, and a token that is limited to less, are not mended by any grant.
    """
    known = action_named(action)
    decision = access.check(action, place, attributes)
    if known is None or not access.subject.is_active or decision.because == "token":
        return None
    if decision.allowed:
        return Change()
    own = Change()
    grounds = grounds_for(access, action, place, attributes)
    if grounds.refusing or not grounds.allowing:
        found = least_change(grounds, access.subject, known, place_for_grant(place, known, records))
        if found is None:
            return None
        own = found
    if access.principal is None:
        return own if own != Change() else None
    behind = change_for(access.principal, action, place, attributes, records)
    return None if behind is None else Change(own.remove + behind.remove, own.grants + behind.grants)


def place_for_grant(asked: Place, action: Action, records: Records) -> Place:
    """The innermost place that exists, holds the asked one, and at which the action can be given."""
    place = innermost(asked, action)
    while place != Place():
        real = records.real_place(place)
        if real is not None and real.contains(asked):
            return real
        place = around(place)
    return place


def around(place: Place) -> Place:
    """The next place outwards."""
    if place.component or place.resource:
        return Place(place.namespace, place.project)
    return Place(place.namespace) if place.project else Place()


def stored_place(place: Place) -> Place | None:
    """The full place of the object that a place names: with the component's own project. None without an object."""
    names = {"namespace": place.namespace, "project": place.project}
    name = names.get(place.level) or place.component or place.resource
    namespace = "" if place.level == "namespace" else place.namespace
    found = tables().find(place.level.capitalize(), namespace, name)
    return None if found is None else hierarchy_of(type(found)).place_of(found)


def wire_change(change: Change, records: Records) -> dict[str, Any]:
    origins = records.origins_of(change.remove)
    removed = [mapping for rule in change.remove for mapping in origins[rule.key].mappings]
    return {
        "remove": [mapping.as_json() for mapping in dict.fromkeys(removed)],
        "grants": [wire_grant(grant) for grant in change.grants],
    }


def wire_grant(grant: Grant) -> dict[str, Any]:
    return {
        "action": grant.action,
        "scope": grant.place.path,
        "entitlement": {"claim": unquote(grant.claim), "value": grant.value},
    }
