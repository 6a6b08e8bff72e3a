"""The WebSocket of `/exec/…`: the frames of a command, between the client and the container, under ASGI.

The request goes through Django like any other, with its middleware, audit and checks (`component_exec.run_command`),
and leaves in its scope a started command, or a refusal that is answered instead of the upgrade. Afterwards the frames
pass here; every few seconds it is asked whether the caller still may, and the stream ends when not.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import sync_to_async
from django.db import DatabaseError, close_old_connections

from catalog.api.component_exec import ACTION, SLOT, Started
from catalog.api.streaming import ASK_AGAIN_SECONDS
from catalog.delivery.plane import PlaneError
from portal.audit.operation import Operation, Target, conclude

log = logging.getLogger("stagecraft.exec")
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
MOST_SESSIONS, MOST_OF_ONE = 200, 10
"""Commands that run through one process, and of these one person's."""
LONGEST_FRAME = 1024 * 1024
POLICY, TOO_BIG, FAILED, NORMAL = 1008, 1009, 1011, 1000
_open: Counter[str] = Counter()
_threads = ThreadPoolExecutor(2 * MOST_SESSIONS, "exec")


@dataclass
class Ended(Exception):
    """Why a stream ends: a WebSocket's close code, and words for the client."""

    code: int
    why: str = ""


@dataclass
class Slot:
    """Where the view leaves the command that it has started, and the answer to give otherwise."""

    started: Started | None = None
    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""


async def serve(django: Application, scope: Scope, receive: Receive, send: Send) -> None:
    """One WebSocket, from its handshake to its end."""
    await receive()  # websocket.connect
    slot = Slot()
    await ask(django, scope, slot)
    started = slot.started
    if started is not None and slot.status != 200:  # something failed after the view
        await in_thread(started.session.close)
    if started is None or slot.status != 200:
        await refuse(send, slot.status, slot.headers, slot.body)
        return
    name = started.call.user.get_username()
    if _open.total() >= MOST_SESSIONS or _open[name] >= MOST_OF_ONE:
        await in_thread(started.session.close)
        text = f"{MOST_OF_ONE} commands of yours run already; end one first"
        await refuse(send, 429, [(b"content-type", b"text/plain; charset=utf-8")], f"{text}\n".encode())
        return
    _open[name] += 1
    try:
        await send({"type": "websocket.accept"})
        await talk(started, receive, send)
    finally:
        _open[name] -= 1
        await in_thread(started.session.close)


async def ask(django: Application, scope: Scope, slot: Slot) -> None:
    """Put the handshake through Django as the GET request that it is."""
    headers = [(name, value) for name, value in scope["headers"] if name not in (b"connection", b"upgrade")]
    headers += [(b"connection", b"Upgrade"), (b"upgrade", b"websocket")]
    # Without extensions: they are those of a WebSocket.
    request = {**scope, "type": "http", "method": "GET", "headers": headers, "extensions": {}, SLOT: slot}
    request["scheme"] = {"ws": "http", "wss": "https"}.get(scope.get("scheme", "ws"), "http")
    has_body = asyncio.Event()

    async def receive() -> MutableMapping[str, Any]:
        if not has_body.is_set():
            has_body.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.Event().wait()  # a client that leaves is noticed later
        raise AssertionError

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            slot.status, slot.headers = message["status"], list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            slot.body += message.get("body", b"")

    await django(request, receive, send)


async def refuse(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """An answer instead of the upgrade."""
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


async def talk(started: Started, receive: Receive, send: Send) -> None:
    """Pass frames both ways until the command, the client or the right ends."""
    tasks = [
        asyncio.create_task(work) for work in (pass_in(started, receive), pass_out(started, send), watch_right(started))
    ]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    ended = next((task.exception() for task in done if task.exception() is not None), None)
    for task in tasks:
        task.cancel()
    await in_thread(started.session.close)  # frees the thread that still waits for a frame
    await asyncio.gather(*tasks, return_exceptions=True)
    if not isinstance(ended, Ended):
        log.error("a command's stream failed", exc_info=ended)
        ended = Ended(FAILED, "the stream failed")
    with suppress(Exception):  # the client may have left
        await send({"type": "websocket.close", "code": ended.code, "reason": ended.why})


async def pass_in(started: Started, receive: Receive) -> None:
    """The client's frames, until it leaves."""
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            raise Ended(NORMAL)
        frame = message.get("bytes")
        if frame is None:
            frame = (message.get("text") or "").encode()
        if len(frame) > LONGEST_FRAME:
            raise Ended(TOO_BIG, f"a frame may have {LONGEST_FRAME} bytes")
        try:
            await in_thread(started.session.send, frame)
        except PlaneError as error:
            raise Ended(FAILED, str(error)[:100]) from None


async def pass_out(started: Started, send: Send) -> None:
    """The command's frames, until it has ended."""
    while (frame := await in_thread(started.session.receive)) is not None:
        await send({"type": "websocket.send", "bytes": frame})
    raise Ended(NORMAL)


async def watch_right(started: Started) -> None:
    """Ask every few seconds whether the caller still may."""
    while True:
        await asyncio.sleep(ASK_AGAIN_SECONDS)
        if not await sync_to_async(may_go_on)(started):
            raise Ended(POLICY, "you no longer have permission to run commands here")


def may_go_on(started: Started) -> bool:
    """Whether the right still holds; that it does not is an event. While nobody can say, it goes on."""
    close_old_connections()
    try:
        if started.admitted.still_permitted(started.call):
            return True
        place = started.admitted.place
        opened = Operation(
            action=ACTION, actor=started.call.actor, target=Target("Component", place.namespace, place.component)
        )
        details = {"command": list(started.shown), "environment": started.admitted.environment, "why": "right has gone"}
        conclude(opened, "denied", None, details)
        return False
    except DatabaseError as error:
        log.warning("whether a command may go on cannot be asked: %s", error)
        return True
    finally:
        close_old_connections()


async def in_thread(work: Callable[..., Any], *given: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(_threads, work, *given)
