"""A compact tool: one of few, standing for many of the contract's.

Which of those a call comes down to is `pick`'s to say; permission, place and audit follow from that one. A caller sees
a compact tool if it could use any of those behind it, and of its kinds only those that it could use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

from portal.access.place import Place
from portal.mcp.arguments import BadArguments, one_of
from portal.mcp.registry import TOOLS, Arguments, Document, Tool
from portal.mcp.server import CONTROL_PLANE
from workflows.compact.kinds import KINDS
from workflows.observer.tools import TOOLS as OBSERVER_TOOLS

Picked = tuple[str, Arguments]
"""The name of a contract tool, and the arguments that it gets."""


def contract_tool(name: str) -> Tool:
    """A tool of the contract, of the control plane or the observer."""
    found = TOOLS.get(name) or OBSERVER_TOOLS.get(name)
    if found is None:
        raise LookupError(f"the contract has no tool {name}")
    return found


def is_on(name: str) -> bool:
    """Whether a tool of the contract is served: what `MCP_TOOLSETS` switches off is off here too."""
    return CONTROL_PLANE.offers(contract_tool(name)) if name in TOOLS.tools else True


def could_use(name: str, actions: frozenset[str]) -> bool:
    """Whether somebody with these actions could use a tool of the contract that is on."""
    return is_on(name) and not actions.isdisjoint(contract_tool(name).actions.values())


@dataclass(frozen=True, eq=False)
class CompactTool(Tool):
    """`covers` names the contract's tools behind it. `by_kind` is for tools with a `kind`: the tools of each kind.

    `is_open`: also for callers who could use none of those, because it answers about themselves.
    """

    covers: tuple[str, ...] = ()
    by_kind: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pick: Callable[[Arguments], Picked] | None = None
    is_open: bool = False
    either: tuple[str, ...] = ()
    """The contract's tools of which a call may come down to one that only the stored objects tell: which one must not
    be seen from a refusal, so any of them lets the call be tried, and the first gives the refusal its name."""

    def picked(self, arguments: Arguments) -> tuple[Tool, Arguments] | None:
        """The contract's tool that a call comes down to first, None if that cannot be told."""
        if self.pick is None:
            return None
        try:
            name, given = self.pick(arguments)
            return contract_tool(name), given
        except (BadArguments, LookupError, TypeError, AttributeError):
            return None  # what cannot be read is refused when it is checked

    def action_for(self, arguments: Arguments) -> str:
        found = self.picked(arguments)
        return "" if found is None else found[0].action_for(found[1])

    def enough(self, arguments: Arguments) -> tuple[str, ...]:
        if self.either:
            return tuple(contract_tool(name).action_for({}) for name in self.either)
        return super().enough(arguments)

    def place_of(self, arguments: Arguments) -> Place:
        found = self.picked(arguments)
        return Place() if found is None else found[0].place_of(found[1])

    @cached_property
    def wire(self) -> Document:
        """Without a schema of results, which are text."""
        return {field: value for field, value in super().wire.items() if field != "outputSchema"}

    def shown_to(self, actions: frozenset[str]) -> Tool | None:
        kinds = frozenset(
            kind for kind, names in self.by_kind.items() if any(could_use(name, actions) for name in names)
        )
        if self.by_kind:
            return narrowed(self, kinds) if kinds else None
        could = any(could_use(name, actions) for name in self.covers) if self.covers else super().shown_to(actions)
        return self if self.is_open or could else None


@lru_cache(maxsize=256)
def narrowed(tool: CompactTool, kinds: frozenset[str]) -> CompactTool:
    """The tool with these kinds only. One value for one set of kinds, so that what is written of it is kept."""
    if len(kinds) == len(tool.by_kind):
        return tool
    named = [kind for kind in tool.by_kind if kind in kinds]
    return replace(tool, arguments={**tool.arguments, "kind": one_of(*named)})


def actions_behind(*names: str) -> dict[str, str]:
    """The actions of some contract tools, for `Tool.actions`. No key is "", which means one action for all calls."""
    found = dict.fromkeys(action for name in names for action in contract_tool(name).actions.values())
    return {action: action for action in found}


def tools_by_kind(*verbs: str) -> dict[str, tuple[str, ...]]:
    """For a tool with a `kind`: the contract's tools of each, of these verbs."""
    found = {name: tuple(kind.tools[verb] for verb in verbs if verb in kind.tools) for name, kind in KINDS.items()}
    return {name: tools for name, tools in found.items() if tools}


def of_kinds(title: str, *verbs: str, **fields: Any) -> dict[str, Any]:
    """What a tool with a `kind` has in common: what it covers, for whom, and its first argument."""
    by_kind = tools_by_kind(*verbs)
    covers = tuple(name for names in by_kind.values() for name in names)
    arguments: Document = {"kind": one_of(*by_kind), **fields.pop("arguments")}
    return {"title": title, "covers": covers, "by_kind": by_kind, "actions": actions_behind(*covers),
            "arguments": arguments, "toolsets": (), **fields}  # fmt: skip
