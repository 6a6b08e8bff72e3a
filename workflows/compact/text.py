"""A result as text: a line for each value, a table for each list of objects.

    name: web                                  all: projectName=shop, autoDeploy=true
    status: ReleaseSynced                      name | status | latestRelease
    endpoints.0.url: https://web.example       cart | Ready | cart-1a2b

Text of others stays inside of its cell: whatever could be taken for structure (a line break, a bar, a quote) is written
as a JSON string. Empty values are left out. Columns that are the same in all rows stand once, above the table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from portal.mcp.registry import Document

PLAIN = re.compile(r"[\w./@+~][\w./@+~:=,%()*#' \-]*")
NESTED_CHARACTERS = 120
COMMON_CHARACTERS = 80
CURSORS = frozenset({"next_cursor"})


def scalar(value: Any) -> str:
    """A value in a cell."""
    if isinstance(value, str):
        is_plain = PLAIN.fullmatch(value) and "  " not in value and value == value.strip()
        return value if is_plain else quoted(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "-"
    return str(value) if isinstance(value, int | float) else flow(value)


def quoted(value: str) -> str:
    """A text as a JSON string, with what no reader sees (controls, marks of direction, tags) spelled out."""
    written = orjson.dumps(value).decode(errors="replace")
    return written if written.isprintable() else "".join(map(visible, written))


def visible(character: str) -> str:
    if character.isprintable():
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def flow(value: Any) -> str:
    """A nested value in one line."""
    if isinstance(value, Mapping):
        if value.keys() == {"kind", "name"}:
            return f"{scalar(value['kind'])}/{scalar(value['name'])}"
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items() if not is_empty(item)) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value)


def is_empty(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}


def is_table(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(isinstance(item, Mapping) for item in value)


def table_of(result: Document) -> str:
    """The one field of a result that is a list of objects and all that it says, "" if there is no such field."""
    said = [name for name, value in result.items() if name not in CURSORS and not is_empty(value)]
    return said[0] if len(said) == 1 and is_table(result[said[0]]) else ""


def table(rows: Sequence[Mapping[str, Any]]) -> tuple[str, list[str]]:
    """The heading and the lines of a table."""
    columns = list(dict.fromkeys(key for row in rows for key, value in row.items() if not is_empty(value)))
    common: dict[str, Any] = {}
    if len(rows) > 2:
        for column in columns:
            values = [row.get(column) for row in rows]
            is_short = not is_empty(values[0]) and len(scalar(values[0])) <= COMMON_CHARACTERS
            if is_short and all(value == values[0] for value in values):
                common[column] = values[0]
    kept = [column for column in columns if column not in common] or columns[:1]
    heading = [f"all: {', '.join(f'{name}={scalar(value)}' for name, value in common.items())}"] if common else []
    heading.append(" | ".join(kept))
    lines = [" | ".join("-" if is_empty(row.get(column)) else scalar(row[column]) for column in kept) for row in rows]
    return "\n".join(heading), lines


def lines_of(value: Any, path: str = "") -> list[str]:
    """A line for each value; a nested one is one line if it is short."""
    if is_empty(value):
        return []
    if isinstance(value, Mapping | list):
        short = flow(value)
        if path and len(short) <= NESTED_CHARACTERS:
            return [f"{path}: {short}"]
        if path and isinstance(value, list) and is_table(value):
            heading, rows = table(value)
            return [f"{path}:", *heading.split("\n"), *rows]
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        return [line for key, item in items for line in lines_of(item, f"{path}.{key}" if path else str(key))]
    return [f"{path}: {scalar(value)}" if path else scalar(value)]


def rendered(result: Document) -> tuple[str, str, list[str]]:
    """Heading, summary and lines of a result."""
    field = table_of(result)
    if field:
        rows = result[field]
        heading, lines = table(rows)
        return heading, summary_of(field, rows), lines
    body = {name: value for name, value in result.items() if name not in CURSORS}
    return "", f"fields: {', '.join(map(str, body))}", lines_of(body) or ["nothing"]


def summary_of(field: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """How many there are, and in which states, for a list that does not fit."""
    states: dict[str, int] = {}
    for row in rows:
        state = row.get("status") or row.get("level")
        if isinstance(state, str) and state:
            states[state] = states.get(state, 0) + 1
    said = ", ".join(
        f"{number} {scalar(state)}" for state, number in sorted(states.items(), key=lambda item: -item[1])[:6]
    )
    return f"{len(rows)} {field}" + (f": {said}" if said else "")
