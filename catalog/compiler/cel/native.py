"""From values of the expression language to plain values for documents. Called by ``Program`` and the templates."""

from __future__ import annotations

import base64
from typing import Any, Final

from catalog.compiler.cel.budget import MAX_ENTRIES, MAX_NESTING, BudgetError, check_size
from catalog.compiler.cel.time_text import timestamp_text
from catalog.compiler.cel.values import (
    NULL,
    OMIT,
    BoxedKey,
    CelList,
    CelMap,
    Duration,
    OptionalValue,
    Timestamp,
    TypeValue,
)
from catalog.compiler.gotext import float_text

# Types whose values documents hold as they are; of containers only those that no expression made.
PLAIN: Final = frozenset({str, float, bool, int, dict, list})


def to_native(value: Any) -> Any:
    """Convert a raw result: what documents know stays, the rest gets its document form.

    A container that an expression made becomes a new plain one without its omitted entries and with text for keys;
    a container of the context is returned as it is, its nulls included. A null otherwise becomes ``NULL``, an optional
    its value or ``None``, a duration its nanoseconds, a timestamp its RFC 3339 text, bytes their base64 text, a type
    its name. ``OMIT`` stays ``OMIT``.

    Raises ``BudgetError`` for a value that holds the same containers so often that its document would be too large.
    """
    kind = type(value)
    if kind in PLAIN:
        return value
    return _convert(value, _Size())


class _Size:
    """Counts the entries and items of the containers that are converted."""

    __slots__ = ("depth", "total")

    def __init__(self) -> None:
        self.total = 0
        self.depth = 0

    def add(self, size: int) -> None:
        self.total += size
        check_size(self.total, MAX_ENTRIES)

    def enter(self) -> None:
        """Go into a container; who does so goes out again by ``depth``."""
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise BudgetError(f"makes a value that is nested more than {MAX_NESTING} times")


def _convert(value: Any, size: _Size) -> Any:
    kind = type(value)
    if kind in PLAIN:
        return value
    if value is None:
        return NULL
    if kind is CelMap or kind is CelList:
        size.enter()
        converted: Any = _convert_map(value, size) if kind is CelMap else _convert_list(value, size)
        size.depth -= 1
        return converted
    if kind is OptionalValue:
        size.enter()
        converted = _convert(value.value, size) if value.present else None
        size.depth -= 1
        return converted
    if kind is Duration:
        return value.nanoseconds
    if kind is Timestamp:
        return timestamp_text(value)
    if kind is bytes:
        return base64.b64encode(value).decode("ascii")
    if kind is TypeValue:
        return value.name
    return value


def _convert_map(entries: CelMap, size: _Size) -> dict[str, Any]:
    size.add(len(entries))
    converted: dict[str, Any] = {}
    for key, entry in entries.items():
        if type(entry) not in PLAIN:
            entry = _convert(entry, size)
            if entry is OMIT:
                continue
        converted[key if type(key) is str else key_text(key)] = entry
    return converted


def _convert_list(items: CelList, size: _Size) -> list[Any]:
    size.add(len(items))
    converted: list[Any] = []
    for item in items:
        if type(item) not in PLAIN:
            item = _convert(item, size)
            if item is OMIT:
                continue
        converted.append(item)
    return converted


def key_text(key: object) -> str:
    """Print a key of a map as documents hold it."""
    value = key.value if isinstance(key, BoxedKey) else key
    if value is None:
        return "NULL_VALUE"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float_text(value)
    return str(int(value)) if isinstance(value, int) else str(value)
