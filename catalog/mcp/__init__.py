"""The tools of the control plane's MCP server that are about the catalog: one file for each group of kinds.

    declare.py   arguments and results that many tools share
    objects.py   list, get, create, change and delete: the functions behind REST, with a tool's arguments
    shapes.py    objects as an agent reads them: a summary in lists, a detail by name

A handler never decides or checks by itself: it turns arguments into what REST would have been sent. The registry
(`portal.mcp.registry`) is told of this package when the app loads, and asks for `tools()` on first use.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from portal.mcp.registry import Tool

GROUPS = (
    "namespaces",
    "secret_references",
    "projects",
    "project_releases",
    "components",
    "workloads",
    "releases",
    "release_bindings",
    "environments",
    "resources",
    "resource_releases",
    "types",
    "planes",
    "authz",
    "diagnostics",
)


def tools() -> Iterator[Tool]:
    """All tools of this package."""
    for group in GROUPS:
        yield from import_module(f"catalog.mcp.{group}").TOOLS
