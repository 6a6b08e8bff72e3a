"""The tools of the control plane's MCP server that are about what happens over time: runs of workflows."""

from __future__ import annotations

from collections.abc import Iterator

from portal.mcp.registry import Tool


def tools() -> Iterator[Tool]:
    """All tools of this package."""
    from workflows.mcp import runs

    yield from runs.TOOLS
