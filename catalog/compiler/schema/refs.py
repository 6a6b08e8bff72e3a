"""Inlining of ``$ref`` in a schema.

Only ``#/$defs/Name`` exists in the contract. What stands beside a ``$ref`` overlays the definition key by key, so that
a property can reuse a definition and change its default. After this, nothing downstream knows references.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from catalog.compiler.errors import ReferenceResolutionError

_MAXIMUM_DEPTH = 64
_NESTED_SCHEMAS = ("items", "additionalProperties", "not", "if", "then", "else", "allOf", "oneOf", "anyOf")
_MAPS_OF_SCHEMAS = ("properties", "patternProperties")


def resolve_refs(schema: Mapping[str, object]) -> dict[str, object]:
    """Return a copy of ``schema`` with every ``$ref`` replaced by its definition, and without ``$defs``.

    An empty ``$defs`` is left where it is. Raises ``ReferenceResolutionError`` for references that are remote, point
    elsewhere than into ``$defs``, to nothing, to no object, or in a circle, and for nesting beyond 64 levels.
    """
    definitions = schema.get("$defs")
    if not isinstance(definitions, Mapping) or not definitions:
        definitions = None
    resolved = _resolve(schema, definitions, (), 0)
    assert isinstance(resolved, dict)  # noqa: S101  (an object resolves to an object)
    if definitions is not None:
        resolved.pop("$defs", None)
    return resolved


def _resolve(node: object, definitions: Mapping[str, object] | None, visiting: tuple[str, ...], depth: int) -> object:
    if depth > _MAXIMUM_DEPTH:
        _fail(f"$ref resolution exceeded the maximum depth of {_MAXIMUM_DEPTH}")
    if isinstance(node, list):
        return [_resolve(item, definitions, visiting, depth + 1) for item in node]
    if not isinstance(node, Mapping):
        return node
    if "$ref" in node:
        return _inline(node, definitions, visiting, depth)
    resolved: dict[str, object] = dict(node)
    for keyword in _NESTED_SCHEMAS:
        if keyword in resolved:
            resolved[keyword] = _resolve(resolved[keyword], definitions, visiting, depth + 1)
    for keyword in _MAPS_OF_SCHEMAS:
        children = resolved.get(keyword)
        if isinstance(children, Mapping):
            resolved[keyword] = {
                name: _resolve(child, definitions, visiting, depth + 1) for name, child in children.items()
            }
    return resolved


def _inline(
    node: Mapping[str, object], definitions: Mapping[str, object] | None, visiting: tuple[str, ...], depth: int
) -> object:
    reference = node["$ref"]
    if not isinstance(reference, str):
        _fail(f"$ref must be a string, got {reference!r}")
    name = _definition_name(reference)
    if name in visiting:
        _fail("circular $ref: " + " → ".join([*visiting, name]))
    if definitions is None:
        _fail(f'$ref "{reference}" not found: no definitions available')
    if name not in definitions:
        _fail(f'$ref "{reference}" not found in definitions')
    definition = definitions[name]
    if not isinstance(definition, Mapping):
        _fail(f'$ref "{reference}" resolved to something that is no object')
    resolved = _resolve(definition, definitions, (*visiting, name), depth + 1)
    siblings = {key: value for key, value in node.items() if key != "$ref"}
    if not siblings:
        return resolved
    assert isinstance(resolved, dict)  # noqa: S101
    # The siblings may hold references of their own.
    return _resolve({**resolved, **siblings}, definitions, visiting, depth + 1)


def _definition_name(reference: str) -> str:
    if reference.startswith(("http://", "https://")):
        _fail(f'only local $ref supported, got "{reference}"')
    if not reference.startswith("#/"):
        _fail(f'only local $ref supported (must start with #/), got "{reference}"')
    keyword, _, name = reference[2:].partition("/")
    if keyword != "$defs" or "/" in name or "/" not in reference[2:]:
        _fail(f'unsupported $ref path "{reference}": expected #/$defs/Name')
    if not name:
        _fail(f'empty definition name in $ref "{reference}"')
    return name


def _fail(reason: str) -> NoReturn:
    raise ReferenceResolutionError(reason)
