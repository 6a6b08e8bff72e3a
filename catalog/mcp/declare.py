"""Arguments and results that many tools share, and the two or three lines in which a plain tool is declared.

Descriptions are short on purpose: every agent reads all of them at the start of every session, and what holds for all
tools stands once in the server's instructions (`portal.mcp.guidance`).
"""

from __future__ import annotations

from typing import Any

from portal.mcp.arguments import ITEMS, NUMBER, OBJECT, TEXT, one_of
from portal.mcp.registry import SCOPES, Document

NAMESPACE: Document = {"namespace_name": TEXT}
SCOPE: Document = {"scope": one_of(*SCOPES), "namespace_name": TEXT}
PAGE: Document = {"limit": NUMBER, "cursor": TEXT}
META: Document = {"display_name": TEXT, "description": TEXT}

WRITTEN: Document = {"name": TEXT, "namespace": TEXT, "action": TEXT}
"""What every write answers."""
WRITTEN_ALWAYS = ("name", "action")
DETAIL: Document = {"name": TEXT, "spec": OBJECT}
SCHEMA: Document = {"type": TEXT, "properties": OBJECT}
"""A JSON Schema as a result."""


def page_of(key: str) -> Document:
    """The result of a list."""
    return {key: ITEMS, "next_cursor": TEXT}


def both(kind: str, verb: str) -> dict[str, str]:
    """The actions of a tool with a scope: those of the namespace's kind and of its twin for the whole platform."""
    return {"namespace": f"{kind}:{verb}", "cluster": f"cluster{kind}:{verb}"}


def one(action: str) -> dict[str, str]:
    return {"": action}


def writes(**more: Any) -> Document:
    """The result of a write with further fields."""
    return {**WRITTEN, **more}
