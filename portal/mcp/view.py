"""The HTTP view of an MCP server: the streamable transport without streams and without sessions.

One POST, one answer in JSON; nothing is kept between two of them, so any process may serve any request. GET is 405,
which the transport has for servers that push nothing; DELETE, which would end a session, has none to end. A caller
without a valid token gets 401 and where to read how to get one, before anything else is looked at.

Query parameters, read for each request: `toolsets=a,b` narrows `tools/list`; `filterByAuthz=false` lets everything be
listed and tried, and leaves the refusing to the platform.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from portal.access.bearer import Unauthenticated, authenticate
from portal.access.endpoint import ANYONE, Call, Handler, note_caller
from portal.accounts.issuer.claims import issuer
from portal.accounts.issuer.discovery import challenged
from portal.audit import operation as audit
from portal.mcp.calling import call_tool
from portal.mcp.guidance import prompt_result, resource_result
from portal.mcp.listing import listed, visible_tools
from portal.mcp.rpc import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    UNSAID,
    Malformed,
    Message,
    RpcError,
    decode,
    identity_in,
    messages_of,
    negotiated,
    read_message,
)
from portal.mcp.server import Server
from portal.wire import responses

NO_SESSION = "Bad Request: DELETE requires an Mcp-Session-Id header"
VERSION_HEADER = "MCP-Protocol-Version"


def serve(server: Server) -> Callable[[HttpRequest], HttpResponse]:
    """The Django view of a server."""

    def view(request: HttpRequest) -> HttpResponse:
        return answer(server, request)

    view.csrf_exempt = True  # type: ignore[attr-defined]  # a bearer token is not sent by a browser on its own
    view.handlers = {"POST": Handler(view, action=ANYONE)}  # type: ignore[attr-defined]
    view.challenges = True  # type: ignore[attr-defined]
    return view


def answer(server: Server, request: HttpRequest) -> HttpResponse:
    """Answer one request."""
    try:
        call = Call(request, authenticate(request, f"{issuer()}{server.path}"), surface="mcp")
    except Unauthenticated as error:
        return challenged(error.code, error.message, server.path)
    note_caller(call, {})
    audit.rehearses()  # what the protocol itself says is no operation; calls of tools have frames of their own
    if not is_own_origin(request):
        return responses.text_error(403, "Forbidden: this origin may not call; see CORS_ALLOWED_ORIGINS")
    if request.method == "DELETE" and "Mcp-Session-Id" not in request.headers:
        return responses.text_error(400, NO_SESSION)
    if request.method != "POST":
        return responses.method_not_allowed(("POST",))
    try:
        return answer_post(server, call, decode(request.body))
    except Malformed as error:
        return responses.text_error(400, str(error))
    except RequestDataTooBig:
        return responses.text_error(413, "http: request body too large")
    except RpcError as error:
        return reply({"jsonrpc": "2.0", "id": None, "error": error.wire}, 400)


def is_own_origin(request: HttpRequest) -> bool:
    """Whether a page of another origin is kept out: browsers say where a page comes from, programs say nothing.

    `PUBLIC_URL` and `CORS_ALLOWED_ORIGINS` may call. The request's own host says nothing: a name that was made to point
    here would be both.
    """
    origin = request.headers.get("Origin", "")
    if not origin or origin in settings.CORS_ALLOWED_ORIGINS:
        return True
    return origin.rstrip("/") == settings.PUBLIC_URL.rstrip("/")


def answer_post(server: Server, call: Call, value: Any) -> HttpResponse:
    """Answer a message or a batch. 202 without a body where nothing is to be answered."""
    version = call.request.headers.get(VERSION_HEADER, UNSAID)
    found = [answer_message(server, call, item) for item in messages_of(value, version)]
    replies = [item for item in found if item is not None]
    if not replies:
        return HttpResponse(status=202, content_type="application/json")
    if isinstance(value, list):
        return reply(replies)
    # What is no message at all is a bad request of HTTP too; everything else is an answer, also a refusal.
    return reply(replies[0], 400 if replies[0].get("error", {}).get("code") == INVALID_REQUEST else 200)


def answer_message(server: Server, call: Call, value: Any) -> dict[str, Any] | None:
    """The answer to one message, None for what gets none."""
    try:
        message = read_message(value)
    except RpcError as error:
        return {"jsonrpc": "2.0", "id": identity_in(value), "error": error.wire}
    if message is None or message.id is None:
        return None
    envelope = {"jsonrpc": "2.0", "id": message.id}
    try:
        return {**envelope, "result": result_of(server, call, message)}
    except RpcError as error:
        return {**envelope, "error": error.wire}


def result_of(server: Server, call: Call, message: Message) -> Any:
    """The result of a request. Raises `RpcError`."""
    match message.method:
        case "tools/call":
            return call_tool(server, call, message.params, is_filtered=is_filtered(call))
        case "tools/list":
            refuse_cursor(message)
            return listed(visible_tools(server, call, wanted_toolsets(call), is_filtered(call)))
        case "initialize":
            return introduction(server, message)
        case "ping":
            return {}
        case "prompts/list":
            refuse_cursor(message)
            return {"prompts": [prompt.wire for prompt in server.prompts]}
        case "prompts/get":
            return prompt_result(server.prompts, message.params)
        case "resources/list":
            refuse_cursor(message)
            return {"resources": [resource.wire for resource in server.resources]}
        case "resources/templates/list":
            refuse_cursor(message)
            return {"resourceTemplates": []}
        case "resources/read":
            return resource_result(server.resources, message.params)
        case "logging/setLevel":
            return {}
    raise RpcError(METHOD_NOT_FOUND, f'method not found: "{message.method[:100]}"')


def introduction(server: Server, message: Message) -> dict[str, Any]:
    """The result of `initialize`. Nothing is remembered: the next request may go to another process."""
    capabilities: dict[str, Any] = {"logging": {}, "tools": {"listChanged": False}}
    if server.prompts:
        capabilities["prompts"] = {}
    if server.resources:
        capabilities["resources"] = {}
    said = {
        "capabilities": capabilities,
        "protocolVersion": negotiated(message.params.get("protocolVersion")),
        "serverInfo": {"name": server.name, "version": server.version},
    }
    return {**said, "instructions": server.instructions} if server.instructions else said


def refuse_cursor(message: Message) -> None:
    """Lists of the protocol come whole, so a cursor can be none of ours."""
    if message.params.get("cursor"):
        raise RpcError(INVALID_PARAMS, "invalid cursor: this list has one page")


def is_filtered(call: Call) -> bool:
    """Whether what the caller cannot use is hidden and refused here."""
    return call.request.GET.get("filterByAuthz", "").lower() not in ("false", "0")


def wanted_toolsets(call: Call) -> frozenset[str] | None:
    """The toolsets that are asked for, None for all. A name that there is not matches nothing."""
    asked = call.request.GET.get("toolsets")
    if asked is None:
        return None
    return frozenset(name.strip() for name in asked.split(",") if name.strip())


def reply(value: Any, status: int = 200) -> HttpResponse:
    """A JSON answer."""
    body = orjson.dumps(value)
    response = HttpResponse(body, status=status, content_type="application/json")
    response["Content-Length"] = str(len(body))
    response["Cache-Control"] = "no-store"
    return response
