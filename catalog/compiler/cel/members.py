"""Members of maps and lists: found, missing, or asked for by something that selects nothing.

Called by the evaluator, the operators and generated code.
"""

from __future__ import annotations

from typing import Any, Final

from catalog.compiler.cel.errors import CelEvaluationError
from catalog.compiler.cel.values import BoxedKey, CelMap, OptionalValue, TypeValue, UInt, type_name
from catalog.compiler.gotext import float_text

_KEYS: Final = (str, int, float, UInt, bool)
# What messages call the types of values.
GO_TYPES: Final = {
    "bool": "types.Bool",
    "bytes": "types.Bytes",
    "double": "types.Double",
    "google.protobuf.Duration": "types.Duration",
    "google.protobuf.Timestamp": "types.Timestamp",
    "int": "types.Int",
    "list": "*types.baseList",
    "map": "*types.baseMap",
    "null_type": "types.Null",
    "omit": "*template.omitCELValue",
    "optional_type": "*types.Optional",
    "string": "types.String",
    "type": "*types.Type",
    "uint": "types.Uint",
}


def find_key(container: dict[Any, Any], key: Any) -> object | None:
    """Return the key of ``container`` that CEL holds equal to ``key``, in its stored form, or ``None``.

    Whole doubles and the two integer types find each other, except that no integer finds a double.
    """
    kind = type(key)
    if kind is str:
        return key if key in container else None
    if type(container) is not CelMap:
        return None  # maps of the context have texts for keys
    for candidate in _stored_forms(kind, key):
        if candidate in container:
            return candidate
    return None


def _stored_forms(kind: type, key: Any) -> tuple[BoxedKey, ...]:
    if kind is bool:
        return (BoxedKey("bool", key),)
    if kind is float:
        exact = BoxedKey("double", key)
        if not key.is_integer():
            return (exact,)
        return (exact, BoxedKey("int", int(key)), BoxedKey("uint", int(key)))
    if kind is int:
        return (BoxedKey("int", key), BoxedKey("uint", key))
    if kind is UInt:
        return (BoxedKey("uint", int(key)), BoxedKey("int", int(key)))
    return (BoxedKey("null_type", None),) if key is None else ()


def index(container: Any, key: Any) -> Any:
    """``container[key]`` and ``container.key``."""
    _check_key(key)
    if isinstance(container, dict):
        found = find_key(container, key)
        if found is None:
            raise CelEvaluationError(f"no such key: {key_display(key)}")
        return container[found]
    if isinstance(container, list):
        place = list_place(key)
        if not 0 <= place < len(container):
            raise CelEvaluationError(f"index out of bounds: {key_display(key)}")
        return container[place]
    raise CelEvaluationError(f"no such key: {key_display(key)}")


def index_if_present(container: Any, key: Any) -> OptionalValue | None:
    """Return the member as an optional, or ``None`` when it is not there; never "no such key"."""
    _check_key(key)
    if isinstance(container, dict):
        found = find_key(container, key)
        return None if found is None else OptionalValue(container[found])
    if isinstance(container, list):
        place = list_place(key)
        return OptionalValue(container[place]) if 0 <= place < len(container) else None
    return None


def _check_key(key: Any) -> None:
    if type(key) not in _KEYS:
        raise CelEvaluationError(invalid_key(key))


def is_key(value: Any) -> bool:
    """Tell whether a value is of a type that can select a member."""
    return type(value) in _KEYS


def invalid_key(key: Any) -> str:
    """Say that a value selects no member."""
    return f"invalid qualifier type: {GO_TYPES[type_name(key)]}"


def list_place(key: Any) -> int:
    """Return the place in a list that ``key`` means. Raises for anything but a whole number."""
    kind = type(key)
    if kind is int or kind is UInt:
        return int(key)
    if kind is float:
        if key.is_integer():
            return int(key)
        raise CelEvaluationError(f"unsupported index value {key_display(key)} in list")
    raise CelEvaluationError(f"unsupported index type '{type_name(key)}' in list")


def key_display(key: Any) -> str:
    """Print a key as messages do."""
    if type(key) is bool:
        return "true" if key else "false"
    if type(key) is float:
        return float_text(key)
    if isinstance(key, int):
        return str(int(key))
    if isinstance(key, str):
        return key
    return str(key.name if isinstance(key, TypeValue) else key)
