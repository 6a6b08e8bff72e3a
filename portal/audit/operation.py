"""What is being attempted: the frame in which exactly one event comes of one operation.

    with operation(actor, "component:promote", Target("Component", "default", "web"), is_compound=True):
        promote(…)

Changes write their events themselves, inside their transaction (`record_changes`). The frame adds what the change
does not know (who asked for it, from where, how permission was decided) and writes the event of what left no change:
a refusal, a failure, a change that changed nothing. Those are written when the frame ends, after any transaction that
it held has been rolled back, so nothing undoes them.

An operation within another (a document of many) counts for the outer one too. A compound operation (a promotion) has
an event of its own, and those of its changes name it as parent.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404

from portal.accounts.actor import Actor
from portal.audit import ledger
from portal.audit.ledger import Event, clean_free_text, next_id

ANONYMOUS = Actor(name="anonymous", kind="system", surface="rest", request_id="")


@dataclass(frozen=True, slots=True)
class Target:
    """The object of an operation, as far as it is known."""

    kind: str = ""
    namespace: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from. `client_request_id` and `trace_id` are the client's own words (the second that of W3C
    Trace Context, 32 hexadecimal digits), the server's id is another."""

    request_id: str
    client_request_id: str = ""
    source_ip: str | None = None
    user_agent: str = ""
    trace_id: str = ""


@dataclass(slots=True)
class Operation:
    """One attempt. Whoever learns more on the way fills it in."""

    action: str = ""
    actor: Actor | None = None
    target: Target = Target()
    origin: Origin | None = None
    on_behalf_of: str = ""
    credential: str = ""
    agent: dict[str, str] = field(default_factory=dict)
    """Of an AI agent: model, session, tool, call, as it says itself."""
    decision: str = ""
    reason: dict[str, Any] = field(default_factory=dict)
    """Why permission was given or refused, as the access engine explains it."""
    is_compound: bool = False
    is_rehearsal: bool = False
    outer: Operation | None = None
    recorded: int = 0
    own_id: uuid.UUID | None = None
    has_own_event: bool = False
    gathers: bool = False
    postponed: list[Event] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    @property
    def id(self) -> uuid.UUID:
        """The id of its own event, should it have one: most requests only read, and leave none."""
        if self.own_id is None:
            self.own_id = next_id()
        return self.own_id

    def count(self, number: int) -> None:
        """Events were written for this operation, and so for those around it."""
        frame: Operation | None = self
        while frame is not None:
            frame.recorded += number
            frame = frame.outer


_current: ContextVar[Operation | None] = ContextVar("audit_operation", default=None)


def current() -> Operation | None:
    """The innermost operation that is open here, None outside of any."""
    return _current.get()


@contextmanager
def frame(opened: Operation) -> Iterator[Operation]:
    """Make an operation the current one; the bare frame, which writes nothing itself."""
    opened.outer = _current.get()
    token = _current.set(opened)
    try:
        yield opened
    finally:
        _current.reset(token)


@contextmanager
def operation(
    actor: Actor, action: str, target: Target = Target(), *, is_compound: bool = False
) -> Iterator[Operation]:
    """Attempt something: one event comes of it, whatever happens. Inherits from the operation around it."""
    around = current()
    opened = Operation(action=action, actor=actor, target=target, is_compound=is_compound)
    if is_compound:
        opened.own_id = next_id()  # its event comes before those of its changes
    if around is not None:
        opened.origin, opened.on_behalf_of = around.origin, around.on_behalf_of
        opened.credential, opened.agent = around.credential, around.agent
        opened.decision, opened.reason = around.decision, around.reason
        opened.is_rehearsal = around.is_rehearsal
    try:
        with frame(opened):
            yield opened
    except Exception as error:
        if not opened.is_rehearsal:
            opened.has_own_event = False  # what was written inside the transaction is gone with it
            conclude(opened, *outcome_of(error), details_of(error))
        raise
    if not opened.recorded and not opened.is_rehearsal:
        conclude(opened, "success", None, {"changed": False})


@contextmanager
def batch() -> Iterator[None]:
    """Many operations in a row: the events of those that changed nothing are written together at the end."""
    around = current()
    gathering = Operation() if around is None else replace(around, postponed=[], recorded=0)
    gathering.gathers = True
    try:
        with frame(gathering):
            yield
    finally:
        ledger.write(gathering.postponed)


def conclude(opened: Operation, outcome: str, status: int | None, details: dict[str, Any]) -> None:
    """Write the event of an operation that has left none."""
    event = event_of(opened, outcome, status, details)
    opened.count(1)
    around = opened.outer
    # Losing the word that nothing has changed is no loss; every other event is written now.
    if outcome == "success" and around is not None and around.gathers:
        around.postponed.append(event)
    else:
        ledger.write([event])


