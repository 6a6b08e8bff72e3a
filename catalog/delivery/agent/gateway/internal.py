"""The internal port: the platform's own processes ask clusters through it, as they would ask an API server.

    any   /api/proxy/{planeType}/{planeID}/{namespace or _cluster}/{name}/{target}/{path}
    GET   /api/exec/{planeType}/{planeID}/{namespace or _cluster}/{name}     WebSocket
    GET   /api/wirelogs/{…}                                                  server-sent events
    POST  /api/v1/planes/notify                                              judge agents of a plane anew
    POST  /api/v1/planes/{planeType}/{planeID}/reconnect                     drop them
    GET   /api/v1/planes/{planeType}/{planeID}/status, /api/v1/planes/status
    GET   /health, /ready                                                    without credentials

The gateway's own refusals carry the header `Stagecraft-Gateway`, so that nobody takes them for the cluster's words. A
request for a plane whose agent is connected to another replica goes there, once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from aiohttp import ClientError, ClientSession, ClientTimeout, WSMsgType, web
from asgiref.sync import sync_to_async

from catalog.delivery.agent import internal_token, replicas
from catalog.delivery.agent.gateway import checks
from catalog.delivery.agent.gateway.agents import AgentsPort
from catalog.delivery.agent.gateway.answers import (
    MARK,
    Refusal,
    back,
    event_of,
    may_be_repeated,
    refused,
    unavailable,
)
from catalog.delivery.agent.gateway.checks import Forbidden
from catalog.delivery.agent.gateway.limits import Limits
from catalog.delivery.agent.gateway.link import Busy, Cut, Link, Links, OpenStream, Slow
from catalog.delivery.agent.gateway.polled_watch import polled
from catalog.delivery.agent.heads import CLUSTER, Head
from catalog.delivery.agent.messages import COMMAND, FLOWS, HTTP, PLANE_TYPES, Answer, Chunk, Request, Stream

log = logging.getLogger("stagecraft.gateway")
FORWARDED = "Stagecraft-Gateway-From"
FIRST_WORD_SECONDS = 30.0
LOG_BYTES = 4 * 1024 * 1024
"""Of a log, where the agent can only send it in one piece."""
HEAD_PATH = "{plane_type}/{plane_id}/{namespace}/{name}"


@dataclass
class InternalPort:
    """The handlers, with what they need."""

    name: str
    links: Links
    agents: AgentsPort
    limits: Limits
    others: ClientSession

    def application(self) -> web.Application:
        found = web.Application(middlewares=[self.guard], client_max_size=self.limits.request_bytes)
        found.router.add_get("/health", say_ok)
        found.router.add_get("/ready", say_ok)
        found.router.add_route("*", f"/api/proxy/{HEAD_PATH}/{{target}}/{{rest:.*}}", self.proxy)
        found.router.add_get(f"/api/exec/{HEAD_PATH}", self.run_command)
        found.router.add_get(f"/api/wirelogs/{HEAD_PATH}", self.stream_flows)
        found.router.add_post("/api/v1/planes/notify", self.notify)
        found.router.add_get("/api/v1/planes/status", self.show_all)
        found.router.add_get("/api/v1/planes/{plane_type}/{plane_id}/status", self.show)
        found.router.add_post("/api/v1/planes/{plane_type}/{plane_id}/reconnect", self.reconnect)
        return found

    @web.middleware
    async def guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Who asks must be one of us; refusals are plain text with the mark."""
        if request.path not in ("/health", "/ready") and not internal_token.is_good(
            request.headers.get("Authorization", "")
        ):
            return refused(Refusal(401, "credentials", "this port is for the platform's own processes"))
        try:
            return await handler(request)
        except Refusal as refusal:
            return refused(refusal)
        except web.HTTPRequestEntityTooLarge:
            limit = self.limits.request_bytes
            return refused(Refusal(413, "too-large", f"Request body too large: more than {limit} bytes"))

    # Requests

    async def proxy(self, request: web.Request) -> web.StreamResponse:
        head, target = head_in(request), request.match_info["target"]
        path = "/" + request.rel_url.raw_path.split("/", 8)[8]
        query = request.rel_url.raw_query_string
        try:
            checks.require_allowed(request.method, target, path, request.headers)
        except Forbidden as forbidden:
            raise Refusal(forbidden.status, "forbidden", str(forbidden)) from None
        body = await request.read()
        link = self.links.choose(head)
        if link is None:
            return await self.forward(request, head, body)
        headers = {name: values for name, values in listed(request).items() if name.lower() in checks.PASSED_ON}
        asked = Request("", target, request.method, path, query, headers, body, request.headers.get("X-Request-ID", ""))
        if request.method == "GET" and (checks.goes_on(path, query) or (link.knows_streams and checks.is_log(path))):
            return await self.stream(request, link, asked)
        if request.method == "GET" and checks.is_log(path) and "limitBytes=" not in query:
            asked = Request("", target, "GET", path, f"{query}&limitBytes={LOG_BYTES}".lstrip("&"), headers)
        answer = await self.ask(head, link, asked)
        if answer.error:
            raise Refusal(answer.status if answer.status >= 400 else 502, "agent", answer.error)
        return web.Response(status=answer.status, headers=back(answer), body=answer.body)

    async def ask(self, head: Head, link: Link, asked: Request) -> Answer:
        """The agent's answer; from another agent, if the first goes away and asking twice does no harm."""
        try:
            try:
                return await link.ask(asked, self.limits.answer_seconds)
            except Cut:
                other = self.links.choose(head, besides=link)
                if other is None or not may_be_repeated(asked):
                    raise
                return await other.ask(asked, self.limits.answer_seconds)
        except (Cut, Slow, Busy) as error:
            raise unavailable(error) from None

    async def stream(self, request: web.Request, link: Link, asked: Request) -> web.StreamResponse:
        """An answer that goes on."""
        if not link.knows_streams:
            if not asked.query or "watch" not in parse_qs(asked.query):
                raise Refusal(501, "no-streams", "the plane's agent cannot follow logs: it sends what there is")
            return await polled(request, link, asked, self.limits.answer_seconds)
        stream = Stream("", asked.target, asked.method, asked.path, asked.query, HTTP, asked.headers)
        try:
            opened = await link.open(stream)
        except (Cut, Busy) as error:
            raise unavailable(error) from None
        try:
            try:
                first = await opened.next(FIRST_WORD_SECONDS)
            except (Cut, Slow) as error:
                raise unavailable(error) from None
            if not isinstance(first, Answer):
                raise Refusal(502, "agent", "the agent ended the stream before it began")
            if first.error:
                raise Refusal(first.status if first.status >= 400 else 502, "agent", first.error)
            response = web.StreamResponse(status=first.status, headers=back(first))
            await response.prepare(request)
            await pass_on(opened, response, request)
            return response
        finally:
            await opened.close()

    # Commands and flows

    async def run_command(self, request: web.Request) -> web.StreamResponse:
        head, given = head_in(request), request.query
        namespace, pod = given.get("podNamespace", ""), given.get("podName", "")
        if not namespace or not pod:
            raise Refusal(400, "bad-request", "podNamespace and podName query parameters are required")
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/exec"
        if any(part in ("", ".", "..") or "/" in part or "%" in part for part in (namespace, pod)):
            raise Refusal(400, "bad-request", "podNamespace and podName must be names")
        link = self.links.choose(head)
        if link is None:
            return await self.forward_socket(request, head)
        query = [("stdout", "true"), ("stderr", "true")]
        query += [(name, "true") for name in ("stdin", "tty") if given.get(name) == "true"]
        query += [("container", given["container"])] if given.get("container") else []
        query += [("command", word) for word in given.getall("command", [])]
        opened, first = await self.begin(link, Stream("", "k8s", "POST", path, urlencode(query), COMMAND))
        try:
            socket = web.WebSocketResponse(heartbeat=self.limits.heartbeat_seconds, compress=False)
            await socket.prepare(request)
            if len(first.data) > 1:
                await socket.send_bytes(first.data)
            await talk(opened, socket)
            return socket
        finally:
            await opened.close()

    async def stream_flows(self, request: web.Request) -> web.StreamResponse:
        head, given = head_in(request), request.query
        wanted = {name: given.get(name, "") for name in ("namespace", "environment", "project", "component")}
        if not wanted["environment"] or not wanted["namespace"]:
            raise Refusal(400, "bad-request", "environment and namespace query parameters are required")
        link = self.links.choose(head)
        if link is None:
            return await self.forward(request, head, b"")
        query = urlencode({name: value for name, value in wanted.items() if value})
        opened, first = await self.begin(link, Stream("", "hubble", "GET", "/wirelogs", query, FLOWS))
        try:
            response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
            await response.prepare(request)
            if first.data:
                await response.write(event_of(first.data))
            await pass_on(opened, response, request, event_of)
            return response
        finally:
            await opened.close()

    async def begin(self, link: Link, stream: Stream) -> tuple[OpenStream, Chunk]:
        """A stream and its first chunk, by which the agent says that it has begun."""
        try:
            opened = await link.open(stream)
            try:
                first = await opened.next(FIRST_WORD_SECONDS)
            except BaseException:
                await opened.close()
                raise
        except (Cut, Slow, Busy) as error:
            raise unavailable(error) from None
        if isinstance(first, Answer):
            await opened.close()
            raise Refusal(first.status if first.status >= 400 else 502, "agent", first.error or f"HTTP {first.status}")
        if first is None or first.is_close:
            why = "" if first is None else first.data.decode(errors="replace")
            raise Refusal(502, "agent", f"agent rejected stream: {why or 'it gave no reason'}")
        return opened, first

    # Other replicas

    async def forward(self, request: web.Request, head: Head, body: bytes) -> web.StreamResponse:
        """Ask the replica to which the plane's agent is connected."""
        url = await self.elsewhere(request, head)
        try:
            async with self.others.request(
                request.method, f"{url}{request.rel_url.raw_path_qs}", data=body or None,
                headers=self.handed_on(request),
                timeout=ClientTimeout(total=None, sock_connect=5, sock_read=None), allow_redirects=False,
            ) as answer:  # fmt: skip
                names = (*checks.PASSED_BACK, MARK.lower())
                headers = {name: value for name, value in answer.headers.items() if name.lower() in names}
                response = web.StreamResponse(status=answer.status, headers=headers)
                await response.prepare(request)
                try:
                    async for piece in answer.content.iter_any():
                        await response.write(piece)
                except (ClientError, TimeoutError):
                    abort(request)
                return response
        except (ClientError, TimeoutError, OSError) as error:
            raise Refusal(502, "no-agent", f"the gateway's replica at {url} does not answer: {error}") from None

    async def forward_socket(self, request: web.Request, head: Head) -> web.StreamResponse:
        """A command, through the replica to which the plane's agent is connected."""
        url = await self.elsewhere(request, head)
        try:
            async with self.others.ws_connect(
                f"{url}{request.rel_url.raw_path_qs}", headers=self.handed_on(request), compress=0
            ) as there:
                here = web.WebSocketResponse(heartbeat=self.limits.heartbeat_seconds, compress=False)
                await here.prepare(request)

                async def send_back() -> None:
                    async for frame in there:
                        if frame.type is WSMsgType.BINARY:
                            await here.send_bytes(frame.data)
                    await here.close()

                copying = asyncio.create_task(send_back())
                try:
                    async for frame in here:
                        if frame.type is WSMsgType.BINARY:
                            await there.send_bytes(frame.data)
                finally:
                    copying.cancel()
                return here
        except (ClientError, TimeoutError, OSError) as error:
            raise Refusal(502, "no-agent", f"the gateway's replica at {url} refuses: {error}") from None

    def handed_on(self, request: web.Request) -> dict[str, str]:
        names = (*checks.PASSED_ON, "x-request-id")
        held = {name: value for name, value in request.headers.items() if name.lower() in names}
        return {**held, "Authorization": internal_token.issue(), FORWARDED: self.name}

    async def elsewhere(self, request: web.Request, head: Head) -> str:
        """The address of a replica that has an agent of the plane. Raises `Refusal`."""
        if FORWARDED not in request.headers:
            for url in await sync_to_async(replicas.holders)(head, self.name):
                return url
        if await sync_to_async(replicas.is_known)(head):
            raise Refusal(403, "not-authorized", f"Forbidden: Agent not authorized for CR {head.key}")
        raise Refusal(502, "no-agent", f"no agent is connected for {head.plane_type} {head.plane_id}")

    # The planes

    async def notify(self, request: web.Request) -> web.Response:
        given = await request.json()
        if not isinstance(given, dict) or given.get("planeType") not in PLANE_TYPES or not given.get("planeID"):
            raise Refusal(400, "bad-request", "planeType and planeID are required")
        gained, lost, gone = await self.agents.recheck(
            lambda link: (link.plane_type, link.plane_id) == (given["planeType"], given["planeID"])
        )
        return web.json_response({
            "success": True, "action": "revalidate", "disconnectedAgents": gone, "authorizationsGranted": gained,
            "authorizationsRevoked": lost,
        })  # fmt: skip

    async def reconnect(self, request: web.Request) -> web.Response:
        found = self.links.of(request.match_info["plane_type"], request.match_info["plane_id"])
        for link in found:
            await link.close("asked to connect anew")
        return web.json_response({"success": True, "disconnectedAgents": len(found)})

    async def show_all(self, request: web.Request) -> web.Response:
        names = sorted({(link.plane_type, link.plane_id) for link in self.links.held.values()})
        planes = [self.status_of(self.links.of(*name), *name) for name in names]
        return web.json_response({"planes": planes, "total": len(planes)})

    async def show(self, request: web.Request) -> web.Response:
        name = request.match_info["plane_type"], request.match_info["plane_id"]
        links = self.links.of(*name)
        if "name" in request.query:
            key = f"{request.query.get('namespace', '')}/{request.query['name']}"
            links = [link for link in links if key in {head.key for head in link.planes}]
        return web.json_response(self.status_of(links, *name))

    def status_of(self, held: Sequence[Link], plane_type: str, plane_id: str) -> dict[str, object]:
        return {
            "planeType": plane_type, "planeID": plane_id, "connected": bool(held), "connectedAgents": len(held),
        }  # fmt: skip


