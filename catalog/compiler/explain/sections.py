"""Parameters and environmentConfigs: which values were given, and which are defaults of a schema. For ``inputs``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from catalog.compiler.explain.input import Input, InputSource, found_at
from catalog.compiler.explain.origin import FieldPath, Place
from catalog.compiler.manifest import to_json

_Located = tuple[dict[str, Any], FieldPath]
_MAXIMUM_REFERENCES = 64


class Section(NamedTuple):
    """One section of a type or trait: the values given for it and its schema, each with its place."""

    values: Any
    values_place: Place
    source: InputSource
    schema: Any
    schema_place: Place


def section_input(seen: Input, path: FieldPath, section: Section) -> Input:
    """Return ``seen`` with where its value comes from. ``path`` is its place in the section.

    A container that was given in part has an input for each of its leaves.
    """
    given, is_given = found_at(section.values, path)
    if not path:
        given, is_given = section.values or {}, bool(section.values)
    if is_given and to_json(given) == seen.value:
        return replace(seen, source=section.source, place=section.values_place.below(*path))
    if not is_given or given is None:
        return replace(seen, source="schema-default", place=_default_place(path, seen.value, section))
    parts: Any = ()
    if isinstance(seen.value, dict):
        parts = seen.value.items()
    elif isinstance(seen.value, list):
        parts = enumerate(seen.value)
    inputs = tuple(
        section_input(Input(f"{seen.name}.{key}", value, section.source), (*path, key), section) for key, value in parts
    )
    return replace(seen, source=section.source, place=section.values_place.below(*path), inputs=inputs)


def _default_place(path: FieldPath, value: object, section: Section) -> Place | None:
    """Where the default that gives the value is written: at the field, or in the default of an object around it."""
    for length in range(len(path), 0, -1):
        for node, at in _nodes(section.schema, path[:length]):
            if "default" in node:
                inner, is_there = found_at(node["default"], path[length:])
                if is_there and to_json(inner) == value:
                    return section.schema_place.below(*at, "default", *path[length:])
    # Completed by several defaults: the field itself is the best that can be named.
    at_field = next((at for _, at in _nodes(section.schema, path)), None)
    return None if at_field is None else section.schema_place.below(*at_field)


def _nodes(schema: Any, path: FieldPath) -> Iterator[_Located]:
    """The schemas of a field: its own, and those that it refers to."""
    found: list[_Located] = list(_with_referred(schema, (schema, ()))) if isinstance(schema, dict) else []
    for step in path:
        found = [
            deeper
            for node, at in found
            for child, steps in _child(node, step)
            for deeper in _with_referred(schema, (child, (*at, *steps)))
        ]
    yield from found


def _child(node: dict[str, Any], step: str | int) -> Iterator[_Located]:
    properties = node.get("properties")
    if isinstance(step, int):
        if isinstance(node.get("items"), dict):
            yield node["items"], ("items",)
    elif isinstance(properties, dict) and isinstance(properties.get(step), dict):
        yield properties[step], ("properties", step)
    elif isinstance(node.get("additionalProperties"), dict):
        yield node["additionalProperties"], ("additionalProperties",)


def _with_referred(schema: dict[str, Any], located: _Located) -> Iterator[_Located]:
    """A schema and, where it is a reference to one of ``$defs``, that one."""
    for _ in range(_MAXIMUM_REFERENCES):
        yield located
        reference = located[0].get("$ref")
        name = reference.removeprefix("#/$defs/") if isinstance(reference, str) else ""
        target = (schema.get("$defs") or {}).get(name)
        if not isinstance(target, dict):
            return
        located = (target, ("$defs", name))
