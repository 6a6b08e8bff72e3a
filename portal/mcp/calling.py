"""`tools/call`: the arguments are checked, the caller is judged, the tool runs, and the attempt is in the audit.

A call is answered in one of three ways, as the contract's server does: a JSON-RPC error -32602 for a tool that there is
not or arguments that break its schema; a JSON-RPC error that names the missing permission where the caller could not
use the tool at that place at all; and a result with `isError` for whatever the platform refuses, in the words of REST.
Every call leaves an event: those of its changes, or one of its own.
"""

from __future__ import annotations

import logging
from typing import Any

import orjson

from portal.access import guard
from portal.access.endpoint import Call, refusal_of
from portal.audit import operation as audit
from portal.audit.ledger import clean_free_text
from portal.audit.operation import Target, declare_outcome
from portal.mcp.arguments import BadArguments, checked
from portal.mcp.reach import reaches
from portal.mcp.registry import Arguments, Document, Tool
from portal.mcp.rpc import INVALID_PARAMS, REFUSED, RpcError
from portal.mcp.server import Server
from portal.wire.request_ids import request_id_of
from portal.wire.responses import Refusal, Unreadable

log = logging.getLogger(__name__)
FORBIDDEN = "insufficient permissions to perform this action"
UNTRUSTED = {"stagecraft.dev/untrusted": True}
"""Marks answers that hold text of others: data, whatever it says."""


class Denied(Exception):
    """The caller could not use the tool at that place."""


class LooksAbsent(Exception):
    """A refusal in the words for what is not there; the audit knows better."""


declare_outcome(Denied, "denied", 403)
declare_outcome(LooksAbsent, "denied", 404)
declare_outcome(BadArguments, "invalid", 400)
declare_outcome(RpcError, "invalid", 400)
declare_outcome(Unreadable, "invalid", 400)


def call_tool(server: Server, call: Call, params: Document, *, is_filtered: bool) -> Document:
    """The result of `tools/call`. Raises `RpcError`."""
    name = params.get("name")
    name = name if isinstance(name, str) else ""
    note_tool(call, name)
    tool = server.registry.get(name)
    if tool is None or not server.offers(tool):
        with audit.operation(call.actor, "mcp:call") as opened:
            opened.is_rehearsal = False
            raise RpcError(INVALID_PARAMS, f'unknown tool "{clean_free_text(name, 100)}"')
    sent = params.get("arguments")
    try:
        with audit.operation(call.actor, action_of(tool, sent), target_of(tool, sent)) as opened:
            opened.is_rehearsal = False  # only what the protocol itself says is none of the audit's business
            require_own_tool(call, tool)
            given = checked(tool, sent)
            if is_filtered and server.hides_forbidden:
                require_reach(call, tool, given)
            try:
                result = tool.run(call, given)
                if not opened.decision:  # lists are narrowed to what may be seen, and refuse nothing
                    audit.decided(is_allowed=True, reason={"because": "narrowed to what may be seen"})
                return answered(server, tool, result) if server.show is None else server.show(tool, given, result)
            except Refusal as refusal:
                if refusal.status == 404 and opened.decision == "deny":
                    raise LooksAbsent(refusal.text) from None
                raise
    except BadArguments as error:
        raise RpcError(INVALID_PARAMS, f"invalid arguments: {error}") from None
    except Denied as denied:
        raise RpcError(REFUSED, str(denied)) from None
    except (Refusal, Unreadable, LooksAbsent) as error:
        return failed(str(error))
    except guard.Forbidden as forbidden:
        return failed(words_of(forbidden))
    except Exception:
        log.exception("the tool %s failed", tool.name)
        return failed(f"internal error; name request {request_id_of(call.request)} when you report it")


def note_tool(call: Call, name: str) -> None:
    """Tell the audit which tool is called, by which agent, and who answers for it."""
    opened = audit.current()
    if opened is None:
        return
    opened.agent = {**opened.agent, "tool": clean_free_text(name, 100)}
    if call.user.owner is not None:
        opened.agent["owner"] = call.user.owner.get_username()


def action_of(tool: Tool, sent: Any) -> str:
    """The action that the call asks for, as far as what was sent can be read."""
    given = sent if isinstance(sent, dict) else {}
    scope = given.get("scope")
    return tool.action_for({**given, "scope": scope if isinstance(scope, str) else ""}) or "mcp:call"


def target_of(tool: Tool, sent: Any) -> Target:
    """The place that the arguments name, for the audit."""
    namespace = (sent.get("namespace_name") or sent.get("namespace")) if isinstance(sent, dict) else ""
    return Target(namespace=namespace if isinstance(namespace, str) else "")


def require_own_tool(call: Call, tool: Tool) -> None:
    """Refuse a tool that is not on the list of an account that has one, whatever it was granted. Raises `Denied`."""
    if not call.user.may_call(tool.name):
        audit.decided(is_allowed=False, reason={"because": "not among its tools", "tool": tool.name})
        raise Denied(f'not authorized to call tool "{tool.name}": it is not among the tools of {call.user}')


def require_reach(call: Call, tool: Tool, given: Arguments) -> None:
    """Refuse a call by who could use nothing of the tool at the place that the arguments name. Raises `Denied`.

    What this lets through is judged again, with the object at hand, where REST judges it.
    """
    action, place = tool.action_for(given), tool.place_of(given)
    if not action or any(reaches(call.access, each, place) for each in tool.enough(given)):
        return
    audit.decided(is_allowed=False, reason={"because": "no grant", "tool": tool.name})
    raise Denied(f'not authorized to call tool "{tool.name}": missing permission "{action}"')


def words_of(forbidden: guard.Forbidden) -> str:
    """A refusal as text: as for what is not there, or with what is wanting."""
    if forbidden.is_hidden:
        return refusal_of(forbidden).text
    return forbidden.message or f'{FORBIDDEN}: missing permission "{forbidden.action}"'


def answered(server: Server, tool: Tool, result: Document) -> Document:
    """A result as structured content, and the same as text. Both are written from the same bytes."""
    body = orjson.dumps(result, option=orjson.OPT_NON_STR_KEYS)
    content = [{"type": "text", "text": body.decode()}] if server.sends_text else []
    answer: Document = {"content": content, "structuredContent": orjson.Fragment(body)}
    return {**answer, "_meta": UNTRUSTED} if tool.untrusted and tool.effect == "read" else answer


def failed(text: str) -> Document:
    """A result that says what went wrong."""
    return {"content": [{"type": "text", "text": text}], "isError": True}
