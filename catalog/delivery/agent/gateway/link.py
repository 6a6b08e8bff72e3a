"""One agent's connection: many requests and streams at once over one WebSocket, told apart by their ids.

The connection's reader calls `take` for each frame; whoever asks waits in `ask` or reads an `OpenStream`. When the
connection ends, everything that still waits ends with `Cut`.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from catalog.delivery.agent import messages
from catalog.delivery.agent.gateway.tls import Certificates
from catalog.delivery.agent.heads import Head
from catalog.delivery.agent.messages import Answer, Chunk, Request, Stream

MOST_AT_ONCE = 256
"""Requests and streams of one agent that may be open; more are refused at once."""
HELD_BYTES = 8 * 1024 * 1024
"""What a stream may hold that its reader has not taken; then the agent's whole connection waits, for a while."""
WAIT_FOR_READER_SECONDS = 5.0


class Cut(Exception):
    """The agent's connection ended before it had answered."""


class Busy(Exception):
    """The agent has too many requests open."""


class Slow(Exception):
    """The agent did not answer in time."""


class Socket(Protocol):
    """What is used of aiohttp's WebSocket."""

    async def send_str(self, data: str) -> None: ...

    async def close(self, *, code: int, message: bytes) -> bool: ...


class OpenStream:
    """The agent's side of a stream. `next` gives what comes, None after the last piece."""

    def __init__(self, link: Link, id: str) -> None:
        self.link, self.id = link, id
        self.arrived: deque[Answer | Chunk] = deque()
        self.held = 0
        self.is_ended = False
        self.error: Cut | None = None
        self.changed = asyncio.Event()
        self.taken = asyncio.Event()

    async def next(self, seconds: float | None = None) -> Answer | Chunk | None:
        """Raises `Cut`, and `Slow` if nothing comes for that long."""
        while not self.arrived:
            if self.error is not None:
                raise self.error
            if self.is_ended:
                return None
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), seconds)
            except TimeoutError:
                raise Slow(f"the agent said nothing for {seconds:.0f} s") from None
        message = self.arrived.popleft()
        self.held -= size_of(message)
        self.taken.set()
        return message

    async def send(self, data: bytes) -> None:
        await self.link.send(Chunk(self.id, data))

    async def put(self, message: Answer | Chunk) -> None:
        """Keep what has come. A reader that does not read for a while loses its stream."""
        if self.held > HELD_BYTES:
            self.taken.clear()
            try:
                await asyncio.wait_for(self.taken.wait(), WAIT_FOR_READER_SECONDS)
            except TimeoutError:
                await self.close()
                self.end(Cut("the stream was not read for too long"))
                return
        self.arrived.append(message)
        self.held += size_of(message)
        self.is_ended = self.is_ended or (isinstance(message, Chunk) and message.is_close)
        self.changed.set()

    def end(self, error: Cut) -> None:
        self.error = self.error or error
        self.changed.set()

    async def close(self) -> None:
        """Tell the agent that nobody listens any more."""
        self.link.streams.pop(self.id, None)
        if not self.is_ended and self.error is None:
            self.is_ended = True
            with suppress(Cut):
                await self.link.send(Chunk(self.id, is_close=True))


def size_of(message: Answer | Chunk) -> int:
    return len(message.data if isinstance(message, Chunk) else message.body)


@dataclass(eq=False)
class Link:
    """An agent that is connected, and the planes that it may speak for."""

    plane_type: str
    plane_id: str
    planes: frozenset[Head]
    certificates: Certificates
    socket: Socket
    knows_streams: bool
    peer: str
    connected_at: datetime
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    waiting: dict[str, asyncio.Future[Answer]] = field(default_factory=dict)
    streams: dict[str, OpenStream] = field(default_factory=dict)
    is_open: bool = True

    def __str__(self) -> str:
        return f"agent {self.id[:8]} of {self.plane_type}/{self.plane_id} at {self.peer}"

    @property
    def load(self) -> int:
        return len(self.waiting) + len(self.streams)

    async def ask(self, request: Request, seconds: float) -> Answer:
        """The agent's answer. Raises `Cut`, `Slow` and `Busy`."""
        self.require_room()
        request = replace(request, id=secrets.token_hex(16))
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.waiting[request.id] = answered
        try:
            async with asyncio.timeout(seconds):
                await self.send(request)
                return await answered
        except TimeoutError:
            raise Slow(f"the agent did not answer within {seconds:.0f} s") from None
        finally:
            self.waiting.pop(request.id, None)

    async def open(self, stream: Stream) -> OpenStream:
        """A stream, asked for; what the agent says of it is to be read. Raises `Cut` and `Busy`."""
        self.require_room()
        stream = replace(stream, id=secrets.token_hex(16))
        opened = self.streams[stream.id] = OpenStream(self, stream.id)
        try:
            await self.send(stream)
        except BaseException:
            self.streams.pop(stream.id, None)
            raise
        return opened

    def require_room(self) -> None:
        if not self.is_open:
            raise Cut("the agent's connection has ended")
        if self.load >= MOST_AT_ONCE:
            raise Busy(f"{MOST_AT_ONCE} requests to the agent are open already")

    async def send(self, message: Request | Stream | Chunk) -> None:
        try:
            await self.socket.send_str(messages.write(message))
        except (ConnectionError, RuntimeError) as error:  # aiohttp's words for a closing connection
            raise Cut(f"the agent's connection has ended: {error}") from None

    async def take(self, frame: str | bytes) -> None:
        """A frame from the agent. What nobody waits for any more is dropped. Raises `NoMessage`."""
        message = messages.read_at_gateway(frame)
        stream = self.streams.get(message.id)
        if stream is not None:
            await stream.put(message)
            if isinstance(message, Chunk) and message.is_close:
                self.streams.pop(message.id, None)
        elif isinstance(message, Answer):
            waiting = self.waiting.pop(message.id, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)

    def end(self, why: str) -> None:
        """The connection has ended."""
        self.is_open = False
        for waiting in self.waiting.values():
            if not waiting.done():
                waiting.set_exception(Cut(why))
        for stream in self.streams.values():
            stream.end(Cut(why))
        self.waiting.clear()
        self.streams.clear()

    async def close(self, why: str) -> None:
        """End the connection, telling the agent why."""
        self.end(why)
        with suppress(ConnectionError, RuntimeError):
            await self.socket.close(code=1008, message=why.encode()[:120])


@dataclass
class Links:
    """The agents that are connected here. `changed` is set whenever they are others."""

    held: dict[str, Link] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, link: Link) -> None:
        self.held[link.id] = link
        self.changed.set()

    def remove(self, link: Link) -> None:
        self.held.pop(link.id, None)
        self.changed.set()

    def of(self, plane_type: str, plane_id: str) -> Sequence[Link]:
        return [link for link in self.held.values() if (link.plane_type, link.plane_id) == (plane_type, plane_id)]

    def choose(self, head: Head, besides: Link | None = None) -> Link | None:
        """The agent with the fewest open requests that may speak for the plane; those that are used go to the end."""
        able = [link for link in self.held.values() if head in link.planes and link.is_open and link is not besides]
        chosen = min(able, key=lambda link: link.load, default=None)
        if chosen is not None:
            self.held[chosen.id] = self.held.pop(chosen.id)
        return chosen
