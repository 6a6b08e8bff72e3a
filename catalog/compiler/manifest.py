"""Rendered manifests: what each must have, and their final form. Called by all pipelines."""

from __future__ import annotations

from typing import Any

from catalog.compiler.cel.values import OMIT, StringList
from catalog.compiler.documents import Document
from catalog.compiler.errors import ResultTypeError
from catalog.compiler.render_limit import SHORT, STEPS_OF_A_NODE, Room

# From here on JSON writes a number with an exponent, so it stays a double.
_LARGEST_PLAIN_NUMBER = 1e21


def missing_field(document: Document, first: tuple[str, str]) -> str:
    """Return the first required field that a manifest lacks, or an empty text.

    ``first`` gives the order in which ``apiVersion`` and ``kind`` are looked at.
    """
    for field in first:
        if not (isinstance(document.get(field), str) and document[field]):
            return field
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        return "metadata"
    name = metadata.get("name")
    return "" if isinstance(name, str) and name else "metadata.name"


def to_json(value: object) -> Any:
    """Return a rendered value as plain JSON values, all containers new: integral doubles become integers.

    The omit sentinel, which should not get this far, is dropped from containers. Raises ``ResultTypeError`` for a
    number that JSON has not (infinite or NaN), a value that is none of its types, or one that is too large.
    """
    room = Room()
    plain = _plain(value, room)
    room.close()
    return plain


def _plain(value: object, room: Room) -> Any:
    # Containers first: most leaves are short texts, which their container deals with itself. A call for each would
    # double the cost of a manifest.
    kind = type(value)
    if isinstance(value, dict):
        room.left -= len(value) * STEPS_OF_A_NODE + sum(map(len, value))
        if room.left < 0:
            room.refuse()
        return {
            key: entry if type(entry) is str and len(entry) <= SHORT else _plain(entry, room)
            for key, entry in value.items()
            if entry is not OMIT
        }
    if isinstance(value, list):
        room.left -= len(value) * STEPS_OF_A_NODE + 1
        if room.left < 0:
            room.refuse()
        if kind is StringList:
            return list(value)
        return [
            item if type(item) is str and len(item) <= SHORT else _plain(item, room)
            for item in value
            if item is not OMIT
        ]
    if kind is str:
        if len(value) > SHORT:  # type: ignore[arg-type]
            room.left -= len(value)  # type: ignore[arg-type]
        return value
    if value is None or kind is bool or kind is int:
        return value
    if kind is float:
        return _number(value)  # type: ignore[arg-type]
    if isinstance(value, int):
        return int(value)
    raise ResultTypeError(f"a manifest cannot hold {value!r}")


def _number(value: float) -> int | float:
    if value.is_integer() and abs(value) < _LARGEST_PLAIN_NUMBER:
        return int(value)
    if value - value != 0:
        raise ResultTypeError(f"a manifest cannot hold the number {value}")
    return value
