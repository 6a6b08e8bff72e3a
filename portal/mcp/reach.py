"""Whether a caller could use an action anywhere (or anywhere within a place): what shows a tool, and lets it be tried.

An allow counts unless a deny takes it away wherever it holds: one without conditions for the action, at the allow's
place or around it, that is bound to the subject itself or to the same group (or any, with `strict_deny`). What such a
rule leaves is judged with the object at hand, by the engine.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock

from django.conf import settings

from portal.access.engine import Access
from portal.access.place import Place
from portal.access.policy import Policy
from portal.access.rules import Rule

KEPT = 512

_kept: OrderedDict[int, tuple[Policy, bool, bool, dict[str, bool]]] = OrderedDict()
_lock = Lock()


def reaches(access: Access, action: str, within: Place | None = None) -> bool:
    """Whether the action might be allowed to the subject there, and to everything that bounds it."""
    if not access.subject.is_active:
        return False
    found = access.subject.needs_no_grant or has_way(access.rules_for(action), action, within)
    return found and all(reaches(bound, action, within) for bound in access.bounds)


def has_way(rules: Iterable[Rule], action: str, within: Place | None) -> bool:
    """Whether one of the rules allows something that none of them denies outright."""
    held = list(rules)
    denies = [rule for rule in held if rule.effect == "deny" and not rule.conditions_for(action)]
    for rule in held:
        if rule.effect != "allow":
            continue
        place = inner_of(rule.place, within)
        if place is not None and not any(takes(deny, rule, place) for deny in denies):
            return True
    return False


def inner_of(place: Place, within: Place | None) -> Place | None:
    """The part of a place that is within another; None where they have nothing in common."""
    if within is None or within.contains(place):
        return place
    return within if place.contains(within) else None


def takes(deny: Rule, allow: Rule, place: Place) -> bool:
    """Whether a deny leaves nothing of an allow at that place."""
    return deny.place.contains(place) and (deny.is_own or settings.STRICT_DENY or deny.via == allow.via)


def reached(access: Access, actions: Iterable[str]) -> frozenset[str]:
    """Those of the actions that the caller could use somewhere. What follows from a policy is worked out once for as
    long as the policy is the same."""
    wanted = tuple(actions)
    if not access.subject.is_active:
        return frozenset()
    if access.subject.needs_no_grant:
        found = frozenset(wanted)
    else:
        answers = answers_for(access)
        for action in wanted:
            if action not in answers:
                answers[action] = has_way(access.rules_for(action), action, None)
        found = frozenset(action for action in wanted if answers[action])
    for bound in access.bounds:
        found &= reached(bound, wanted)
    return found


def answers_for(access: Access) -> dict[str, bool]:
    """What is known of a policy already. The policy itself is kept with it, so that its identity stays its own."""
    policy, is_agent, strict = access.policy, access.subject.is_agent, settings.STRICT_DENY
    with _lock:
        held = _kept.get(id(policy))
        if held is None or held[0] is not policy or held[1:3] != (is_agent, strict):
            held = _kept[id(policy)] = (policy, is_agent, strict, {})
        _kept.move_to_end(id(policy))
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return held[3]
