"""The engine: everything that may be asked of one subject's rights, from one policy.

    access = Access.of(user)
    access.check("component:update", place, attributes)     one object
    access.filter(Component.objects.all(), "component:view")  many, in SQL
    access.profile(place)                                   what is possible there and within
    access.reaches("component:view")                        anything at all, anywhere?

The policy is read at the first question, in one query, and kept for as long as the `Access` lives: one request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from django.conf import settings

from portal.access import usage
from portal.access.actions import contract_actions
from portal.access.area import area_within
from portal.access.doors import opened
from portal.access.limited import policy_within
from portal.access.moment import Moment
from portal.access.place import Place
from portal.access.policy import Policy
from portal.access.policy_cache import policy_of
from portal.access.profile import Capability, capabilities, intersected
from portal.access.rules import NO_ATTRIBUTES, Attributes, Decision, Rule, decide
from portal.access.subject import Subject, subject_of
from portal.access.tables import hierarchy_of
from portal.accounts.models import User

CREDENTIAL = "the token"
"""The name of the subject that stands for a credential's limits."""


class Access:
    """What one subject may do. Make one for each request. `moment` is when the request has begun, if that is known."""

    def __init__(self, subject: Subject, moment: Moment | None = None) -> None:
        self.subject = subject
        self.moment = moment

    @classmethod
    def of(cls, user: User, *, groups: Iterable[str] = ()) -> Access:
        return cls(subject_of(user, groups=groups))

    @cached_property
    def policy(self) -> Policy:
        return policy_of(self.subject, self.moment)

    @cached_property
    def principal(self) -> Access | None:
        """The rights of the person on whose behalf the subject acts."""
        return None if self.subject.acting_for is None else Access(self.subject.acting_for, self.moment)

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
        """The rules that speak of the action and that the subject may use."""
        return self.policy.usable(action, is_agent=self.subject.is_agent).rules

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
        rules = self.policy.usable(action, is_agent=self.subject.is_agent).around(place)
        decision = decide(rules, action, place, attributes, strict_deny=settings.STRICT_DENY)
        if not decision.allowed and decision.because == "no grant" and self.subject.is_agent:
            everything = self.policy.usable(action, is_agent=False).around(place)
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
            found = self.policy.usable(action, is_agent=self.subject.is_agent)
            area = area_within(found, hierarchy, action, queryset.model, strict_deny=settings.STRICT_DENY)
            usage.note_all((rule for rule in found.rules if rule.row), action)
            if not area.everything:
                queryset = queryset.none() if area.condition is None else queryset.filter(area.condition)
        for bound in self.bounds:
            queryset = bound.filter(queryset, action)
        return queryset

    def leaves_all(self, model: Any, action: str) -> bool:
        """Whether `filter` would leave every row of the kind, whichever query it is asked about."""
        if not self.subject.is_active:
            return False
        if not self.subject.needs_no_grant:
            found = self.policy.usable(action, is_agent=self.subject.is_agent)
            if not area_within(found, hierarchy_of(model), action, model, strict_deny=settings.STRICT_DENY).everything:
                return False
            usage.note_all((rule for rule in found.rules if rule.row), action)
        return all(bound.leaves_all(model, action) for bound in self.bounds)

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
        return capabilities(self.policy.rules, asked, is_agent=self.subject.is_agent)


def checks(access: Access, questions: Iterable[tuple[str, Place, Mapping[str, str]]]) -> Iterator[Decision]:
    """A batch of questions about one subject, in order, from one policy."""
    for action, place, attributes in questions:
        yield access.check(action, place, attributes)
