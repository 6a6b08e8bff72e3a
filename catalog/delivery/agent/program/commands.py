"""A command in a container, for the gateway: between its frames and the channels of the API server's WebSocket.

Frames have a first byte: 0 stdin (alone: no more will come), 1 stdout, 2 stderr, 3 resize. The channels are those of
`v5.channel.k8s.io`: 3 tells how it ended, 4 is resize, 255 closes one. Older servers know v4, without the last.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from socket import SHUT_RDWR

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from yarl import URL

from catalog.delivery.agent.messages import RESIZE, STDERR, STDIN, STDOUT, Answer, Chunk, Stream
from catalog.delivery.agent.program.cluster import Cluster

CHANNELS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
ENDED, RESIZED, CLOSED = 3, 4, 255
HEARTBEAT_SECONDS = 30.0


async def run_command(
    cluster: Cluster, inside: ClientSession, stream: Stream, given: asyncio.Queue[Chunk],
    say: Callable[[Answer | Chunk], Awaitable[None]],
) -> None:  # fmt: skip
    """Until the command ends. Raises OSError or aiohttp's errors when it cannot be started."""
    url = URL(f"{cluster.url}{stream.path}?{stream.query}", encoded=True)
    try:
        socket = await inside.ws_connect(
            url, protocols=CHANNELS, headers=cluster.headers(), heartbeat=HEARTBEAT_SECONDS, compress=0
        )
    except WSServerHandshakeError as error:
        raise OSError(f"the API server refuses the command: HTTP {error.status}") from None
    async with socket:
        await say(Chunk(stream.id, bytes([STDOUT])))  # it has begun
        writing = asyncio.create_task(pass_in(given, socket))
        try:
            async for frame in socket:
                if frame.type is WSMsgType.BINARY and (found := frame_of(frame.data)):
                    await say(Chunk(stream.id, found))
        except asyncio.CancelledError:
            cut(socket)
            raise
        finally:
            writing.cancel()


def cut(socket: ClientWebSocketResponse) -> None:
    """End the connection under the command. With a proper farewell, API servers let it run on unheard."""
    connection = socket.get_extra_info("socket")
    if connection is not None:
        with suppress(OSError):
            connection.shutdown(SHUT_RDWR)


async def pass_in(given: asyncio.Queue[Chunk], socket: ClientWebSocketResponse) -> None:
    """What the caller sends, to the command's channels."""
    while True:
        data = (await given.get()).data
        if data[:1] == bytes([STDIN]):
            if len(data) > 1:
                await socket.send_bytes(data)
            elif socket.protocol == CHANNELS[0]:
                await socket.send_bytes(bytes([CLOSED, STDIN]))
        elif data[:1] == bytes([RESIZE]) and (size := size_of(data[1:])) is not None:
            await socket.send_bytes(bytes([RESIZED]) + size)


def frame_of(data: bytes) -> bytes:
    """A frame for the caller, empty for what is not for them. A command that could not run says so on stderr."""
    if data[:1] in (bytes([STDOUT]), bytes([STDERR])) and len(data) > 1:
        return data
    if data[:1] == bytes([ENDED]):
        try:
            status = json.loads(data[1:])
        except ValueError:
            return b""
        if status.get("status") == "Failure" and status.get("reason") != "NonZeroExitCode":
            return bytes([STDERR]) + f"{status.get('message')}\n".encode()
    return b""


def size_of(data: bytes) -> bytes | None:
    try:
        held = json.loads(data)
        return json.dumps({"Width": int(held["width"]), "Height": int(held["height"])}).encode()
    except (ValueError, TypeError, KeyError):
        return None
