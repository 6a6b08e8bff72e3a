"""Types of variables from the schemas of their values, for checks before anything is rendered.

As Kubernetes declares them to its own expressions: an object with ``properties`` is no map but has these fields only;
``additionalProperties`` make a map; integers are ``int`` here although every number of a document is a double at run
time. A part without a usable type is no field at all. Called by the admission of types and traits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from catalog.compiler.cel import types
from catalog.compiler.cel.parser import RESERVED
from catalog.compiler.cel.types import Type

_SCALARS: Final = {"boolean": types.BOOL, "integer": types.INT, "number": types.DOUBLE, "string": types.STRING}
_FORMATS: Final = {
    "byte": types.BYTES,
    "date": types.TIMESTAMP,
    "date-time": types.TIMESTAMP,
    "duration": types.DURATION,
}
_RESERVED: Final = RESERVED | {"true", "false", "null", "in"}
_REACHABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_ESCAPES: Final = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))


def schema_type(schema: Mapping[str, Any] | None, name: str, *, composed: bool = True) -> Type | None:
    """Return the type of values of a schema (without ``$ref``), or ``None`` when it declares none.

    ``name`` names an object type; the objects inside of it are named by their paths. ``composed`` says whether a
    schema without a type but with ``oneOf``, ``anyOf`` or ``allOf`` stands for any value, or declares none.
    """
    if schema is None:
        return None
    kind = schema.get("type") or ""
    if schema.get("x-kubernetes-int-or-string") or (composed and not kind and _is_composed(schema)):
        return types.DYN
    if kind == "array":
        item = schema_type(schema.get("items"), f"{name}.@idx", composed=composed)
        return None if item is None else types.list_of(item)
    if kind == "object":
        return _object_type(schema, name, composed)
    if kind == "string":
        return _FORMATS.get(schema.get("format") or "", types.STRING)
    return _SCALARS.get(kind)


def field_name(property_name: str) -> str | None:
    """Return how an expression spells a property: reserved words and signs escaped; ``None`` when it cannot."""
    if property_name in _RESERVED:
        return f"__{property_name}__"
    if not _REACHABLE.fullmatch(property_name):
        return None
    spelled = property_name
    for sign, escaped in _ESCAPES:
        spelled = spelled.replace(sign, escaped)
    return spelled


def _object_type(schema: Mapping[str, Any], name: str, composed: bool) -> Type | None:
    additional = schema.get("additionalProperties")
    if isinstance(additional, Mapping):
        value = schema_type(additional, f"{name}.@elem", composed=composed)
        return None if value is None else types.map_of(types.STRING, value)
    fields: dict[str, Type] = {}
    for property_name, property_schema in (schema.get("properties") or {}).items():
        declared = schema_type(property_schema, f"{name}.{property_name}", composed=composed)
        spelled = field_name(property_name)
        if declared is not None and spelled is not None:
            fields[spelled] = declared
    return types.object_of(name, fields)


def _is_composed(schema: Mapping[str, Any]) -> bool:
    return any(schema.get(word) for word in ("oneOf", "anyOf", "allOf"))
