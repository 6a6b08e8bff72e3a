"""The agent: dials the gateway, does what it asks of the API server, dials again when the connection ends.

Pauses between attempts grow and are drawn by lot, so that a gateway that comes back is not met by all agents at once.
Certificate and key are read anew for each connection; when the files change, the agent connects anew.
"""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from dataclasses import dataclass
from pathlib import Path

from aiohttp import (
    ClientError,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    TCPConnector,
    WSMsgType,
    WSServerHandshakeError,
)

from catalog.delivery.agent.messages import HTTP_STREAMS
from catalog.delivery.agent.program.cluster import Cluster
from catalog.delivery.agent.program.session import Session

log = logging.getLogger("agent")
FIRST_PAUSE = 0.5
DIAL_SECONDS = 10.0
STEADY_SECONDS = 20.0
"""A connection that lasted so long was a good one: the next pause is short again."""
LOOK_AT_FILES_SECONDS = 5.0
MESSAGE_BYTES = 64 * 1024 * 1024
AT_ONCE = 64
"""Connections to the API server."""
REFUSED = "Stagecraft-Refused"
"""The header in which the gateway says why."""


@dataclass(frozen=True, slots=True)
class Options:
    """Where to dial, and with which files. `most_seconds`: the longest pause before dialling again."""

    url: str
    plane_type: str
    plane_id: str
    certificate: Path
    key: Path
    authority: Path | None
    most_seconds: float
    answer_bytes: int
    heartbeat_seconds: float


@dataclass(frozen=True, slots=True)
class Agent:
    """Connects one cluster to one gateway."""

    options: Options
    cluster: Cluster

    async def run_for_ever(self) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                await self.run_once()
            except WSServerHandshakeError as error:
                why = error.headers.get(REFUSED) if error.headers else None
                why = why or error.message
                log.error("the gateway refuses this agent: %s %s", error.status, why)
            except (ClientError, OSError, ssl.SSLError, TimeoutError) as error:
                log.warning("no connection to the gateway: %s", str(error) or type(error).__name__)
            failures = 0 if loop.time() - began > STEADY_SECONDS else failures + 1
            pause = pause_after(failures, self.options.most_seconds)
            log.info("dialling again in %.1f s", pause)
            await asyncio.sleep(pause)

    async def run_once(self) -> None:
        """One connection, from dialling to its end."""
        options = self.options
        query = {"planeType": options.plane_type, "planeID": options.plane_id, "streams": HTTP_STREAMS}
        stamps = self.stamps()
        timeout = ClientTimeout(total=None, sock_connect=DIAL_SECONDS)
        inside_connector = TCPConnector(ssl=self.cluster.tls, limit=AT_ONCE)
        async with (
            ClientSession(connector=TCPConnector(ssl=self.tls()), timeout=timeout) as outside,
            ClientSession(connector=inside_connector, timeout=timeout, auto_decompress=True) as inside,
        ):
            async with asyncio.timeout(2 * DIAL_SECONDS):
                socket = await outside.ws_connect(
                    options.url,
                    params=query,
                    heartbeat=options.heartbeat_seconds,
                    max_msg_size=MESSAGE_BYTES,
                    compress=0,
                )
            log.info("connected to %s as %s/%s", options.url, options.plane_type, options.plane_id)
            session = Session(self.cluster, inside, socket, options.answer_bytes)
            watching = asyncio.create_task(self.close_when_renewed(stamps, socket))
            try:
                async for frame in socket:
                    if frame.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                        session.take(frame.data)
                log.info("the connection to the gateway ended (%s)", socket.exception() or socket.close_code)
            finally:
                watching.cancel()
                await session.end()
                await socket.close()

    def tls(self) -> ssl.SSLContext:
        """Who we are, and whom we believe: read from the files as they are now. Raises OSError and SSLError."""
        found = ssl.create_default_context(cafile=str(self.options.authority) if self.options.authority else None)
        found.load_cert_chain(self.options.certificate, self.options.key)
        return found

    def stamps(self) -> tuple[float, ...]:
        """When the files were changed, 0 for one that is not there."""
        paths = (self.options.certificate, self.options.key, self.options.authority)
        return tuple(path.stat().st_mtime if path is not None and path.exists() else 0.0 for path in paths)

    async def close_when_renewed(self, stamps: tuple[float, ...], socket: ClientWebSocketResponse) -> None:
        while self.stamps() == stamps:
            await asyncio.sleep(LOOK_AT_FILES_SECONDS)
        log.info("the certificate was renewed; connecting with the new one")
        await socket.close()


def pause_after(failures: int, most: float) -> float:
    """Up to twice as long after each failure; how long exactly is drawn by lot."""
    longest = min(FIRST_PAUSE * 2.0 ** min(failures, 16), most)
    return random.uniform(longest / 4, longest)  # noqa: S311 - a pause, not a secret
