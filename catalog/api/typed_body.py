"""Request bodies as the reference's typed client reads them.

Upstream decodes a body into Go structs and sends those on. Three things of that are visible to clients: a value of the
wrong JSON type is refused before anything else, in plain text; required fields that were left out arrive as zero
values ("" and {}), so that the errors speak of an empty name, not of a missing one; and optional empty lists vanish.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.wire.responses import Unreadable

_GO_TYPES = {
    "boolean": "bool",
    "integer": "int",
    "number": "float64",
    "string": "string",
    "array": "[]",
    "object": "map",
}


def text_map(metadata: Mapping[str, Any], field: str) -> dict[str, str]:
    """Labels or annotations of a body, absent and null meaning none. Raises `Unreadable`."""
    value = metadata.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise wrong_type(value, f"metadata.{field}", "map[string]string")
    for key, item in value.items():
        if not isinstance(item, str):
            raise wrong_type(item, f"metadata.{field}.{key}", "string")
    return value


def typed(schema: Mapping[str, Any], value: Any, path: str) -> Any:
    """Check JSON types against a structural schema and make the value what Go would send, in place.

    Returns the value (a new one only for null). Fields without a type are free. Raises `Unreadable`.
    """
    wanted = schema.get("type")
    if value is None or wanted is None or schema.get("x-kubernetes-int-or-string"):
        return value
    if json_type(value, wanted) != wanted:
        raise wrong_type(value, path, _GO_TYPES[wanted])
    if wanted == "object":
        properties: Mapping[str, Any] = schema.get("properties") or {}
        for name in schema.get("required") or ():
            if value.get(name) is None and name in properties:
                zero = zero_value(properties[name])
                if zero is not None:
                    value[name] = zero
        others = schema.get("additionalProperties")
        for name, item in list(value.items()):
            if name in properties and item == [] and name not in (schema.get("required") or ()):
                del value[name]
            elif name in properties:
                value[name] = typed(properties[name], item, f"{path}.{name}")
            elif isinstance(others, dict):
                value[name] = typed(others, item, f"{path}.{name}")
    elif wanted == "array" and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            value[index] = typed(schema["items"], item, f"{path}[{index}]")
    return value


def zero_value(schema: Mapping[str, Any]) -> Any:
    """What Go sends for a required field that was not given; None for lists and free values, which stay absent."""
    if schema.get("type") == "string":
        return ""
    if schema.get("type") == "object" and "properties" in schema:
        return {}
    return None


def json_type(value: Any, wanted: str) -> str:
    """The JSON type of a value; a whole number counts as either sort of number."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return wanted if wanted in ("integer", "number") else "number"
    if isinstance(value, float):
        return wanted if wanted == "integer" and value.is_integer() else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def wrong_type(value: Any, path: str, wanted: str) -> Unreadable:
    """The refusal of a value of the wrong JSON type."""
    found = {"boolean": "bool"}.get(json_type(value, ""), json_type(value, ""))
    return Unreadable(f"can't decode JSON body: json: cannot unmarshal {found} into field {path} of type {wanted}")
