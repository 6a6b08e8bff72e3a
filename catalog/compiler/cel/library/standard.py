"""The standard library, times excepted: operators (for the checker), sizes, conversions, tests of texts."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any, Final

import re2

from catalog.compiler.cel import operators
from catalog.compiler.cel.budget import work
from catalog.compiler.cel.errors import CelEvaluationError
from catalog.compiler.cel.functions import Registry
from catalog.compiler.cel.values import (
    INT_MAX,
    INT_MIN,
    OMIT,
    UINT_MAX,
    Duration,
    Timestamp,
    TypeValue,
    UInt,
    type_name,
)
from catalog.compiler.gotext import float_text

REGISTRY: Final = Registry()

_SAME_TYPES: Final = ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration")
_NUMBERS: Final = ("int", "uint", "double")
_INTEGER = re.compile(r"[+-]?[0-9]+")
_MANY_DIGITS: Final = 1000
_MUCH_MATCHING: Final = 50_000
_FLOAT = re.compile(r"[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|inf|infinity|nan)", re.IGNORECASE)
_HEX_FLOAT = re.compile(r"[+-]?0[xX](?:[0-9a-fA-F]+(?:\.[0-9a-fA-F]*)?|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+")


def _declare_operators() -> None:
    for signature in (
        "_?_:_(bool, A, A) -> A",
        "_&&_(bool, bool) -> bool",
        "_||_(bool, bool) -> bool",
        "!_(bool) -> bool",
        "_==_(A, A) -> bool",
        "_!=_(A, A) -> bool",
        "_+_(bytes, bytes) -> bytes",
        "_+_(double, double) -> double",
        "_+_(duration, duration) -> duration",
        "_+_(duration, timestamp) -> timestamp",
        "_+_(timestamp, duration) -> timestamp",
        "_+_(int, int) -> int",
        "_+_(list(A), list(A)) -> list(A)",
        "_+_(string, string) -> string",
        "_+_(uint, uint) -> uint",
        "_/_(double, double) -> double",
        "_/_(int, int) -> int",
        "_/_(uint, uint) -> uint",
        "_%_(int, int) -> int",
        "_%_(uint, uint) -> uint",
        "_*_(double, double) -> double",
        "_*_(int, int) -> int",
        "_*_(uint, uint) -> uint",
        "-_(double) -> double",
        "-_(int) -> int",
        "_-_(double, double) -> double",
        "_-_(duration, duration) -> duration",
        "_-_(int, int) -> int",
        "_-_(timestamp, duration) -> timestamp",
        "_-_(timestamp, timestamp) -> duration",
        "_-_(uint, uint) -> uint",
        "_[_](list(A), int) -> A",
        "_[_](map(A, B), A) -> B",
        "@in(A, list(A)) -> bool",
        "@in(A, map(A, B)) -> bool",
    ):
        REGISTRY.add(signature, None)
    for operator in ("_<_", "_<=_", "_>_", "_>=_"):
        for name in _SAME_TYPES:
            REGISTRY.add(f"{operator}({name}, {name}) -> bool", None)
        for left in _NUMBERS:
            for right in _NUMBERS:
                if left != right:  # the checker offers these inside loops only
                    REGISTRY.add(f"{operator}({left}, {right}) -> bool", None)


_declare_operators()


@REGISTRY.function(
    "size(bytes) -> int",
    "bytes|size() -> int",
    "size(list(A)) -> int",
    "list(A)|size() -> int",
    "size(map(A, B)) -> int",
    "map(A, B)|size() -> int",
    "size(string) -> int",
    "string|size() -> int",
    guarded=False,
)
def _size(value: Any) -> int:
    if isinstance(value, (str, bytes, list, dict)):
        return len(value)
    if isinstance(value, (Timestamp, Duration)):
        operators.no_such_overload()
    raise CelEvaluationError("no such overload: size")


@REGISTRY.function("type(A) -> type(A)")
def _type(value: Any) -> object:
    # The reference's omit sentinel is its own type.
    return OMIT if value is OMIT else TypeValue(type_name(value))


@REGISTRY.function("bool(bool) -> bool", "bytes(bytes) -> bytes", "double(double) -> double", "dyn(A) -> dyn")
@REGISTRY.function("int(int) -> int", "string(string) -> string", "uint(uint) -> uint")
def _identity(value: Any) -> Any:
    return value


def _cannot_convert(source: str, target: str) -> CelEvaluationError:
    return CelEvaluationError(f"type conversion error from '{source}' to '{target}'")


@REGISTRY.function("bool(string) -> bool")
def _bool_of_text(text: str) -> bool:
    if text in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if text in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise _cannot_convert("string", "bool")


@REGISTRY.function("bytes(string) -> bytes")
def _bytes_of_text(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@REGISTRY.function("double(int) -> double", "double(uint) -> double")
def _double_of_integer(value: int) -> float:
    return float(value)


@REGISTRY.function("double(string) -> double")
def _double_of_text(text: str) -> float:
    if _FLOAT.fullmatch(text):
        value = float(text)
        if not math.isinf(value) or "inf" in text.lower():
            return value
    elif _HEX_FLOAT.fullmatch(text):
        try:
            return float.fromhex(text)
        except OverflowError:
            pass
    raise _cannot_convert("string", "double")


@REGISTRY.function("int(double) -> int")
def _int_of_double(value: float) -> int:
    if not -(2.0**63) < value < 2.0**63:
        raise CelEvaluationError("integer overflow")
    return int(value)


@REGISTRY.function("int(duration) -> int")
def _int_of_duration(value: Duration) -> int:
    return value.nanoseconds


@REGISTRY.function("int(string) -> int")
def _int_of_text(text: str) -> int:
    if _is_short(text) and _INTEGER.fullmatch(text):
        value = int(text) if len(text) < _MANY_DIGITS else int(text[-20:]) * (-1 if text[0] == "-" else 1)
        if INT_MIN <= value <= INT_MAX:
            return value
    raise _cannot_convert("string", "int")


def _is_short(number: str) -> bool:
    """Tell whether a number has as few digits as 64 bits can have; Python refuses to read very long ones."""
    return len(number.lstrip("+-0")) <= 20


@REGISTRY.function("int(timestamp) -> int")
def _int_of_timestamp(value: Timestamp) -> int:
    return value.seconds


@REGISTRY.function("int(uint) -> int")
def _int_of_uint(value: UInt) -> int:
    if value > INT_MAX:
        raise CelEvaluationError("integer overflow")
    return int(value)


@REGISTRY.function("uint(double) -> uint")
def _uint_of_double(value: float) -> UInt:
    if not 0 <= value < 2.0**64:
        raise CelEvaluationError("unsigned integer overflow")
    return UInt(value)


@REGISTRY.function("uint(int) -> uint")
def _uint_of_int(value: int) -> UInt:
    if value < 0:
        raise CelEvaluationError("unsigned integer overflow")
    return UInt(value)


@REGISTRY.function("uint(string) -> uint")
def _uint_of_text(text: str) -> UInt:
    if _is_short(text) and text.isascii() and text.isdigit() and int(text[-20:]) <= UINT_MAX:
        return UInt(text[-20:])
    raise _cannot_convert("string", "uint")


@REGISTRY.function("string(bool) -> string")
def _text_of_bool(value: bool) -> str:
    return "true" if value else "false"


@REGISTRY.function("string(bytes) -> string")
def _text_of_bytes(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise CelEvaluationError("invalid UTF-8 in bytes, cannot convert to string") from None


@REGISTRY.function("string(double) -> string")
def _text_of_double(value: float) -> str:
    if -1e6 < value < 1e6 and value.is_integer() and value:
        return str(int(value))  # as ``float_text``, but faster, for what most numbers of documents are
    return float_text(value)


@REGISTRY.function("string(int) -> string", "string(uint) -> string")
def _text_of_integer(value: int) -> str:
    return str(int(value))


def _both_texts(text: Any, other: Any) -> None:
    if type(text) is not str or type(other) is not str:
        operators.no_such_overload()


@REGISTRY.function("string|contains(string) -> bool", guarded=False)
def _contains(text: Any, part: Any) -> bool:
    _both_texts(text, part)
    return part in text


@REGISTRY.function("string|endsWith(string) -> bool", guarded=False)
def _ends_with(text: Any, suffix: Any) -> bool:
    _both_texts(text, suffix)
    return bool(text.endswith(suffix))


@REGISTRY.function("string|startsWith(string) -> bool", guarded=False)
def _starts_with(text: Any, prefix: Any) -> bool:
    _both_texts(text, prefix)
    return bool(text.startswith(prefix))


@REGISTRY.function("matches(string, string) -> bool", "string|matches(string) -> bool", guarded=False)
def _matches(text: Any, pattern: Any) -> bool:
    if type(text) is not str:
        if isinstance(text, (Timestamp, Duration)):
            operators.no_such_overload()
        raise CelEvaluationError("no such overload: matches")
    _both_texts(text, pattern)
    compiled = _compiled(pattern)
    # At worst every character is held against every instruction of the pattern.
    effort = len(text) * compiled.programsize
    if effort > _MUCH_MATCHING:
        work(effort >> 7)
    return compiled.search(text) is not None


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        raise CelEvaluationError(f"error parsing regexp: {_reason(error)}") from None


# What the reference's engine says, for what ours says.
_REASONS: Final = {
    "no argument for repetition operator": "missing argument to repetition operator",
    "bad repetition operator": "invalid nested repetition operator",
    "invalid repetition size": "invalid repeat count",
    "invalid perl operator": "invalid or unsupported Perl syntax",
    "invalid named capture group": "invalid named capture",
    "missing )": "missing closing )",
    "missing ]": "missing closing ]",
}


def _reason(error: Exception) -> str:
    detail = error.args[0] if error.args else ""
    text = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
    reason, colon, part = text.partition(": ")
    reason = _REASONS.get(reason, reason)
    return f"{reason}: `{part}`" if colon else reason
