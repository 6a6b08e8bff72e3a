"""Commands in containers, over the API server's WebSocket (`v5.channel.k8s.io`, or v4 of older servers).

Its channels are told by a first byte: 0 stdin, 1 stdout, 2 stderr, 3 how it ended (a Status), 4 resize, 255 a channel
that closes. The contract's frames have 0, 1, 2 likewise, and 3 for resize.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
from typing import Any
from urllib.parse import urlencode

import websocket

from catalog.delivery.kubernetes.connection import Connection, Credentials, Unreachable, error_of
from catalog.delivery.plane import Command, PlaneError

CHANNELS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, RESIZE = range(4)
ENDED, RESIZED, CLOSED = 3, 4, 255
SHELL = ("/bin/sh",)
OPEN_SECONDS = 15.0
LONGEST_FRAME = 1024 * 1024


class ClusterCommand:
    """A command in a container, in the contract's frames. `send` and `close` may come from other threads."""

    def __init__(self, channels: websocket.WebSocket) -> None:
        self.channels = channels

    def send(self, frame: bytes) -> None:
        if not frame:
            return
        kind, data = frame[0], frame[1:]
        if kind == STDIN:
            # An empty one means that no more will come. Before v5 there was no way to say so.
            if data:
                self.write(bytes([STDIN]) + data)
            elif self.channels.getsubprotocol() == CHANNELS[0]:
                self.write(bytes([CLOSED, STDIN]))
        elif kind == RESIZE:
            size = size_in(data)
            if size is not None:
                self.write(bytes([RESIZED]) + json.dumps({"Width": size[0], "Height": size[1]}).encode())

    def write(self, data: bytes) -> None:
        try:
            self.channels.send_binary(data)
        except (websocket.WebSocketException, OSError) as error:
            raise Unreachable(f"the command's connection has ended: {error}") from None

    def receive(self) -> bytes | None:
        while True:
            try:
                data = self.channels.recv()
            except (websocket.WebSocketException, OSError, AttributeError):
                return None
            if isinstance(data, str):
                data = data.encode()
            if not data:
                return None
            kind, rest = data[0], data[1:]
            if kind in (STDOUT, STDERR) and rest:
                return bytes(data)
            if kind == ENDED and (why := failure_in(rest)):
                return bytes([STDERR]) + f"{why}\n".encode()

    def close(self) -> None:
        with contextlib.suppress(websocket.WebSocketException, OSError, AttributeError):
            self.channels.abort()  # type: ignore[no-untyped-call]
            self.channels.shutdown()  # type: ignore[no-untyped-call]


class GatewayCommand(ClusterCommand):
    """A command behind an agent: the gateway's frames are the contract's own."""

    def send(self, frame: bytes) -> None:
        if frame:
            self.write(frame)

    def receive(self) -> bytes | None:
        while True:
            try:
                data = self.channels.recv()
            except (websocket.WebSocketException, OSError, AttributeError):
                return None
            if not data:
                return None
            data = data.encode() if isinstance(data, str) else bytes(data)
            if len(data) > 1:  # the first word of OpenChoreo's agent is a frame without content
                return data


def open_command(connection: Connection, namespace: str, command: Command) -> ClusterCommand:
    """Start a command by the API server itself. Raises `PlaneError` in the server's words."""
    query = [("stdout", "true"), ("stderr", "false" if command.tty else "true")]
    query += [(name, "true") for name, wanted in (("stdin", command.stdin), ("tty", command.tty)) if wanted]
    query += [("container", command.container)] if command.container else []
    query += [("command", word) for word in command.words or SHELL]
    path = f"/api/v1/namespaces/{namespace}/pods/{command.pod}/exec"
    return ClusterCommand(channels_at(connection, f"{connection.base}{path}?{urlencode(query)}", CHANNELS))


def channels_at(connection: Connection, url: str, protocols: tuple[str, ...] = ()) -> websocket.WebSocket:
    """An open WebSocket. Raises `ApiError` for a refusal, else `Unreachable`."""
    headers = []
    if (authorization := connection.credentials.authorization()) is not None:
        headers.append(f"Authorization: {authorization}")
    try:
        opened = websocket.create_connection(
            url.replace("http", "ws", 1), timeout=OPEN_SECONDS, header=headers, subprotocols=list(protocols),
            suppress_origin=True, redirect_limit=0, sslopt=ssl_options(connection.credentials),
            sockopt=((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),),
        )  # fmt: skip
    except websocket.WebSocketBadStatusException as refused:
        raise refusal_of(refused) from None
    except (websocket.WebSocketException, OSError) as error:
        raise Unreachable(f"{connection} does not answer: {error}") from None
    opened.settimeout(None)
    return opened


def refusal_of(refused: websocket.WebSocketBadStatusException) -> PlaneError:
    body = refused.resp_body or b""
    return error_of(refused.status_code, body if isinstance(body, bytes) else str(body).encode())


def ssl_options(credentials: Credentials) -> dict[str, Any]:
    context = ssl.create_default_context(cafile=credentials.authority)
    if not credentials.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if credentials.certificate:
        context.load_cert_chain(credentials.certificate, credentials.key)
    found: dict[str, Any] = {"context": context}
    if credentials.server_name:
        found["server_hostname"] = credentials.server_name
    return found


def size_in(data: bytes) -> tuple[int, int] | None:
    """Width and height of a resize, None for what is none."""
    try:
        held = json.loads(data)
        size = int(held["width"]), int(held["height"])
    except (ValueError, TypeError, KeyError):
        return None
    return size if all(0 < side < 65536 for side in size) else None


def failure_in(data: bytes) -> str:
    """What kept a command from running, in the API server's words; "" if it ran, whatever it came to."""
    try:
        status = json.loads(data)
    except ValueError:
        return ""
    if not isinstance(status, dict) or status.get("status") != "Failure" or status.get("reason") == "NonZeroExitCode":
        return ""
    return str(status.get("message") or "the command failed")
