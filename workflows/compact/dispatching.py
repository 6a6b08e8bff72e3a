"""The way from a compact tool to those of the contract: their schemas, their permissions, their functions.

read(call, "list_components", {"namespace_name": …})        the result, or the refusal
arguments_of(kind, "list", given)                           the contract's arguments for a compact call
"""

from __future__ import annotations

from collections.abc import Iterable

from portal.access.endpoint import Call
from portal.mcp.arguments import BadArguments, checked
from portal.mcp.calling import require_reach
from portal.mcp.registry import Arguments, Document, Tool
from portal.wire.responses import Refusal
from workflows.compact.kinds import KINDS
from workflows.compact.tool import contract_tool, is_on

OWNERS = {"project": "project_name", "component": "component_name", "resource": "resource_name"}
OURS = frozenset({"kind", "fields", "max_tokens", "format", "cursor", "limit"})


def read(call: Call, name: str, given: Arguments) -> Document:
    """Call a tool of the contract as its own endpoint would. Raises what that raises."""
    tool = contract_tool(name)
    if not is_on(name):
        raise Refusal(501, f"{name}, which this comes down to, is switched off here (MCP_TOOLSETS)")
    try:
        arguments = checked(tool, dict(given))
    except BadArguments as error:
        raise BadArguments(in_our_words(str(error))) from None
    require_reach(call, tool, arguments)
    return tool.run(call, arguments)


def in_our_words(text: str) -> str:
    """An error about the contract's arguments, with the names that they have here."""
    for ours, theirs in {"namespace": "namespace_name", **OWNERS}.items():
        text = text.replace(f'"{theirs}"', f'"{ours}"')
    return text


write = read
"""The same way; the name tells a reader what it does there."""


def arguments_of(kind: str, verb: str, given: Arguments) -> tuple[str, Document]:
    """The contract's tool and its arguments. Raises `BadArguments` for what the kind has no place for."""
    of_kind = KINDS.get(kind)
    if of_kind is None or verb not in of_kind.tools:
        able = ", ".join(name for name, each in KINDS.items() if verb in each.tools)
        raise BadArguments(f"kind {kind!r} has no {verb}; these have: {able}")
    tool = contract_tool(of_kind.tools[verb])
    fields = given.get("fields") or {}
    arguments = {**with_fields(tool, kind, verb, fields), **located(tool, given)}
    name = given.get("name")
    if name:
        argument = of_kind.made if verb == "create" else of_kind.named
        if argument not in tool.arguments:
            raise BadArguments(f"{verb} {kind}: name is not for you to say; {takes(tool)}")
        arguments[argument] = name
    if "limit" in tool.arguments and given.get("limit"):
        arguments["limit"] = given["limit"]
    return tool.name, arguments


def located(tool: Tool, given: Arguments) -> Document:
    """Namespace and owners under the contract's names. Raises `BadArguments` for one that the tool does not take."""
    found: Document = {}
    namespace = given.get("namespace")
    if tool.is_scoped:
        found["scope"] = "namespace" if namespace else "cluster"
    if namespace and "namespace_name" in tool.arguments:
        found["namespace_name"] = namespace
    for short, argument in {**OWNERS, "environment": "environment"}.items():
        if not given.get(short):
            continue
        if argument not in tool.arguments:
            raise BadArguments(f"{tool.name} has no {short}; {takes(tool)}")
        found[argument] = given[short]
    return found


def with_fields(tool: Tool, kind: str, verb: str, fields: Document) -> Document:
    """The `fields`, all of which must be arguments of the tool: in few tokens nothing may be lost silently."""
    unknown = sorted(set(fields) - set(own_fields(tool)))
    if unknown:
        raise BadArguments(f"{verb} {kind} has no field {', '.join(unknown)}; {takes(tool)}")
    return dict(fields)


def own_fields(tool: Tool) -> Iterable[str]:
    """The arguments of a contract tool that go into `fields`."""
    beside = {"scope", "namespace_name", "name", "limit", "cursor", *OWNERS.values(), "environment"}
    named = {kind.named for kind in KINDS.values() if tool.name in kind.tools.values()}
    return [name for name in tool.arguments if name not in beside | named]


def takes(tool: Tool) -> str:
    """In words, what a tool takes."""
    beside = [short for short, argument in OWNERS.items() if argument in tool.required]
    fields = [name + ("*" if name in tool.required else "") for name in own_fields(tool)]
    said = f"it takes {', '.join(beside)}" if beside else "it takes no owner"
    return said + (f"; fields: {', '.join(fields)}" if fields else "")
