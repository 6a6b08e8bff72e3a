"""One MCP server: what it is called, what it offers, and who may see it.

The control plane's is `CONTROL_PLANE`. Others (of the observer, of the compact mode) are further values of `Server`
with a registry of their own; `view.serve` makes a Django view of each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings

from portal.mcp.guidance import INSTRUCTIONS, PROMPTS, RESOURCES, Prompt, Resource
from portal.mcp.registry import TOOLS, Arguments, Document, Registry, Tool


@dataclass(frozen=True)
class Server:
    """`hides_forbidden`: whether tools that the caller cannot use are left out of lists, and refused before they run.

    `sends_text`: whether results carry their JSON as text beside the structured content, as clients of older versions
    of the protocol need it.
    """

    name: str
    registry: Registry
    instructions: str = ""
    prompts: tuple[Prompt, ...] = ()
    resources: tuple[Resource, ...] = ()
    version: str = "1.0.0"
    hides_forbidden: bool = True
    sends_text: bool = True
    surface: str = "mcp"
    path: str = "/mcp"
    """Where it is served: what a caller without a token is told to read is about this address."""
    show: Callable[[Tool, Arguments, Document], Document] | None = None
    """Makes the answer of a call from a tool's result, where another form than the contract's is wanted."""

    def offers(self, tool: Tool) -> bool:
        """Whether a tool is served at all: of the control plane's, those of toolsets that are on (`MCP_TOOLSETS`)."""
        return self.registry is not TOOLS or not frozenset(settings.MCP_TOOLSETS).isdisjoint(tool.toolsets)


CONTROL_PLANE = Server("openchoreo-api", TOOLS, INSTRUCTIONS, PROMPTS, RESOURCES)
