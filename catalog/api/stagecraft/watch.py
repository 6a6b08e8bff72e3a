"""`GET /api/stagecraft/v1/watch`: changes as they are committed, as server-sent events or by long poll.

    id: 4711
    event: change            one accepted change, as in /changes; "left": true if it has ceased to match the selector
    data: {"sequence":4711,"action":"created","kind":"Component","namespace":"acme","name":"web", …}

    event: position          where the stream stands: at its beginning, and when nothing was sent for a while
    event: access            what the caller may see has changed: list again
    event: end               why the server ends the stream, and whether to come again

Whoever comes again names the last `id` (`Last-Event-ID`, or `since=`) and gets what came after it: nothing is lost, and
nothing comes twice. 410 says that the log no longer reaches so far back: list, and start from the position of now.

With `wait=SECONDS` the reply is JSON as that of /changes, as soon as there is a change, and at the latest after that
long. `changes.py` is the same without waiting; what all three read is `catalog.access.feed`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError, close_old_connections, connection
from django.http import HttpResponse, HttpResponseBase, QueryDict

from catalog.access.feed import HEAD, Page, Wanted, read_feed, require_reached
from catalog.api.noted_reads import was_noted
from catalog.api.stagecraft.revisions import wire_change
from catalog.kinds.registry import BY_KIND
from catalog.store import position as newest_position
from catalog.store.errors import Gone
from portal.access.bearer import Unauthenticated, authenticate
from portal.access.endpoint import Call
from portal.access.engine import Access
from portal.access.subject import subject_of_identity
from portal.accounts.identity import Identity
from portal.audit import operation as audit
from portal.serving.closing import is_closing, notice_signals_on_loop, woken_at_close
from portal.serving.connections import Borrow, borrower
from portal.serving.streams import RETRY_SECONDS, NoRoom, Room
from portal.wire import gojson, responses, server_sent
from portal.wire.query import flag_parameter, integer_parameter, text_parameter
from portal.wire.responses import Refusal, Unreadable
from portal.wire.selectors import BadSelector, parse_selector

log = logging.getLogger(__name__)
HEARTBEAT_SECONDS = 10.0
ASK_AGAIN_SECONDS = 4.0
"""How often a stream asks whether its token still counts. Its rights are asked for whenever something is to be told."""
WAIT_MAX = 60
COME_AGAIN_MILLISECONDS = 1000
NOTED_SECONDS = 3600
READERS = ThreadPoolExecutor(2, thread_name_prefix="watch")
"""Read for streams under ASGI, whose event loop must not wait for the database."""


@dataclass(frozen=True, slots=True)
class WatchQuery:
    """`since` is the last sequence that the client has; `wait` makes it a long poll."""

    wanted: Wanted
    since: int | None
    with_documents: bool
    wait: int | None

    @classmethod
    def bind(cls, query: QueryDict) -> WatchQuery:
        kinds = tuple(filter(None, text_parameter(query, "kinds").split(",")))
        if unknown := [kind for kind in kinds if kind not in BY_KIND]:
            raise Unreadable(f"Invalid format for parameter kinds: {unknown[0]!r} is none of {', '.join(BY_KIND)}")
        since, wait = integer_parameter(query, "since"), integer_parameter(query, "wait")
        if since is not None and since < 0:
            raise Unreadable("Invalid format for parameter since: give a sequence from 0 on")
        if wait is not None and not 0 <= wait <= WAIT_MAX:
            raise Unreadable(f"Invalid format for parameter wait: give 0 to {WAIT_MAX} seconds")
        try:
            requirements = parse_selector(text_parameter(query, "labelSelector"))
        except BadSelector as error:
            raise Refusal(400, f"invalid label selector: {error}") from None
        wanted = Wanted(kinds, text_parameter(query, "namespace"), text_parameter(query, "name"), requirements)
        return cls(wanted, since, flag_parameter(query, "documents"), wait)


def watch(call: Call) -> HttpResponseBase:
    """200 with server-sent events, or with `wait` as JSON; 410 for a position that the log has not.

    429 and 503 when too many streams are open.
    """
    query: WatchQuery = call.query
    newest = newest_position()
    since = since_of(call)
    watching = (Watching if query.wait is None else Polling)(call, newest if since is None else since)
    try:
        require_reached(watching.position, newest)
        first = watching.read()
    except Gone as error:
        raise Refusal(410, str(error)) from None
    note(call, watching.position)
    if isinstance(watching, Polling) and (first.changes or first.is_full or since is None or not query.wait):
        return responses.json_body(watching.polled(first))
    if call.request.method == "HEAD":
        return HttpResponse(content_type=server_sent.CONTENT_TYPE)
    try:
        room = Room(call.access.subject.name)
    except NoRoom as full:
        refused = responses.error(429 if full.is_own else 503, str(full))
        refused["Retry-After"] = str(RETRY_SECONDS)
        return refused
    if isinstance(watching, Polling):
        watching.ends_at = time.monotonic() + (query.wait or 0)
        return server_sent.reply(frames_of(call, watching, room), "application/json")
    watching.pending = watching.opening(first)
    return server_sent.reply(frames_of(call, watching, room))


def since_of(call: Call) -> int | None:
    """Where to go on: `Last-Event-ID`, which a client sends that comes again, before `since`, which was in its URL."""
    header = call.request.headers.get("Last-Event-ID", "").strip()
    if not header:
        return call.query.since  # type: ignore[no-any-return]
    if not header.isascii() or not header.isdecimal() or len(header) > 18:
        raise Unreadable("Invalid format for header Last-Event-ID: give the id of the last event that you have")
    return int(header)


def note(call: Call, since: int) -> None:
    """Write down that somebody follows the changes: once for a stream, once an hour for polls that ask the same."""
    opened, query = audit.current(), call.query
    wanted = query.wanted
    details = {
        "kinds": list(wanted.kinds),
        "namespace": wanted.namespace,
        "name": wanted.name,
        "selector": call.request.GET.get("labelSelector", ""),
    }
    if opened is None or call.request.method == "HEAD":
        return
    key = ("watch", call.actor.name, *map(str, details.values()))
    if query.wait is not None and was_noted(key, NOTED_SECONDS):
        return
    opened.action = "revision:watch"
    opened.target = audit.Target(wanted.kinds[0] if len(wanted.kinds) == 1 else "", wanted.namespace, wanted.name)
    shown = {name: value for name, value in details.items() if value}
    audit.conclude(opened, "success", 200, {**shown, "since": since})


@dataclass
class Watching:
    """One reader: who it is, what it wants, where it stands, and what is to be sent. Nothing here waits."""

    call: Call
    position: int
    ends_at: float = field(default_factory=lambda: time.monotonic() + settings.STREAM_MINUTES * 60)
    is_over: bool = False
    is_behind: bool = False

    def __post_init__(self) -> None:
        query: WatchQuery = self.call.query
        self.wanted, self.with_documents = query.wanted, query.with_documents
        self.identity: Identity = self.call.identity
        self.asked_at = self.sent_at = time.monotonic()
        self.told = self.position
        self.rights = rights_of(self.call.access)
        self.pending = b""

    def access(self) -> Access:
        """What the caller may see as of now."""
        return Access(subject_of_identity(self.identity))

    def read(self) -> Page:
        """The next changes. Raises `Gone`."""
        return read_feed(self.access, self.position, self.wanted)

    # Events

    def opening(self, first: Page) -> bytes:
        return server_sent.retry(COME_AGAIN_MILLISECONDS) + self.at_position() + self.events(first)

    def step(self) -> bytes:
        """What is to be sent now, perhaps nothing."""
        try:
            sent = self.asked_again() + self.events(self.read())
            if time.monotonic() >= self.ends_at and not self.is_behind:
                sent += self.end("time", "this stream has been open for as long as one may be: come again")
        except Gone as error:
            return self.end("gone", str(error))
        except Unauthenticated as error:
            return self.end("unauthenticated", error.message)
        except DatabaseError:
            log.exception("a watch ends, as the database cannot be read")
            return self.end("error", responses.INTERNAL_ERROR)
        if not sent and time.monotonic() - self.sent_at >= HEARTBEAT_SECONDS:
            return server_sent.COMMENT if self.told == self.position else self.at_position()
        return sent

    def events(self, page: Page) -> bytes:
        """A page as events; the reader then stands at its end."""
        self.position, self.is_behind = page.position, page.is_full
        shown = [
            server_sent.event(
                "change", wire_change(seen, self.wanted, with_documents=self.with_documents), seen.sequence
            )
            for seen in page.changes
        ]
        if page.changes:
            self.told = page.changes[-1].sequence
        return b"".join(shown)

    def asked_again(self) -> bytes:
        """Now and then: whether the token still counts, and whether other things may be seen than before.

        Raises `Unauthenticated`.
        """
        if time.monotonic() - self.asked_at < ASK_AGAIN_SECONDS:
            return b""
        self.identity = authenticate(self.call.request)
        self.asked_at = time.monotonic()
        rights = rights_of(self.access())
        if rights == self.rights:
            return b""
        self.rights = rights
        message = "what you may see has changed: list again for what is new to you and what you have lost"
        return server_sent.event("access", {"position": self.position, "message": message})

    def at_position(self) -> bytes:
        self.told = self.position
        return server_sent.event("position", {"position": self.position}, self.position)

    def end(self, reason: str, text: str) -> bytes:
        self.is_over = True
        return server_sent.event("end", {"reason": reason, "error": text, "position": self.position})

    def last_words(self) -> bytes:
        return self.end("restart", "this server is about to stop: come again")

    # Between the steps

    def next_chunk(self) -> bytes:
        """What is pending, or what the next step brings."""
        chunk, self.pending = self.pending, b""
        chunk = chunk or (self.last_words() if is_closing() else self.step())
        if chunk:
            self.sent_at = time.monotonic()
        return chunk

    def pause(self) -> float:
        """How long to wait, in seconds, unless a change comes before."""
        if self.is_behind or self.is_over:
            return 0.0
        due = min(self.asked_at + ASK_AGAIN_SECONDS, self.sent_at + HEARTBEAT_SECONDS, self.ends_at)
        return max(due - time.monotonic(), 0.0) + 0.005


class Polling(Watching):
    """A reader that gets one reply."""

    def last_words(self) -> bytes:
        self.is_over = True
        return gojson.encode(self.polled(Page([], self.position)))

    def polled(self, page: Page) -> dict[str, Any]:
        shown = [wire_change(seen, self.wanted, with_documents=self.with_documents) for seen in page.changes]
        return {"items": shown, "position": page.position}

    def step(self) -> bytes:
        """The whole reply once there is something to say or the time is up; nothing before."""
        try:
            self.asked_again()
            page = self.read()
        except (Gone, Unauthenticated, DatabaseError):
            page = Page([], self.position)  # the status has been sent: the next request will be told
            self.ends_at = 0
        if not page.changes and time.monotonic() < self.ends_at:
            self.position, self.is_behind = page.position, page.is_full
            return b""
        self.is_over = True
        return gojson.encode(self.polled(page))


def rights_of(access: Access) -> Any:
    """What can be compared to tell whether the caller may see other things than before."""
    bounds = tuple(bound.policy.rules for bound in access.bounds)
    own = () if access.subject.needs_no_grant else access.policy.rules
    return access.subject.needs_no_grant, own, bounds


# Waiting: on a thread of a WSGI server, or on an event loop -----------------------------------------------------------


def frames_of(call: Call, watching: Watching, room: Room) -> Iterator[bytes] | AsyncIterator[bytes]:
    """The stream, as the server at hand wants it."""
    if isinstance(call.request, ASGIRequest):
        connection.close()  # the request's thread, which waits idly until the stream ends, needs none
        return frames_on_loop(watching, room)
    return frames_on_thread(watching, room, borrower())


def frames_on_thread(watching: Watching, room: Room, borrow: Borrow) -> Iterator[bytes]:
    """Wait on this thread, which has no database connection meanwhile."""
    wake = threading.Event()
    try:
        with HEAD.following(wake.set), woken_at_close(wake.set):
            while not watching.is_over:
                wake.clear()
                with borrow():
                    chunk = watching.next_chunk()
                if chunk:
                    yield chunk
                else:
                    wake.wait(watching.pause())
    finally:
        room.leave()


async def frames_on_loop(watching: Watching, room: Room) -> AsyncIterator[bytes]:
    """Wait on the event loop, which serves any number of streams."""
    loop, wake = asyncio.get_running_loop(), asyncio.Event()

    def wake_up() -> None:
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(wake.set)

    try:
        notice_signals_on_loop()
        with HEAD.following(wake_up), woken_at_close(wake_up):
            while not watching.is_over:
                wake.clear()
                chunk = await loop.run_in_executor(READERS, read_chunk, watching)
                if chunk:
                    yield chunk
                else:
                    with suppress(TimeoutError):
                        await asyncio.wait_for(wake.wait(), watching.pause())
    finally:
        room.leave()


def read_chunk(watching: Watching) -> bytes:
    """One step on a thread that keeps its connection."""
    close_old_connections()
    return watching.next_chunk()
