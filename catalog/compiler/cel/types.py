"""The types that the checker reasons with. A value type: immutable, compared by content.

``DYN`` stands for a value whose type is known only at run time. A type parameter (``A`` of a signature, or one that
the checker made for an empty list) stands for a type still to be found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Type:
    """``kind`` is one of bool, bytes, double, dyn, error, int, list, map, null_type, object, opaque, parameter,
    string, type, uint, duration, timestamp. ``name`` matters for objects, opaque types and parameters."""

    kind: str
    name: str = ""
    parameters: tuple[Type, ...] = ()
    # Of an object: its fields. Not compared: a name stands for one set of fields.
    fields: Mapping[str, Type] | None = field(default=None, compare=False, hash=False, repr=False)

    def __str__(self) -> str:
        return format_type(self)


BOOL: Final = Type("bool")
BYTES: Final = Type("bytes")
DOUBLE: Final = Type("double")
DURATION: Final = Type("duration")
DYN: Final = Type("dyn")
ERROR: Final = Type("error")
INT: Final = Type("int")
NULL: Final = Type("null_type")
STRING: Final = Type("string")
TIMESTAMP: Final = Type("timestamp")
TYPE: Final = Type("type")
UINT: Final = Type("uint")

# Field by name: what a type is called in the source and in messages.
BY_NAME: Final[Mapping[str, Type]] = {
    "bool": BOOL,
    "bytes": BYTES,
    "double": DOUBLE,
    "dyn": DYN,
    "int": INT,
    "null_type": NULL,
    "string": STRING,
    "type": TYPE,
    "uint": UINT,
    "google.protobuf.Duration": DURATION,
    "google.protobuf.Timestamp": TIMESTAMP,
}
_MESSAGE_NAMES: Final = {
    "null_type": "null",
    "error": "!error!",
}
_RUNTIME_NAMES: Final = {
    "duration": "google.protobuf.Duration",
    "timestamp": "google.protobuf.Timestamp",
}
OPTIONAL_NAME: Final = "optional_type"


def list_of(item: Type) -> Type:
    """Return the type of lists of ``item``."""
    return Type("list", "list", (item,))


def map_of(key: Type, value: Type) -> Type:
    """Return the type of maps from ``key`` to ``value``."""
    return Type("map", "map", (key, value))


def optional_of(value: Type) -> Type:
    """Return the type of optionals of ``value``."""
    return Type("opaque", OPTIONAL_NAME, (value,))


def type_of(instance: Type) -> Type:
    """Return the type of the type value ``instance``."""
    return Type("type", "type", (instance,))


def parameter(name: str) -> Type:
    """Return the type parameter of that name."""
    return Type("parameter", name)


def object_of(name: str, fields: Mapping[str, Type]) -> Type:
    """Return an object type: only ``fields`` can be selected, and it is no map."""
    return Type("object", name, (), fields)


def fingerprint(declared: Type) -> str:
    """Return a text that two types share only when they are the same, the fields of objects included."""
    inner = ",".join(map(fingerprint, declared.parameters))
    fields = ",".join(
        f"{name}:{fingerprint(field_type)}" for name, field_type in sorted((declared.fields or {}).items())
    )
    return f"{declared.kind} {declared.name}({inner}){{{fields}}}"


def is_optional(candidate: Type) -> bool:
    """Tell whether the type is that of an optional."""
    return candidate.kind == "opaque" and candidate.name == OPTIONAL_NAME


def format_type(shown: Type) -> str:
    """Write a type as messages do: ``list(int)``, ``map(string, dyn)``, ``optional_type(dyn)``."""
    if shown.kind == "type" and not shown.parameters:
        return "type"
    if shown.parameters:
        return f"{shown.name}({', '.join(map(format_type, shown.parameters))})"
    return _MESSAGE_NAMES.get(shown.kind) or shown.name or shown.kind


def runtime_name(shown: Type) -> str:
    """Return the name that values of the type carry at run time: ``list``, ``google.protobuf.Duration``."""
    return _RUNTIME_NAMES.get(shown.kind) or shown.name or shown.kind


def format_signature(arguments: list[Type], is_member: bool) -> str:
    """Write argument types as messages do: ``(int, string)``, or ``list(int).(string)`` for a member call."""
    if is_member:
        receiver, *rest = arguments
        return f"{format_type(receiver)}.({', '.join(map(format_type, rest))})"
    return f"({', '.join(map(format_type, arguments))})"
