"""Why something may or may not be done: the grant or the deny that decided, or the smallest grant that would do.

Serves `GET /api/stagecraft/v1/access/why` and `manage.py can-i` and `why`, in the same words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, QueryDict

from portal.access.actions import WITHIN, action_named
from portal.access.endpoint import Call
from portal.access.engine import Access
from portal.access.place import Place
from portal.access.rules import Attributes, Decision, Rule
from portal.access.subject import subject_of
from portal.access.tables import tables
from portal.accounts.models import User
from portal.wire import responses
from portal.wire.query import text_parameter
from portal.wire.responses import Refusal, Unreadable

IMPERSONATE = "authz:impersonate-evaluate"
SENTENCES = {
    "no grant": "nothing gives it",
    "break-glass": "superusers may do everything",
    "inactive": "the account is not active",
    "agent": "groups let an agent only read, and no agent writes roles or bindings: bind the agent by its own name",
    "on behalf of": "the person on whose behalf the agent acts may not do it",
}


@dataclass(frozen=True)
class Question:
    """`GET …/why?action=…&namespace=…&project=…&component=…&resource=…&environment=…&user=…`."""

    action: str
    place: Place
    attributes: Attributes
    user: str

    @classmethod
    def bind(cls, query: QueryDict) -> Question:
        action = text_parameter(query, "action")
        if not action:
            raise Unreadable("give an action, such as action=component:update")
        attributes = {
            name: value
            for name in ("environment", "componentType", "resourceType", "workflow")
            if (value := text_parameter(query, name))
        }
        names = (text_parameter(query, name) for name in ("namespace", "project", "component", "resource"))
        return cls(action, Place(*names), attributes, text_parameter(query, "user"))


def show_why(call: Call) -> HttpResponse:
    """200 with the decision and its reason, for the caller or, with the right to ask, for another user."""
    question: Question = call.query
    access = call.access
    if question.user and question.user != call.user.get_username():
        if not access.allows(IMPERSONATE, Place()):
            raise Refusal(403, responses.FORBIDDEN)
        other = User.objects.filter(username=question.user).first()
        if other is None:
            raise Refusal(404, "User not found")
        access = Access(subject_of(other))
    return responses.json_body(explain(access, question.action, question.place, question.attributes))


def explain(access: Access, action: str, place: Place, attributes: Attributes) -> dict[str, Any]:
    """The decision, what decided it, in a sentence, and for a refusal the smallest grant that would allow it."""
    decision = access.check(action, place, attributes)
    shown: dict[str, Any] = {
        "subject": access.subject.name,
        "action": action,
        "scope": place.path,
        "allowed": decision.allowed,
        "because": decision.because,
        "reason": sentence(decision, attributes),
    }
    if decision.rule is not None:
        shown["rule"] = wire_rule(decision.rule, action, attributes)
    if not decision.allowed and (grant := smallest_grant(access, decision, action, place)) is not None:
        shown["wouldAllow"] = grant
    return shown


def wire_rule(rule: Rule, action: str, attributes: Attributes) -> dict[str, Any]:
    """A rule with its bindings and the values that its conditions were judged by."""
    shown: dict[str, Any] = {
        "effect": rule.effect,
        "role": {"kind": rule.role.kind, "name": rule.role.name} if rule.role.kind else {"action": rule.role.name},
        "scope": rule.place.path,
        "through": rule.via or "the user's own grant",
        "bindings": tables().bindings_of(rule) or ["given by hand"],
    }
    if conditions := rule.conditions_for(action):
        shown["conditions"] = [condition.expression for condition in conditions]
        shown["attributes"] = dict(attributes)
    return shown


def sentence(decision: Decision, attributes: Attributes) -> str:
    rule = decision.rule
    if rule is None or decision.because not in ("grant", "denied"):
        return SENTENCES.get(decision.because, decision.because)
    bindings = ", ".join(tables().bindings_of(rule)) or "a grant by hand"
    verb = "gives" if decision.allowed else "denies"
    return f"{bindings} {verb} {rule.role.name} at {rule.place.path} to {rule.via or 'the user'}"


def smallest_grant(access: Access, decision: Decision, action: str, place: Place) -> dict[str, Any] | None:
    """The least that would turn a refusal: the one action, at the innermost place where it can be given, to the subject
    itself. None where no grant would do: a deny stands, or the subject may not use grants."""
    known = action_named(action)
    if known is None or decision.because in ("inactive", "on behalf of"):
        return None
    if decision.because == "denied" and decision.rule is not None and decision.rule.is_own:
        return {"remove": tables().bindings_of(decision.rule)}
    if access.subject.is_agent and known.kind.endswith(("authzrole", "authzrolebinding")) and not known.only_reads:
        return None
    return {
        "action": action,
        "scope": innermost(place, known.lowest_scope).path,
        "entitlement": {"claim": "sub", "value": access.subject.name},
    }


def innermost(place: Place, lowest_scope: str) -> Place:
    """The innermost place around the asked one at which an action of that scope can be given."""
    for candidate in (
        place,
        Place(place.namespace, place.project),
        Place(place.namespace),
    ):
        if lowest_scope in WITHIN[candidate.level]:
            return candidate
    return Place()