def head_in(request: web.Request) -> Head:
    """The plane that the path names. Raises `Refusal`."""
    found = request.match_info
    if found["plane_type"] not in PLANE_TYPES:
        raise Refusal(400, "bad-request", f"{found['plane_type']!r} is no type of planes")
    namespace = "" if found["namespace"] == CLUSTER else found["namespace"]
    return Head(found["plane_type"], found["plane_id"], namespace, found["name"])


def listed(request: web.Request) -> dict[str, list[str]]:
    return {name: request.headers.getall(name) for name in request.headers}


async def pass_on(
    opened: OpenStream, response: web.StreamResponse, request: web.Request,
    shaped: Callable[[bytes], bytes] = lambda data: data,
) -> None:  # fmt: skip
    """Write what the agent sends until it ends. A stream that is cut must not look as if it had ended."""
    try:
        while (message := await opened.next()) is not None:
            if isinstance(message, Chunk) and message.data:
                await response.write(shaped(message.data))
    except Cut:
        abort(request)


def abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


async def talk(opened: OpenStream, socket: web.WebSocketResponse) -> None:
    """Pass a command's frames both ways until one side ends."""

    async def send_back() -> None:
        try:
            while (message := await opened.next()) is not None:
                if isinstance(message, Chunk) and message.data and not message.is_close:
                    await socket.send_bytes(message.data)
            await socket.close()
        except Cut as cut:
            await socket.close(code=1011, message=str(cut).encode()[:120])

    copying = asyncio.create_task(send_back())
    try:
        async for frame in socket:
            if frame.type is WSMsgType.BINARY:
                await opened.send(frame.data)
    except Cut:
        pass
    finally:
        copying.cancel()


async def say_ok(request: web.Request) -> web.Response:
    return web.Response(text="OK")
