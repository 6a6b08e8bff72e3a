"""A watch through an agent that can only answer once: OpenChoreo's. Many short watches, each from where the last ended.

The one who asks sees one long watch. The API server ends a watch after `timeoutSeconds` with what has happened in it.
"""

from __future__ import annotations

import time
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

import orjson
from aiohttp import web

from catalog.delivery.agent.gateway.link import Busy, Cut, Link, Slow
from catalog.delivery.agent.messages import Request

SECONDS = 1
"""How long one short watch takes, and so how old news may be: the platform promises two seconds."""
WHOLE_SECONDS = 55
"""Then the watch ends, to be taken up again: a caller who hears nothing for a minute takes it for dead."""


async def polled(request: web.Request, link: Link, asked: Request, answer_seconds: float) -> web.StreamResponse:
    """The answer to a watch. Ends as the agent or the API server says, or after the time that was asked for."""
    given = dict(parse_qsl(asked.query, keep_blank_values=True))
    ends = time.monotonic() + min(int(given.get("timeoutSeconds") or WHOLE_SECONDS), WHOLE_SECONDS)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    while time.monotonic() < ends:
        once = replace(asked, query=urlencode({**given, "timeoutSeconds": str(SECONDS)}))
        try:
            answer = await link.ask(once, answer_seconds)
        except (Cut, Slow, Busy):
            break
        if answer.error or answer.status >= 400:
            await response.write(error_event(answer.status, answer.error, answer.body))
            break
        await response.write(answer.body)
        events = [orjson.loads(line) for line in answer.body.splitlines() if line]
        if events and events[-1].get("type") == "ERROR":
            break
        if events:
            given["resourceVersion"] = events[-1]["object"]["metadata"]["resourceVersion"]
        elif request.transport is None or request.transport.is_closing():
            break
    return response


def error_event(status: int, error: str, body: bytes) -> bytes:
    """A refusal in the midst of a watch, as the API server tells it."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = {"kind": "Status", "code": status, "reason": "", "message": error or body.decode(errors="replace")[:500]}
    return orjson.dumps({"type": "ERROR", "object": said}) + b"\n"
