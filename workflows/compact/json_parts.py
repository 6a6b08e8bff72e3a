"""A result as JSON within a budget: whole, or its list cut, or its fields one by one; the cursor goes on from there."""

from __future__ import annotations

from typing import Any

import orjson

from portal.mcp.registry import Arguments, Document
from workflows.compact.budget import FOR_CURSOR, Cursor, budget_of, estimated, pieces_of
from workflows.compact.text import CURSORS, summary_of, table_of


def part_of(result: Document, given: Arguments) -> tuple[Document, str]:
    """What fits of a result, and the cursor for the rest, "" if there is none.

    A list is cut between its items; one that fits into no answer of this size says so in its place. Of another object
    that does not fit, the next part of its JSON text is under `json_part`: joined in order, the parts are the whole.
    """
    cursor, room = Cursor.of(given), budget_of(given) - FOR_CURSOR
    body = {name: value for name, value in result.items() if name not in CURSORS}
    following = Cursor(str(result["next_cursor"])).text if result.get("next_cursor") else ""
    field = table_of(result)
    if not field:
        return part_of_object(body, cursor, room, following)
    rows = result[field][cursor.skip :]
    number = fitting_rows(rows, room)
    if number == len(rows):
        return {field: rows}, following
    if number == 0:
        number, rows = 1, [stand_in(rows[0])]
    summary = {} if cursor.skip else {"summary": summary_of(field, result[field])}
    return {**summary, field: rows[:number]}, Cursor(cursor.inner, cursor.skip + number).text


def fitting_rows(rows: list[Any], room: int) -> int:
    used = 0
    for number, row in enumerate(rows):
        used += cost(row)
        if used > room:
            return number
    return len(rows)


def stand_in(row: Any) -> Document:
    """What stands for an item that is larger than the whole answer may be."""
    named = {name: row[name] for name in ("name", "timestamp") if isinstance(row.get(name), str)}
    return {**named, "omitted": f"about {cost(row)} tokens: raise max_tokens, or get it by its name"}


def part_of_object(body: Document, cursor: Cursor, room: int, following: str) -> tuple[Document, str]:
    if not cursor.skip and cost(body) <= room:
        return body, following
    pieces = [piece.removeprefix("… ") if number else piece for number, piece in enumerate(pieces_of(text_of(body)))]
    shown, used = 0, 0
    for piece in pieces[cursor.skip :]:
        # A quote inside of a text is written with a backslash: that costs, too.
        used += estimated(piece) + piece.count('"')
        if used > room and shown:
            break
        shown += 1
    part = "".join(pieces[cursor.skip : cursor.skip + shown])
    is_last = cursor.skip + shown >= len(pieces)
    return {"json_part": part}, following if is_last else Cursor(cursor.inner, cursor.skip + shown).text


def text_of(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


def cost(value: Any) -> int:
    return estimated(text_of(value))
