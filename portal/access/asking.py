"""`GET /api/stagecraft/v1/access/why` and `who-can`: may one do something and why, now or at a past moment; who may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from django.http import HttpResponse, QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from portal.access import guard
from portal.access.actions import extension
from portal.access.endpoint import Call
from portal.access.engine import Access
from portal.access.explanations import SENTENCES, Telling, explain
from portal.access.place import Place
from portal.access.rules import Attributes
from portal.access.subject import is_unchecked
from portal.access.tables import tables
from portal.access.who import PRINCIPAL, Holder, who_can
from portal.accounts.models import User
from portal.audit import operation as audit
from portal.wire import responses
from portal.wire.query import limit_parameter, text_parameter
from portal.wire.responses import Refusal, Unreadable

ATTRIBUTES = ("environment", "componentType", "resourceType", "workflow")
PLACE = ("namespace", "project", "component", "resource")
BY_TOKEN = "whoever's token names one of the entitlements may do it too, in a group here or not"  # noqa: S105
BY_CREDENTIAL = "on behalf of somebody an agent may do what both may; a token may be limited to less than its account"
IMPERSONATE = "authz:impersonate-evaluate"
SEE_ACCESS = extension("authz:view", "component", "See who may do what at a place, and why").name


@dataclass(frozen=True)
class Question:
    """`?action=…&namespace=…&project=…&component=…&resource=…&environment=…&user=…&at=…`."""

    action: str
    place: Place
    attributes: Attributes
    user: str = ""
    at: datetime | None = None

    @classmethod
    def bind(cls, query: QueryDict) -> Question:
        """Read it from the query. Raises `Unreadable`."""
        action = text_parameter(query, "action")
        if not action:
            raise Unreadable("give an action, such as action=component:update")
        given = {name: text_parameter(query, name) for name in ATTRIBUTES}
        at = text_parameter(query, "at")
        return cls(
            action,
            Place(*(text_parameter(query, name) for name in PLACE)),
            {name: value for name, value in given.items() if value},
            text_parameter(query, "user"),
            moment_of(at) if at else None,
        )


def moment_of(text: str) -> datetime:
    """A past moment from a text: a time with its zone (UTC if it names none), or a day, which means its end.

    Raises `Unreadable`.
    """
    try:
        found = parse_datetime(text)
        day = None if found is not None else parse_date(text)
    except ValueError:
        found = day = None
    if day is not None:
        found = datetime(day.year, day.month, day.day, 23, 59, 59, 999_999, tzinfo=UTC)
    if found is None:
        raise Unreadable(f"at={text!r} is no time; give 2026-05-31T12:00:00Z, or 2026-05-31 for the end of that day")
    found = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    if found > timezone.now() and day is None:
        raise Unreadable(f"at={text!r} is not in the past")
    return found


def show_why(call: Call) -> HttpResponse:
    """200 with the decision and its reasons, for the caller or, with the right to ask, for another user."""
    question: Question = call.query
    user, access = call.user, call.access
    if question.user and question.user != call.user.get_username():
        if not access.allows(IMPERSONATE, Place()):
            guard.require_at(access, SEE_ACCESS, question.place)
        other = User.objects.filter(username=question.user).first()
        if other is None:
            raise Refusal(404, "User not found")
        note_question(question)
        user, access = other, Access.of(other)
    return responses.json_body(answer(question, user, access))


def note_question(question: Question) -> None:
    """Write down that somebody asks what others may do: it changes nothing, so nothing else would."""
    opened = audit.current()
    if opened is None:
        return
    opened.action = SEE_ACCESS
    opened.target = audit.Target("User" if question.user else "", question.place.namespace, question.user)
    asked = {"asked": question.action, "scope": question.place.path, "at": question.at and question.at.isoformat()}
    audit.conclude(opened, "success", 200, {name: value for name, value in asked.items() if value})


def answer(question: Question, user: User, access: Access) -> dict[str, Any]:
    """The explanation for a user: of its rights as they are, or as they were at the question's moment."""
    if question.at is None:
        return explain(access, question.action, question.place, question.attributes)
    past = tables().as_of(user, question.at)
    shown = explain(past.access, question.action, question.place, question.attributes, past.records)
    return {**shown, "at": past.at.isoformat().replace("+00:00", "Z"), "notes": list(past.notes)}


# Who can --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WhoQuestion:
    """`GET …/who-can?action=…&namespace=…&…&limit=…&cursor=…`."""

    question: Question
    limit: int
    cursor: str

    @classmethod
    def bind(cls, query: QueryDict) -> WhoQuestion:
        """Read it from the query. Raises `Unreadable`."""
        return cls(Question.bind(query), limit_parameter(query), text_parameter(query, "cursor"))


def show_who_can(call: Call) -> HttpResponse:
    """200 with a page of those who may do it, each with the grants that give it; `authz:view` there is needed."""
    asked: WhoQuestion = call.query
    guard.require_at(call.access, SEE_ACCESS, asked.question.place)
    note_question(asked.question)
    return responses.json_body(holders(asked.question, limit=asked.limit, cursor=asked.cursor))


def holders(question: Question, *, limit: int, cursor: str = "") -> dict[str, Any]:
    """A page of `portal.access.who` as JSON. Raises `Unreadable` for a cursor that is none."""
    try:
        page = who_can(question.action, question.place, question.attributes, limit=limit, cursor=cursor)
    except ValueError as error:
        raise Unreadable(str(error)) from None
    rules = [rule for holder in page.holders for rule in holder.rules]
    told = Telling(question.action, question.attributes, tables().origins_of(rules))
    return {
        "action": question.action,
        "scope": question.place.path,
        "attributes": dict(question.attributes),
        "items": [wire_holder(holder, told) for holder in page.holders],
        "pagination": {"nextCursor": page.cursor} if page.cursor else {},
        "notes": [*([SENTENCES["security off"]] if is_unchecked() else []), BY_TOKEN, BY_CREDENTIAL],
    }


def wire_holder(holder: Holder, told: Telling) -> dict[str, Any]:
    """`{"type": "principal", "name", "kind", …}` or `{"type": "entitlement", "entitlement", "members", …}`."""
    shown: dict[str, Any] = {"type": holder.sort}
    if holder.sort == PRINCIPAL:
        shown |= {"name": holder.name, "kind": holder.kind}
    else:
        claim, _, value = holder.name.partition(":")
        shown |= {"entitlement": {"claim": unquote(claim), "value": value}, "members": holder.members}
    said = "; and ".join(told.clause(rule) for rule in holder.rules)
    return {
        **shown,
        "because": holder.decision.because,
        "reason": said or SENTENCES.get(holder.decision.because, holder.decision.because),
        "rules": [told.rule(rule) for rule in holder.rules],
    }
