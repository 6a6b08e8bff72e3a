"""`tools/list`: what the caller may use. Clients ask again and again, so each selection is written once."""

from __future__ import annotations

from functools import lru_cache

import orjson

from portal.access.endpoint import Call
from portal.mcp.reach import reached
from portal.mcp.registry import Registry, Tool
from portal.mcp.server import Server


def visible_tools(server: Server, call: Call, toolsets: frozenset[str] | None, is_filtered: bool) -> tuple[Tool, ...]:
    """The tools of a server that the caller could use somewhere, those of the toolsets only if any are named."""
    tools = tuple(tool for tool in server.registry if server.offers(tool) and call.user.may_call(tool.name))
    if is_filtered and server.hides_forbidden:
        actions = reached(call.access, actions_of(server.registry))
        tools = tuple(shown for tool in tools if (shown := tool.shown_to(actions)) is not None)
    if toolsets is not None:
        tools = tuple(tool for tool in tools if not toolsets.isdisjoint(tool.toolsets))
    return tools


def actions_of(registry: Registry) -> tuple[str, ...]:
    """Every action that a tool of the registry asks for."""
    return tuple(dict.fromkeys(action for tool in registry for action in tool.actions.values()))


def listed(tools: tuple[Tool, ...]) -> orjson.Fragment:
    """The result of `tools/list`."""
    return orjson.Fragment(_written(tools))


@lru_cache(maxsize=128)
def _written(tools: tuple[Tool, ...]) -> bytes:
    return orjson.dumps({"tools": [tool.wire for tool in tools]})
