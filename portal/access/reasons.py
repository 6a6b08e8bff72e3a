"""All that speaks for and against one action at one place, and the least change that would turn a refusal.

Pure, as `portal.access.rules`, whose meaning it follows: that module decides, this one says by what. Each rule of
`allowing` would be enough alone, so only all of them together are the reason for an allow.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from portal.access.actions import WITHIN, Action
from portal.access.place import Place
from portal.access.rules import POWER_KINDS, Attributes, Rule
from portal.access.subject import Subject, names_one_subject


@dataclass(frozen=True, slots=True)
class Grounds:
    """The rules that bear on one question."""

    allowing: tuple[Rule, ...] = ()
    """Each of them gives the action if nothing is `refusing`, whatever becomes of the others."""
    refusing: tuple[Rule, ...] = ()
    """Denies that refuse whatever else there is: while one of them stands, nothing gives it."""
    cancelling: tuple[Rule, ...] = ()
    """Denies of groups: each takes away what the same group gives."""
    cancelled: tuple[Rule, ...] = ()
    """What they take away."""
    unmet: tuple[Rule, ...] = ()
    """Grants that would give it if their conditions held."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The least that can be given: one action, at one place, to one claim."""

    action: str
    place: Place
    claim: str
    value: str


@dataclass(frozen=True, slots=True)
class Change:
    """What turns a refusal: the denies that must go, and what must be given."""

    remove: tuple[Rule, ...] = ()
    grants: tuple[Grant, ...] = ()


def grounds_of(
    rules: Iterable[Rule], action: str, place: Place, attributes: Attributes, *, strict_deny: bool
) -> Grounds:
    """What `rules.usable` has chosen, sorted by how it bears on the question."""
    here = [rule for rule in rules if rule.place.contains(place)]
    counting = [rule for rule in here if rule.counts(action, attributes)]
    denies = [rule for rule in counting if rule.effect == "deny"]
    refusing = tuple(rule for rule in denies if rule.is_own or strict_deny)
    cancelling = tuple(rule for rule in denies if not (rule.is_own or strict_deny))
    denied = {rule.via for rule in cancelling}
    allows = [rule for rule in counting if rule.effect == "allow"]
    return Grounds(
        allowing=tuple(rule for rule in allows if rule.is_own or rule.via not in denied),
        refusing=refusing,
        cancelling=cancelling,
        cancelled=tuple(rule for rule in allows if not rule.is_own and rule.via in denied),
        unmet=tuple(rule for rule in here if rule.effect == "allow" and rule not in counting),
    )


def least_change(grounds: Grounds, subject: Subject, action: Action, place: Place) -> Change | None:
    """The least that would allow what was refused by these grounds; None if nothing would.

    Denies that refuse whatever else there is must go. If nothing allows it then, it is given to the subject by its own
    name, which no deny of a group takes away. `place` is where it can be given (`innermost`).
    """
    if grounds.refusing and grounds.allowing:
        return Change(remove=grounds.refusing)
    if subject.is_agent and action.kind in POWER_KINDS and not action.only_reads:
        return None
    name = claim_to_give(grounds, subject)
    if not name:
        return None
    in_the_way = () if names_one_subject(name) else tuple(rule for rule in grounds.cancelling if rule.via == name)
    claim, _, value = name.partition(":")
    return Change((*grounds.refusing, *in_the_way), (Grant(action.name, place, claim, value),))


def claim_to_give(grounds: Grounds, subject: Subject) -> str:
    """The subject's own claim; for one that is known by its groups only, one of these, at best one without a deny."""
    denied = {rule.via for rule in grounds.cancelling}
    names = sorted(subject.entitlements, key=lambda name: (not names_one_subject(name), name in denied, name))
    if not names or (subject.is_agent and not names_one_subject(names[0])):
        return ""
    return names[0]


def innermost(place: Place, action: Action) -> Place:
    """The innermost place around the asked one at which the action can be given."""
    around = (place, Place(place.namespace, place.project), Place(place.namespace), Place())
    return next(candidate for candidate in around if action.lowest_scope in WITHIN[candidate.level])
