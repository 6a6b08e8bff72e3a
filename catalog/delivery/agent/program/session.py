"""What the agent does on one connection: each request and each stream is a task, told apart by its id."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientWebSocketResponse
from yarl import URL

from catalog.delivery.agent import messages
from catalog.delivery.agent.messages import COMMAND, HTTP, Answer, Chunk, NoMessage, Request, Stream
from catalog.delivery.agent.program.cluster import Cluster
from catalog.delivery.agent.program.commands import run_command

log = logging.getLogger("agent")
ANSWER_SECONDS = 60.0
PIECE = 64 * 1024
HELD_CHUNKS = 256
PASSED_ON = frozenset({"accept", "content-type", "user-agent"})
PASSED_BACK = frozenset({"content-type", "retry-after", "warning", "audit-id"})


class Session:
    """The requests that are going on for one connection to the gateway."""

    def __init__(
        self, cluster: Cluster, inside: ClientSession, socket: ClientWebSocketResponse, answer_bytes: int
    ) -> None:
        self.cluster, self.inside, self.socket, self.answer_bytes = cluster, inside, socket, answer_bytes
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.given: dict[str, asyncio.Queue[Chunk]] = {}
        """What the gateway has sent for streams that are open."""

    def take(self, frame: str | bytes) -> None:
        """A frame from the gateway."""
        try:
            message = messages.read_at_agent(frame)
        except NoMessage as error:
            log.warning("the gateway sent what is no message: %s", error)
            return
        match message:
            case Chunk():
                self.take_chunk(message)
            case Request():
                self.start(message.id, self.answer(message))
            case Stream():
                self.given[message.id] = asyncio.Queue(HELD_CHUNKS)
                self.start(message.id, self.run_stream(message))

    def take_chunk(self, chunk: Chunk) -> None:
        """A piece for a stream. Who sends faster than the stream takes it loses the stream, not others theirs."""
        queue, task = self.given.get(chunk.id), self.tasks.get(chunk.id)
        if queue is None or task is None:
            return
        if chunk.is_close or queue.full():
            task.cancel()
        else:
            queue.put_nowait(chunk)

    def start(self, id: str, work: Coroutine[Any, Any, None]) -> None:
        if id in self.tasks:
            work.close()
            return
        task = self.tasks[id] = asyncio.create_task(work)
        task.add_done_callback(lambda _: (self.tasks.pop(id, None), self.given.pop(id, None)))

    async def end(self) -> None:
        tasks = list(self.tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def say(self, message: Answer | Chunk) -> None:
        """Raises OSError when the connection has ended."""
        await self.socket.send_str(messages.write(message))

    async def answer(self, request: Request) -> None:
        """Ask the API server and pass its answer on; what goes wrong is the answer, too."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self.asked(request, request.body) as response:
                body = await self.whole_body(response)
                answer = Answer(request.id, response.status, back(response), body)
        except TooLarge as error:
            answer = Answer(request.id, 502, error=str(error))
        except TimeoutError:
            answer = Answer(request.id, 504, error=f"the API server did not answer within {ANSWER_SECONDS:.0f} s")
        except NoTarget as error:
            answer = Answer(request.id, 404, error=str(error))
        except (ClientError, OSError) as error:
            answer = Answer(request.id, 502, error=f"the API server cannot be asked: {error or type(error).__name__}")
        with suppress(OSError, ClientError):
            await self.say(answer)

    async def whole_body(self, response: ClientResponse) -> bytes:
        pieces, length = [], 0
        async for piece in response.content.iter_chunked(PIECE):
            length += len(piece)
            if length > self.answer_bytes:
                raise TooLarge(f"the answer has more than {self.answer_bytes} bytes, which is the agent's limit")
            pieces.append(piece)
        return b"".join(pieces)

    def asked(self, message: Request | Stream, body: bytes = b"") -> Any:
        """The request to the API server, as the agent's own account: the caller's words about who asks do not count.

        Raises `NoTarget`.
        """
        if message.target != "k8s":
            raise NoTarget(f"unknown target: {message.target}")
        headers = {name: values[0] for name, values in message.headers.items() if name.lower() in PASSED_ON and values}
        query = f"?{message.query}" if message.query else ""
        url = URL(f"{self.cluster.url}{message.path}{query}", encoded=True)
        return self.inside.request(
            message.method, url, headers={**headers, **self.cluster.headers()}, data=body or None,
            allow_redirects=False,
        )  # fmt: skip

    async def run_stream(self, stream: Stream) -> None:
        """The stream until either side ends it. Its last word is a closing chunk."""
        why = b""
        try:
            if stream.target == "k8s" and stream.protocol == HTTP:
                await self.stream_answer(stream)
            elif stream.target == "k8s" and stream.protocol in (COMMAND, "websocket"):
                await run_command(self.cluster, self.inside, stream, self.given[stream.id], self.say)
            else:
                why = f"this agent has no {stream.target} for {stream.protocol}".encode()
        except (ClientError, OSError, TimeoutError) as error:
            why = (str(error) or type(error).__name__).encode()
        with suppress(OSError, ClientError):
            await self.say(Chunk(stream.id, why, is_close=True))

    async def stream_answer(self, stream: Stream) -> None:
        """An answer that goes on: its status and headers first, then its body as it comes."""
        try:
            async with self.asked(stream) as response:
                await self.say(Answer(stream.id, response.status, back(response)))
                async for piece in response.content.iter_any():
                    for start in range(0, len(piece), PIECE):
                        await self.say(Chunk(stream.id, piece[start : start + PIECE]))
        except (ClientError, TimeoutError) as error:
            await self.say(Answer(stream.id, 502, error=f"the API server cannot be asked: {error}"))


class TooLarge(Exception):
    """An answer that is not passed on."""


class NoTarget(Exception):
    """A target that this agent does not serve."""


def back(response: ClientResponse) -> dict[str, list[str]]:
    return {name: [value] for name, value in response.headers.items() if name.lower() in PASSED_BACK}
