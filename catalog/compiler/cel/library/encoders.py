"""Base64 and JSON."""

from __future__ import annotations

import base64
import math
import re
from typing import Any, Final

from catalog.compiler.cel.errors import CelEvaluationError
from catalog.compiler.cel.functions import Registry
from catalog.compiler.cel.time_text import seconds_text, timestamp_text
from catalog.compiler.cel.values import Duration, NullValue, OptionalValue, Timestamp, TypeValue, key_value, type_name
from catalog.compiler.gotext import float_text, json_text

REGISTRY: Final = Registry()
_LARGEST_SAFE: Final = 2**53 - 1
_BASE64 = re.compile(r"[A-Za-z0-9+/]*")


@REGISTRY.function("base64.encode(bytes) -> string")
def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


@REGISTRY.function("base64.decode(string) -> bytes")
def _decode(text: str) -> bytes:
    """Decode the standard alphabet, padded or not; line ends are passed over."""
    compact = text.replace("\r", "").replace("\n", "")
    digits = compact.rstrip("=")
    padding = len(compact) - len(digits)
    valid = _BASE64.match(digits)
    assert valid is not None  # noqa: S101 - the pattern matches the empty text
    if valid.end() != len(digits):
        raise CelEvaluationError(f"illegal base64 data at input byte {_byte_of(text, valid.end())}")
    if len(digits) % 4 == 1:
        raise CelEvaluationError(f"illegal base64 data at input byte {_byte_of(text, len(digits) - 1)}")
    if padding and (len(compact) % 4 or padding > 2):
        raise CelEvaluationError(f"illegal base64 data at input byte {_byte_of(text, len(digits))}")
    return base64.b64decode(digits + "=" * (-len(digits) % 4))


def _byte_of(text: str, place: int) -> int:
    """Return the place in the given text of a place in it without line ends, in bytes."""
    for offset, character in enumerate(text):
        if character in "\r\n":
            continue
        if place == 0:
            return len(text[:offset].encode("utf-8", "surrogatepass"))
        place -= 1
    return len(text.encode("utf-8", "surrogatepass"))


@REGISTRY.function("json.encode(dyn) -> string")
def _json(value: Any) -> str:
    return json_text(_json_value(value))


def _json_value(value: Any) -> Any:
    kind = type(value)
    if value is None or kind is str or kind is bool:
        return value
    if kind is NullValue:
        return None
    if kind is float:
        return value if math.isfinite(value) else _non_finite(value)
    if isinstance(value, int):
        number = int(value)
        # Beyond the integers that a double holds exactly, JSON carries text.
        return float(number) if abs(number) <= _LARGEST_SAFE else str(number)
    if isinstance(value, list):
        return [_json_value(item) for item in value]
    if isinstance(value, dict):
        return {_json_key(key): _json_value(entry) for key, entry in value.items()}
    if kind is bytes:
        return base64.b64encode(value).decode("ascii")
    if kind is Duration:
        return seconds_text(value)
    if kind is Timestamp:
        return timestamp_text(value)
    if kind is OptionalValue:
        if not value.present:
            raise CelEvaluationError("optional.none() dereference")
        return _json_value(value.value)
    if kind is TypeValue:
        raise CelEvaluationError("type conversion not supported for 'type'")
    raise CelEvaluationError(f"no JSON form for {type_name(value)}")


def _json_key(key: Any) -> str:
    if type(key) is not str:
        raise CelEvaluationError(f"unsupported type conversion from '{type_name(key_value(key))}' to string")
    return key


def _non_finite(value: float) -> str:
    return float_text(value).replace("+", "").replace("Inf", "Infinity")
