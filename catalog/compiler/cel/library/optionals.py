"""Optionals: made, tested, unwrapped. ``or`` and ``orValue`` are the evaluator's own, for they may skip an operand."""

from __future__ import annotations

from typing import Any, Final

from catalog.compiler.cel.errors import CelEvaluationError
from catalog.compiler.cel.functions import Registry
from catalog.compiler.cel.values import NONE, CelList, Duration, OptionalValue, Timestamp, type_name

REGISTRY: Final = Registry()

for _signature in (
    "optional(V)|or(optional(V)) -> optional(V)",
    "optional(V)|orValue(V) -> V",
    "_?._(dyn, string) -> optional(V)",
    "_[?_](list(V), int) -> optional(V)",
    "_[?_](optional(list(V)), int) -> optional(V)",
    "_[?_](map(K, V), K) -> optional(V)",
    "_[?_](optional(map(K, V)), K) -> optional(V)",
    "_[_](optional(list(V)), int) -> optional(V)",
    "_[_](optional(map(K, V)), K) -> optional(V)",
):
    REGISTRY.add(_signature, None)


@REGISTRY.function("optional.of(V) -> optional(V)")
def optional_of(value: Any) -> OptionalValue:
    """Wrap a value."""
    return OptionalValue(value)


@REGISTRY.function("optional.ofNonZeroValue(V) -> optional(V)")
def _of_non_zero(value: Any) -> OptionalValue:
    return NONE if is_zero(value) else OptionalValue(value)


def is_zero(value: Any) -> bool:
    """Tell whether a value is the empty one of its type."""
    if value is None or value is False:
        return True
    if isinstance(value, Duration):
        return value.nanoseconds == 0
    if isinstance(value, Timestamp):
        return value == Timestamp(-62135596800, 0)  # the zero of Go's clock: the first second of year 1
    if isinstance(value, OptionalValue):
        return False
    if isinstance(value, (str, bytes, list, dict)):
        return not value
    return isinstance(value, (int, float)) and value == 0


@REGISTRY.function("optional.none() -> optional(V)")
def _none() -> OptionalValue:
    return NONE


@REGISTRY.function("optional(V)|value() -> V")
def value_of(optional: OptionalValue) -> Any:
    """Unwrap an optional, or raise."""
    if not optional.present:
        raise CelEvaluationError("optional.none() dereference")
    return optional.value


@REGISTRY.function("optional(V)|hasValue() -> bool")
def _has_value(optional: OptionalValue) -> bool:
    return optional.present


@REGISTRY.function("list(V)|last() -> optional(V)")
def _last(items: list[Any]) -> OptionalValue:
    return OptionalValue(items[-1]) if items else NONE


@REGISTRY.function("list(V)|first() -> optional(V)")
def _first(items: list[Any]) -> OptionalValue:
    return OptionalValue(items[0]) if items else NONE


@REGISTRY.function("optional.unwrap(list(optional(V))) -> list(V)", "list(optional(V))|unwrapOpt() -> list(V)")
def _unwrap(items: list[Any]) -> CelList:
    for item in items:
        if type(item) is not OptionalValue:
            raise CelEvaluationError(f"value of type {type_name(item)} is not optional")
    return CelList(item.value for item in items if item.present)
