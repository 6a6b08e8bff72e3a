"""Paths of trait patches: from text to the places in a document that it names.

A path is a JSON Pointer with additions: brackets may follow a key or stand alone (``containers[0]``), and select by
index, append (``[-]``), all elements (``[*]``) or a filter (``[?(@.name=='main')]``). ``~1`` stands for ``/`` also
inside filters. A segment of digits is always an index, so a key such as ``"80"`` cannot be named.

A path is parsed once per text; ``expand`` then walks it over a document. It changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from catalog.compiler.cel.values import StringList
from catalog.compiler.errors import PatchError
from catalog.compiler.gotext import value_text


class _Append:
    """The class of ``APPEND``: the place after the last element of a list."""

    def __repr__(self) -> str:
        return "-"


APPEND: Final = _Append()
Segment = str | int | _Append
Pointer = tuple[Segment, ...]

_MAXIMUM_PLACES = 1 << 16
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_FILTER = re.compile(r"@\.([A-Za-z0-9_.-]+)\s*==\s*['\"](.*)['\"]", re.ASCII)


class Place(NamedTuple):
    """Where a path leads so far, and what stands there (None also for what does not exist)."""

    pointer: Pointer
    value: object


Step = Callable[[Place], Iterable[Place]]


class Path(NamedTuple):
    """A parsed path. ``selects`` says that it has a filter or wildcard, which must match something."""

    text: str
    steps: tuple[tuple[Step, ...], ...]
    selects: bool


@lru_cache(maxsize=4096)
def parse_path(text: str) -> Path:
    """Parse a path. Faults in a segment are raised by ``expand`` when it gets there, as in the reference."""
    segments = [] if text == "" else text.removeprefix("/").split("/")
    steps = tuple(tuple(_steps(segment.replace("~1", "/").replace("~0", "~"))) for segment in segments)
    return Path(text, steps, any(map(_selects, text.split("\n"))))


def _selects(line: str) -> bool:
    """Whether a line of a path has a wildcard or a filter. Not by a pattern, which would look on from each `[?(`."""
    _, begins, rest = line.partition("[?(")
    return "[*]" in line or (bool(begins) and ")]" in rest)


def expand(path: Path, document: dict[str, object]) -> list[Pointer]:
    """Return the places that ``path`` names in ``document``, in document order.

    What does not exist is named all the same, as long as only keys lead there. Raises ``PatchError`` when an index,
    filter or wildcard meets something else than a list or an index is out of range.
    """
    places = [Place((), document)]
    for segment in path.steps:
        for step in segment:
            # Most paths lead to one place at a time.
            places = list(step(places[0])) if len(places) == 1 else [end for place in places for end in step(place)]
            if len(places) > _MAXIMUM_PLACES:
                raise PatchError(f"path expansion exceeded the maximum of {_MAXIMUM_PLACES} places")
        if not places:
            break
    return [place.pointer for place in places]


def pointer_text(pointer: Pointer) -> str:
    """Write a pointer for messages."""
    return "".join("/" + str(segment).replace("~", "~0").replace("/", "~1") for segment in pointer)


def _steps(segment: str) -> Iterator[Step]:
    if segment == "-":
        yield _append
        return
    rest = segment
    while rest:
        if not rest.startswith("["):
            name, bracket, tail = rest.partition("[")
            yield _index(int(name)) if _INTEGER.fullmatch(name) else _key(name)
            rest = bracket + tail
            continue
        content, bracket, rest = rest[1:].partition("]")
        yield _bracket(content) if bracket else _fault(f'unclosed bracket segment in "{segment}"')


def _bracket(content: str) -> Step:
    if content.startswith("?(") and content.endswith(")"):
        return _filter(content[2:-1])
    if content == "*":
        return _every
    if content == "-":
        return _append
    if _INTEGER.fullmatch(content):
        return _index(int(content))
    return _fault(f'unsupported array index "{content}"')


def _key(name: str) -> Step:
    def step(place: Place) -> Iterable[Place]:
        pointer, value = place
        if value is not None and not isinstance(value, dict):
            raise PatchError(f'path segment "{name}" expects an object at {pointer_text(pointer)}')
        return (Place((*pointer, name), None if value is None else value.get(name)),)

    return step


def _index(index: int) -> Step:
    def step(place: Place) -> Iterable[Place]:
        items = _list_at(place, "path segment")
        if not 0 <= index < len(items):
            raise PatchError(f"array index {index} out of bounds at {pointer_text(place.pointer)}")
        return (Place((*place.pointer, index), items[index]),)

    return step


def _append(place: Place) -> Iterable[Place]:
    return (Place((*place.pointer, APPEND), None),)


def _every(place: Place) -> Iterator[Place]:
    for index, item in enumerate(_list_at(place, "wildcard [*]")):
        yield Place((*place.pointer, index), item)


def _filter(expression: str) -> Step:
    match = _FILTER.fullmatch(expression.strip())
    if match is None:
        return _fault(f"unsupported filter expression: {expression}", on_items_of="filter")
    fields, expected = match[1].split("."), match[2]

    def step(place: Place) -> Iterator[Place]:
        for index, item in enumerate(_list_at(place, "filter")):
            if _field_text(item, fields) == expected:
                yield Place((*place.pointer, index), item)

    return step


def _field_text(item: object, fields: list[str]) -> str | None:
    """The field of a list element as text, empty for null, None when there is no such field."""
    for field in fields:
        if not isinstance(item, dict) or field not in item:
            return None
        item = item[field]
    return "" if item is None else value_text(item)


def _fault(reason: str, on_items_of: str = "") -> Step:
    """A step that cannot be taken; a bad filter is only noticed when there is an element to compare."""

    def step(place: Place) -> Iterator[Place]:
        if not on_items_of or _list_at(place, on_items_of):
            raise PatchError(reason)
        yield from ()

    return step


def _list_at(place: Place, what: str) -> list[object]:
    value = place.value
    # The result of split() is no list that paths can enter.
    if not isinstance(value, list) or isinstance(value, StringList):
        raise PatchError(f"{what} expects an array at {pointer_text(place.pointer) or 'the root'}")
    return value
