"""The schemas of arguments and results, and checking what a client sent.

The builders keep declarations short, and the lists of tools small: every word of a schema is paid for by each agent
that reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from portal.mcp.registry import Arguments, Document, Tool
from portal.wire.nul import places_of_nul

TEXT: Document = {"type": "string"}
NUMBER: Document = {"type": "integer"}
FLAG: Document = {"type": "boolean"}
OBJECT: Document = {"type": "object"}
ITEMS: Document = {"type": "array", "items": {"type": "object"}}
TEXTS: Document = {"type": "array", "items": {"type": "string"}}


def described(schema: Document, description: str) -> Document:
    """The schema with a description, for what its name does not tell."""
    return {**schema, "description": description}


def one_of(*values: str) -> Document:
    """A text that is one of these."""
    return {"type": "string", "enum": list(values)}


class BadArguments(ValueError):
    """Arguments that break a tool's schema; the text names each place and what is wrong there."""


_validators: dict[str, tuple[Tool, Any]] = {}


def checked(tool: Tool, sent: Any) -> Arguments:
    """The arguments of a call. Absent and null are the same for the optional ones. Raises `BadArguments`."""
    if sent is None:
        sent = {}
    if not isinstance(sent, dict):
        raise BadArguments(f"{tool.name}: arguments must be an object")
    given = {name: value for name, value in sent.items() if value is not None}
    problems = list(problems_of(tool, given))
    if problems:
        raise BadArguments(f"{tool.name}: " + "; ".join(problems))
    return given


def problems_of(tool: Tool, given: Document) -> Iterator[str]:
    """What is wrong with arguments, each with its place."""
    for error in validator_of(tool).iter_errors(given):
        path = ".".join(str(step) for step in error.instance_path)
        yield f"{path}: {error.message[:300]}" if path else error.message[:300]
    place = next(places_of_nul(given, ""), None)
    if place is not None:
        yield f"{place or 'arguments'}: a text may not contain the NUL character"


def validator_of(tool: Tool) -> Any:
    """The compiled schema of a tool's arguments, made once."""
    held = _validators.get(tool.name)
    if held is None or held[0] is not tool:
        held = _validators[tool.name] = (tool, jsonschema_rs.validator_for(tool.input_schema))
    return held[1]
