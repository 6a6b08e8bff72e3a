"""A way to a cluster's API server that can go bad: it stops forwarding, or refuses what it is asked.

    with Proxy(cluster) as proxy:
        proxy.kubeconfig                       for whoever is to go this way
        with proxy.hole(): ...                 nothing goes through, and nobody is told
        with proxy.refusing(429, "…"): ...     requests are refused, all or a share of them

It ends TLS itself with a certificate of its own, so that it can read requests; all on loopback.
"""

from __future__ import annotations

import asyncio
import json
import random
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.real.cluster.cluster import Cluster, self_signed
from tests.real.services import free_port

CHUNK = 65536
TROUBLE = (OSError, asyncio.IncompleteReadError, ssl.SSLError)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is answered instead of the API server, to which share of the requests."""

    status: int
    message: str
    share: float

    @property
    def answer(self) -> bytes:
        body = json.dumps({
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": self.status, "message": self.message,
        }).encode()  # fmt: skip
        head = f"HTTP/1.1 {self.status} Refused\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"Connection: close\r\n\r\n" + body


class Proxy:
    """Runs in a thread of its own; `stop` ends it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.port = cluster, free_port()
        self.refusal: Refusal | None = None
        self.chance = random.Random(7)  # noqa: S311 - the same requests in every run
        directory = cluster.directory / f"proxy-{self.port}"
        directory.mkdir()
        self.certificate, key = self_signed(directory)
        self.offered = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.offered.load_cert_chain(self.certificate, key)
        self.trusted = ssl.create_default_context(cadata=cluster.certificate)
        self.tasks: set[asyncio.Task[None]] = set()
        self.loop = asyncio.new_event_loop()
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.thread = threading.Thread(target=self.run, name="proxy", daemon=True)

    @property
    def kubeconfig(self) -> str:
        """The administrator's way to the cluster through here."""
        return self.cluster.kubeconfig_of(
            self.cluster.token, url=f"https://127.0.0.1:{self.port}", certificate=Path(self.certificate).read_text()
        )

    def __enter__(self) -> Proxy:
        self.thread.start()
        self.ask(self.listen)
        return self

    def __exit__(self, *_: object) -> None:
        self.ask(self.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def ask(self, work: Callable[[], Awaitable[None]]) -> None:
        """Have something done in the proxy's thread."""

        async def done() -> None:
            await work()

        asyncio.run_coroutine_threadsafe(done(), self.loop).result(10)

    @contextmanager
    def hole(self, *, cut: bool = False) -> Iterator[None]:
        """Nothing goes through: connections stay and say nothing; what was on its way arrives afterwards.

        `cut` ends those that there are; new ones are taken, and say nothing either.
        """
        self.loop.call_soon_threadsafe(self.is_open.clear)
        try:
            if cut:
                self.ask(self.cut)
            yield
        finally:
            self.loop.call_soon_threadsafe(self.is_open.set)

    @contextmanager
    def refusing(self, status: int, message: str, share: float = 1.0) -> Iterator[None]:
        """Refuse a share of the requests, watches included, after an end to the connections that there are."""
        self.refusal = Refusal(status, message, share)
        self.ask(self.cut)
        try:
            yield
        finally:
            self.refusal = None

    # In the proxy's thread

    def run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    async def listen(self) -> None:
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", self.port)

    async def close(self) -> None:
        self.server.close()
        await self.cut()

    async def cut(self) -> None:
        """End every connection."""
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        try:
            await self.is_open.wait()
            await writer.start_tls(self.offered)
            if self.refusal is not None:
                await self.judge(self.refusal, reader, writer)
            else:
                await self.forward(reader, writer)
        except (*TROUBLE, asyncio.CancelledError):
            pass  # one side has gone, or the connection was cut
        finally:
            self.tasks.discard(task)
            writer.close()

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes = b"") -> None:
        """Carry bytes both ways until one side ends."""
        there, back = await asyncio.open_connection("127.0.0.1", self.cluster.port, ssl=self.trusted)
        try:
            back.write(first)
            await asyncio.gather(self.pump(reader, back), self.pump(there, writer))
        finally:
            back.close()

    async def pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(CHUNK):
            await self.is_open.wait()
            sink.write(data)
            await sink.drain()
        raise ConnectionResetError("one side has ended")

    async def judge(self, refusal: Refusal, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Refuse the connection's one request, or forward it."""
        head = await reader.readuntil(b"\r\n\r\n")
        body = b""
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                body = await reader.readexactly(int(line.partition(b":")[2]))
        if self.chance.random() < refusal.share:
            writer.write(refusal.answer)
            with suppress(*TROUBLE):
                await writer.drain()
        else:
            once = head[:-2] + b"Connection: close\r\n\r\n"
            await self.forward(reader, writer, once + body)
