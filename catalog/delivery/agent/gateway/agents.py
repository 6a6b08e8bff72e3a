"""The agents' port: `/ws?planeType=…&planeID=…`, and nothing else.

An agent that may not come in is told why in plain text before the connection is upgraded.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from aiohttp import WebSocketError, WSCloseCode, WSMsgType, web
from asgiref.sync import sync_to_async
from django.db import DatabaseError
from django.utils import timezone

from catalog.delivery.agent.gateway.admission import Refused, admit, judge
from catalog.delivery.agent.gateway.limits import Limits
from catalog.delivery.agent.gateway.link import Link, Links
from catalog.delivery.agent.gateway.tls import Peer
from catalog.delivery.agent.messages import HTTP_STREAMS, NoMessage

log = logging.getLogger("stagecraft.gateway")
RECHECK_SECONDS = 5.0
REFUSED = "Stagecraft-Refused"
"""The reason once more as a header: WebSocket clients do not show the text."""


class AgentsPort:
    """What happens on connections from agents. `peers` finds the certificates of a transport."""

    def __init__(self, links: Links, limits: Limits, peers: WeakKeyDictionary[Any, Peer]) -> None:
        self.links, self.limits, self.peers = links, limits, peers

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """One connection, from its first request to its end."""
        if request.path != "/ws":
            return refusal(404, "agents connect to /ws")
        try:
            link, socket = await self.let_in(request)
        except Refused as refused:
            log.warning("agent at %s refused: %s", self.peer_of(request).address, refused)
            return refusal(refused.status, str(refused))
        self.links.add(link)
        log.info("%s connected, for %s", link, ", ".join(sorted(map(str, link.planes))))
        why = "the agent's connection ended"
        try:
            why = await self.listen(link, socket)
        finally:
            link.end(why)
            self.links.remove(link)
            log.info("%s disconnected: %s", link, why)
        return socket

    async def let_in(self, request: web.BaseRequest) -> tuple[Link, web.WebSocketResponse]:
        """Judge the certificate and upgrade. Raises `Refused`."""
        peer = self.peer_of(request)
        plane_type, plane_id = request.query.get("planeType", ""), request.query.get("planeID", "")
        try:
            planes = await sync_to_async(admit)(peer.certificates, plane_type, plane_id)
        except DatabaseError as error:
            raise Refused(503, f"the gateway cannot reach its database: {type(error).__name__}") from None
        if len(self.links.held) >= self.limits.agents:
            raise Refused(503, f"{self.limits.agents} agents are connected here; add a replica of the gateway")
        peer.entered.set()
        socket = web.WebSocketResponse(
            heartbeat=self.limits.heartbeat_seconds, max_msg_size=self.limits.message_bytes, compress=False
        )
        if not socket.can_prepare(request):
            raise Refused(400, "agents connect by WebSocket")
        await socket.prepare(request)
        streams = HTTP_STREAMS in request.query.get("streams", "").split(",")
        link = Link(
            plane_type, plane_id, planes, peer.certificates, socket, streams, peer.address, timezone.now()
        )  # fmt: skip
        return link, socket

    def peer_of(self, request: web.BaseRequest) -> Peer:
        found = self.peers.get(request.transport)
        return Peer((), "unknown") if found is None else found

    async def listen(self, link: Link, socket: web.WebSocketResponse) -> str:
        """Take the agent's frames until its connection ends; why it did."""
        async for frame in socket:
            if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                break
            try:
                await link.take(frame.data)
            except NoMessage as reason:
                log.warning("%s sent what is no message, which is passed over: %s", link, reason)
        error = socket.exception()
        if isinstance(error, WebSocketError) and error.code == WSCloseCode.MESSAGE_TOO_BIG:
            return f"a message had more than {self.limits.message_bytes} bytes (GATEWAY_MESSAGE_BYTES)"
        return f"the agent's connection ended ({error or socket.close_code})"

    async def recheck_for_ever(self) -> None:
        """See to it that each agent still may speak for its planes: these change, certificates end."""
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            await self.recheck()

    async def recheck(self, is_concerned: Callable[[Link], bool] = lambda link: True) -> tuple[int, int, int]:
        """How many planes were gained and lost, and how many agents had to go."""
        gained = lost = gone = 0
        links = [link for link in self.links.held.values() if is_concerned(link)]
        try:
            judged = await sync_to_async(judge)([(link.certificates, link.plane_type, link.plane_id) for link in links])
        except DatabaseError as error:
            log.warning("agents are not judged anew: %s", error)
            return 0, 0, 0
        for link, planes in zip(links, judged, strict=True):
            if isinstance(planes, Refused):
                log.warning("%s has to go: %s", link, planes)
                lost, gone = lost + len(link.planes), gone + 1
                await link.close(str(planes))
            elif planes != link.planes:
                gained, lost = gained + len(planes - link.planes), lost + len(link.planes - planes)
                link.planes = planes
                self.links.changed.set()
        return gained, lost, gone


def refusal(status: int, text: str) -> web.Response:
    one_line = text.encode("ascii", "replace").decode().replace("\n", " ").replace("\r", " ")[:1000]
    return web.Response(status=status, text=text + "\n", headers={"Connection": "close", REFUSED: one_line})
