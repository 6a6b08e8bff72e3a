"""The vocabulary in which the kinds write their spec schemas, and equality as such a schema defines it.

Each function returns a fragment of an OpenAPI v3 structural schema, as Kubernetes' CustomResourceDefinitions use
them. `catalog.compiler.schema` prunes, defaults and validates by the result; nothing here looks at documents except
`same_value`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Schema = dict[str, Any]

PRESERVE = "x-kubernetes-preserve-unknown-fields"
LIST_TYPE = "x-kubernetes-list-type"
LIST_KEYS = "x-kubernetes-list-map-keys"


def obj(properties: Mapping[str, Schema] | None = None, *, default: Any = None, keep_unknown: bool = False) -> Schema:
    """An object of named fields. A name that ends in `!` is required. Unknown fields are pruned unless kept."""
    schema: Schema = {"type": "object", "properties": {}}
    required = []
    for name, field in (properties or {}).items():
        if name.endswith("!"):
            required.append(name[:-1])
        schema["properties"][name.removesuffix("!")] = field
    if required:
        schema["required"] = required
    if default is not None:
        schema["default"] = default
    if keep_unknown:
        schema[PRESERVE] = True
    return schema


def map_of(values: Schema, *, max_properties: int | None = None) -> Schema:
    """An object with free keys and values of one shape."""
    return _without_none({"type": "object", "additionalProperties": values, "maxProperties": max_properties})


def raw() -> Schema:
    """Any JSON value, kept as it is."""
    return {PRESERVE: True}


def raw_object() -> Schema:
    """Any JSON object, kept as it is."""
    return {"type": "object", PRESERVE: True}


def array(
    items: Schema,
    *,
    min_items: int | None = None,
    max_items: int | None = None,
    unique: bool = False,
    keyed_by: str = "",
) -> Schema:
    """A list. `unique` makes it a set; `keyed_by` names the field by which its entries must differ (a list map)."""
    schema = _without_none({"type": "array", "items": items, "minItems": min_items, "maxItems": max_items})
    if unique:
        schema[LIST_TYPE] = "set"
    if keyed_by:
        schema[LIST_TYPE] = "map"
        schema[LIST_KEYS] = [keyed_by]
    return schema


def string(
    *,
    pattern: str | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    format: str | None = None,
    default: str | None = None,
) -> Schema:
    """Text; lengths count characters, `pattern` is an RE2 expression that must occur in it."""
    return _without_none(
        {
            "type": "string",
            "pattern": pattern,
            "minLength": min_length,
            "maxLength": max_length,
            "format": format,
            "default": default,
        }
    )


def enum(*values: str, default: str | None = None) -> Schema:
    """One of these words."""
    return _without_none({"type": "string", "enum": list(values), "default": default})


def integer(*, minimum: int | None = None, maximum: int | None = None, format: str = "int32") -> Schema:
    """A whole number of 32 bits, or of 64 with `format="int64"`."""
    return _without_none({"type": "integer", "format": format, "minimum": minimum, "maximum": maximum})


def boolean(*, default: bool | None = None) -> Schema:
    """True or false."""
    return _without_none({"type": "boolean", "default": default})


def _without_none(schema: Schema) -> Schema:
    return {keyword: value for keyword, value in schema.items() if value is not None}


def same_value(schema: Mapping[str, Any], left: Any, right: Any) -> bool:
    """Whether two values are equal in the sense of Kubernetes' `self == oldSelf`.

    Lists declared as sets or maps compare without regard to order; what the schema does not describe compares as
    exact JSON (1, 1.0 and true all differ).
    """
    if "properties" in schema or "additionalProperties" in schema:
        return _same_object(schema, left, right)
    if schema.get("type") == "array":
        return _same_list(schema, left, right)
    if schema.get("type") in ("string", "boolean", "integer", "number"):
        return bool(left == right)
    return _same_json(left, right)


def _same_object(schema: Mapping[str, Any], left: Mapping[str, Any], right: Mapping[str, Any]) -> bool:
    if left.keys() != right.keys():
        return False
    fields, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    return all(same_value(fields.get(name, others), value, right[name]) for name, value in left.items())


def _same_list(schema: Mapping[str, Any], left: Sequence[Any], right: Sequence[Any]) -> bool:
    if len(left) != len(right):
        return False
    items = schema["items"]
    if schema.get(LIST_TYPE) == "set":
        return all(any(same_value(items, one, other) for other in right) for one in left)
    if schema.get(LIST_TYPE) == "map":
        keys = schema[LIST_KEYS]
        by_key = {tuple(item.get(key) for key in keys): item for item in right}
        pairs = [(item, by_key.get(tuple(item.get(key) for key in keys))) for item in left]
        return all(other is not None and same_value(items, one, other) for one, other in pairs)
    return all(same_value(items, one, other) for one, other in zip(left, right, strict=True))


def _same_json(left: Any, right: Any) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_same_json(value, right[key]) for key, value in left.items())
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_same_json, left, right))
    return bool(left == right)
