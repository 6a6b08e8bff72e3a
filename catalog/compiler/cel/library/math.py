"""The functions of ``math``. ``least`` and ``greatest`` come from macros as ``math.@min`` and ``math.@max``."""

from __future__ import annotations

import math
from typing import Any, Final

from catalog.compiler.cel.errors import CelEvaluationError
from catalog.compiler.cel.functions import Registry
from catalog.compiler.cel.operators import compare
from catalog.compiler.cel.values import INT_MIN, UINT_MAX, UInt

REGISTRY: Final = Registry()
_NUMBERS: Final = ("double", "int", "uint")


def _declare_extremes(name: str, sign: int) -> None:
    """``sign`` is 1 for the least: what to keep when the first operand compares that way."""

    def identity(value: Any) -> Any:
        return value

    def of_pair(first: Any, second: Any) -> Any:
        order = compare(first, second, name)
        if order is None:
            raise CelEvaluationError(f"NaN values cannot be ordered: {name}")
        return second if order == sign else first

    def of_list(items: list[Any]) -> Any:
        if not items:
            raise CelEvaluationError(f"{name}(list) argument must not be empty")
        extreme = items[0]
        for item in items[1:]:
            try:
                extreme = of_pair(extreme, item)
            except CelEvaluationError as error:
                reason = str(error)
                raise CelEvaluationError(reason if name in reason else f"{reason}: {name}") from None
        if type(extreme) not in (int, float, UInt):
            raise CelEvaluationError(f"no such overload: {name}")
        return extreme

    for number in _NUMBERS:
        REGISTRY.add(f"{name}({number}) -> {number}", identity)
    for first in _NUMBERS:
        for second in _NUMBERS:
            REGISTRY.add(f"{name}({first}, {second}) -> {first if first == second else 'dyn'}", of_pair)
    for number in _NUMBERS:
        REGISTRY.add(f"{name}(list({number})) -> {number}", of_list)


_declare_extremes("math.@min", 1)
_declare_extremes("math.@max", -1)


def _whole(value: float, rounded: Any) -> float:
    """Round a double that is not whole already; the sign of a zero stays."""
    if not math.isfinite(value):
        return value
    return math.copysign(float(rounded(value)), value) if abs(value) < 1 else float(rounded(value))


@REGISTRY.function("math.ceil(double) -> double")
def _ceil(value: float) -> float:
    return float(math.ceil(value)) if value > 0 and math.isfinite(value) else _whole(value, math.ceil)


@REGISTRY.function("math.floor(double) -> double")
def _floor(value: float) -> float:
    return float(math.floor(value)) if math.isfinite(value) and value != 0 else value


@REGISTRY.function("math.round(double) -> double")
def _round(value: float) -> float:
    """Round to the nearest whole number, halves away from zero."""
    if not math.isfinite(value) or value.is_integer():
        return value
    whole = math.floor(abs(value))
    nearest = whole + (abs(value) - whole >= 0.5)
    return math.copysign(float(nearest), value)


@REGISTRY.function("math.trunc(double) -> double")
def _trunc(value: float) -> float:
    return _whole(value, math.trunc)


@REGISTRY.function("math.isInf(double) -> bool")
def _is_inf(value: float) -> bool:
    return math.isinf(value)


@REGISTRY.function("math.isNaN(double) -> bool")
def _is_nan(value: float) -> bool:
    return math.isnan(value)


@REGISTRY.function("math.isFinite(double) -> bool")
def _is_finite(value: float) -> bool:
    return math.isfinite(value)


@REGISTRY.function("math.abs(double) -> double", "math.abs(int) -> int", "math.abs(uint) -> uint")
def _abs(value: Any) -> Any:
    if type(value) is UInt:
        return value
    if type(value) is int and value == INT_MIN:
        raise CelEvaluationError("integer overflow")
    return abs(value)


@REGISTRY.function("math.sign(double) -> double", "math.sign(int) -> int", "math.sign(uint) -> uint")
def _sign(value: Any) -> Any:
    if value != value:
        return value
    sign = int(value > 0) - int(value < 0)
    return type(value)(sign)


@REGISTRY.function("math.sqrt(double) -> double", "math.sqrt(int) -> double", "math.sqrt(uint) -> double")
def _sqrt(value: Any) -> float:
    number = float(value)
    return math.nan if number < 0 else math.sqrt(number)


def _declare_bits() -> None:
    for name, combine in (
        ("bitAnd", lambda left, right: left & right),
        ("bitOr", lambda left, right: left | right),
        ("bitXor", lambda left, right: left ^ right),
    ):

        def of_uints(left: UInt, right: UInt, combine: Any = combine) -> UInt:
            return UInt(combine(int(left), int(right)))

        REGISTRY.add(f"math.{name}(int, int) -> int", combine)
        REGISTRY.add(f"math.{name}(uint, uint) -> uint", of_uints)


_declare_bits()


@REGISTRY.function("math.bitNot(int) -> int")
def _not_int(value: int) -> int:
    return ~value


@REGISTRY.function("math.bitNot(uint) -> uint")
def _not_uint(value: UInt) -> UInt:
    return UInt(int(value) ^ UINT_MAX)


def _offset(bits: int, name: str) -> int:
    if bits < 0:
        raise CelEvaluationError(f"math.{name}() negative offset: {bits}")
    return min(bits, 64)


def _signed(bits: int) -> int:
    bits &= UINT_MAX
    return bits - (UINT_MAX + 1) if bits >> 63 else bits


@REGISTRY.function("math.bitShiftLeft(int, int) -> int")
def _left_int(value: int, bits: int) -> int:
    return _signed(value << _offset(bits, "bitShiftLeft"))


@REGISTRY.function("math.bitShiftLeft(uint, int) -> uint")
def _left_uint(value: UInt, bits: int) -> UInt:
    return UInt((int(value) << _offset(bits, "bitShiftLeft")) & UINT_MAX)


@REGISTRY.function("math.bitShiftRight(int, int) -> int")
def _right_int(value: int, bits: int) -> int:
    """Shift without regard to the sign: zeros come in from the left."""
    return _signed((value & UINT_MAX) >> _offset(bits, "bitShiftRight"))


@REGISTRY.function("math.bitShiftRight(uint, int) -> uint")
def _right_uint(value: UInt, bits: int) -> UInt:
    return UInt(int(value) >> _offset(bits, "bitShiftRight"))