def event_of(opened: Operation, outcome: str, status: int | None, details: dict[str, Any]) -> Event:
    """The event of the operation itself."""
    actor, target = opened.actor or ANONYMOUS, opened.target
    event = Event(
        id=opened.id,
        action=opened.action or "request:unknown",
        actor=actor.name,
        actor_kind=actor.kind,
        surface=actor.surface,
        request_id=actor.request_id,
        outcome=outcome,
        kind=clean_free_text(target.kind, 64),
        namespace=clean_free_text(target.namespace, 63),
        name=clean_free_text(target.name, 253),
        status=status,
        details={**details, "milliseconds": round((time.monotonic() - opened.began) * 1000)},
    )
    complete(event, opened)
    if outcome == "denied":
        event.decision = "deny"
    return event


def complete(event: Event, opened: Operation) -> None:
    """Add to an event what only the operation around it knows."""
    event.on_behalf_of, event.credential = opened.on_behalf_of, opened.credential
    event.decision = opened.decision
    if opened.reason:
        event.details["reason"] = opened.reason
    if opened.agent:
        event.details["agent"] = opened.agent
    if opened.origin is not None:
        event.request_id, event.source_ip = opened.origin.request_id, opened.origin.source_ip
        if opened.origin.client_request_id:
            event.details["clientRequestId"] = opened.origin.client_request_id
        if opened.origin.trace_id:
            event.details["traceId"] = opened.origin.trace_id
        if opened.origin.user_agent:
            event.details["userAgent"] = opened.origin.user_agent


def record_changes(events: Sequence[Event]) -> None:
    """Write the events of changes, in the transaction of the changes. Raises what the database raises."""
    opened = current()
    if opened is None:
        ledger.write(events)
        return
    for event in events:
        # A controller that runs within somebody's request still acts for itself.
        if opened.actor is None or event.actor == opened.actor.name:
            complete(event, opened)
    written = list(events)
    if opened.is_compound:
        if not opened.has_own_event:
            opened.has_own_event = True
            written.insert(0, event_of(opened, "success", None, {}))
        for event in events:
            event.parent = opened.id
    ledger.write(written)
    opened.count(len(written))


def decided(*, is_allowed: bool, reason: dict[str, Any] | None = None) -> None:
    """The access engine has decided about the current operation: what its event will give as the reason."""
    opened = current()
    if opened is not None:
        opened.decision = "allow" if is_allowed else "deny"
        opened.reason = reason or {}


def asked(action: str, kind: str, namespace: str = "", name: str = "") -> None:
    """Permission is asked for: the current operation is about that object, unless it already knows its own."""
    opened = current()
    if opened is not None and not opened.is_compound:
        opened.action = opened.action or action
        opened.target = Target(kind, namespace or opened.target.namespace, name or opened.target.name)


def named(name: str) -> None:
    """The current operation is about an object of that name, which is not in its path."""
    opened = current()
    if opened is not None and not opened.is_compound and not opened.target.name:
        opened.target = replace(opened.target, name=name)


def rehearses() -> None:
    """The current operation will store nothing: no event unless it is refused."""
    opened = current()
    if opened is not None:
        opened.is_rehearsal = True


_outcomes: dict[type[BaseException], tuple[str, int | None]] = {
    PermissionDenied: ("denied", 403),
    Http404: ("invalid", 404),
}


def declare_outcome(error: type[BaseException], outcome: str, status: int | None = None) -> None:
    """What an event says of operations that end with this error, or one that inherits from it."""
    _outcomes[error] = (outcome, status)


def outcome_of(error: BaseException) -> tuple[str, int | None]:
    """Outcome and status of an error; the nearest class that was declared decides."""
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return outcome_of_status(status), status
    for ancestor in type(error).__mro__:
        if ancestor in _outcomes:
            return _outcomes[ancestor]
    return "error", None


def outcome_of_status(status: int) -> str:
    """The outcome that an HTTP status stands for."""
    if status < 400:
        return "success"
    if status in (401, 403, 429):
        return "denied"
    if status in (409, 412):
        return "conflict"
    return "invalid" if status < 500 else "error"


def details_of(error: BaseException) -> dict[str, Any]:
    """An error without its text, which may quote what the user sent: its class, and the fields that were wrong."""
    details: dict[str, Any] = {"error": type(error).__name__}
    fields = [str(getattr(item, "path", "")) for item in getattr(error, "errors", ())]
    if fields:
        details["fields"] = sorted(set(fields))[:20]
    return details
