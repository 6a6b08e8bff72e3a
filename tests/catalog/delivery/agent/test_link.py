"""One connection, many requests: answers find who asked, streams keep their order, and an end ends everything."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from django.utils import timezone

from catalog.delivery.agent.gateway import link as links
from catalog.delivery.agent.gateway.link import Busy, Cut, Link, Links, Slow
from catalog.delivery.agent.heads import Head
from catalog.delivery.agent.messages import COMMAND, Answer, Chunk, Request, Stream, write

HEAD = Head("dataplane", "default", "", "default")
REQUEST = Request("", "k8s", "GET", "/api")


class Wire:
    """The agent's end: what was sent, and a way to answer."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.is_closed = False

    async def send_str(self, data: str) -> None:
        if self.is_closed:
            raise ConnectionResetError("closed")
        self.sent.append(json.loads(data))

    async def close(self, *, code: int, message: bytes) -> bool:
        self.is_closed = True
        return True


def link_to(wire: Wire, planes: frozenset[Head] = frozenset({HEAD})) -> Link:
    return Link("dataplane", "default", planes, (), wire, True, "10.0.0.1", timezone.now())


def played(story: Callable[[Link, Wire], Awaitable[None]]) -> None:
    async def play() -> None:
        wire = Wire()
        await story(link_to(wire), wire)

    asyncio.run(play())


async def sent(wire: Wire, count: int) -> None:
    while len(wire.sent) < count:
        await asyncio.sleep(0)


def test_answers_find_who_asked_whatever_their_order():
    async def story(link: Link, wire: Wire) -> None:
        asked = [asyncio.create_task(link.ask(REQUEST, 5)) for _ in range(3)]
        await sent(wire, 3)
        for number, request in reversed(list(enumerate(wire.sent))):
            await link.take(write(Answer(request["requestID"], 200 + number)))
        assert [answer.status for answer in await asyncio.gather(*asked)] == [200, 201, 202]
        assert link.load == 0

    played(story)


def test_an_answer_that_nobody_waits_for_is_dropped():
    async def story(link: Link, wire: Wire) -> None:
        await link.take(write(Answer("unknown", 200)))
        with pytest.raises(Slow):
            await link.ask(REQUEST, 0.01)
        await link.take(write(Answer(wire.sent[0]["requestID"], 200)))
        assert link.load == 0

    played(story)


def test_the_end_of_a_connection_ends_all_that_waits():
    async def story(link: Link, wire: Wire) -> None:
        asked = asyncio.create_task(link.ask(REQUEST, 5))
        stream = await link.open(Stream("", "k8s", "POST", "/x", "", COMMAND))
        await sent(wire, 2)
        link.end("it was cut")
        with pytest.raises(Cut, match="it was cut"):
            await asked
        with pytest.raises(Cut, match="it was cut"):
            await stream.next()
        with pytest.raises(Cut):
            await link.ask(REQUEST, 5)

    played(story)


def test_what_came_before_the_end_of_a_stream_is_still_read():
    async def story(link: Link, wire: Wire) -> None:
        stream = await link.open(Stream("", "k8s", "POST", "/x", "", COMMAND))
        for chunk in (Chunk(stream.id, b"1a"), Chunk(stream.id, b"1b"), Chunk(stream.id, b"", True)):
            await link.take(write(chunk))
        assert [await stream.next() for _ in range(3)] == [
            Chunk(stream.id, b"1a"), Chunk(stream.id, b"1b"), Chunk(stream.id, b"", True),
        ]  # fmt: skip
        assert await stream.next() is None

    played(story)


def test_who_does_not_read_loses_the_stream_and_nothing_else(monkeypatch):
    monkeypatch.setattr(links, "HELD_BYTES", 10)
    monkeypatch.setattr(links, "WAIT_FOR_READER_SECONDS", 0.01)

    async def story(link: Link, wire: Wire) -> None:
        stream = await link.open(Stream("", "k8s", "POST", "/x", "", COMMAND))
        for _ in range(3):
            await link.take(write(Chunk(stream.id, b"x" * 11)))
        assert wire.sent[-1]["isClose"]
        assert (await stream.next()).data == b"x" * 11
        with pytest.raises(Cut, match="not read"):
            await stream.next()
        asked = asyncio.create_task(link.ask(REQUEST, 5))
        await sent(wire, 3)
        await link.take(write(Answer(wire.sent[-1]["requestID"], 200)))
        assert (await asked).status == 200

    played(story)


def test_an_agent_has_only_so_many_requests_at_once(monkeypatch):
    monkeypatch.setattr(links, "MOST_AT_ONCE", 2)

    async def story(link: Link, wire: Wire) -> None:
        tasks = [asyncio.create_task(link.ask(REQUEST, 5)) for _ in range(2)]
        await sent(wire, 2)
        with pytest.raises(Busy):
            await link.ask(REQUEST, 5)
        link.end("done")
        await asyncio.gather(*tasks, return_exceptions=True)

    played(story)


def test_the_least_busy_agent_that_may_speak_for_the_plane_is_asked():
    async def play() -> None:
        other = Head("dataplane", "default", "shop", "default")
        one, two, stranger = link_to(Wire()), link_to(Wire()), link_to(Wire(), frozenset({other}))
        found = Links()
        for link in (one, two, stranger):
            found.add(link)
        assert {found.choose(HEAD), found.choose(HEAD)} == {one, two}
        assert found.choose(other) is stranger
        await one.open(Stream("", "k8s", "POST", "/x", "", COMMAND))
        assert [found.choose(HEAD) for _ in range(3)] == [two] * 3
        assert found.choose(HEAD, besides=two) is one
        two.end("gone")
        assert found.choose(HEAD) is one
        assert found.choose(Head("dataplane", "default", "", "absent")) is None

    asyncio.run(play())
