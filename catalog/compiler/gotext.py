"""How Go writes values as text.

The contract's names, hashes, patch filters and stringified values were first computed by a Go program, so its number
and JSON forms are part of the contract. Three forms are needed: ``%g`` floats (text of an expression, hash input),
``%v`` of a value (patch filters, messages), and ``encoding/json`` (stored raw parameters, stringified containers).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from decimal import Decimal
from json.encoder import encode_basestring

_SINGLE_PRECISION_DIGITS = 9  # enough decimal digits to tell any two float32 apart
_JSON_SMALLEST, _JSON_LARGEST = 1e-6, 1e21
_HTML_ESCAPES = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def float_text(value: float, bits: int = 64) -> str:
    """Write a float as ``%g`` does: shortest digits, exponent form below 1e-4 and from 1e6 (``1e+06``)."""
    if bits == 32:
        value = _to_single_precision(value)
    if value.is_integer() and 0 < abs(value) < 1e6:
        return str(int(value))  # nearly always
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    sign, digits, exponent = _shortest_digits(value, bits)
    if -4 <= exponent < 6:
        return sign + _plain(digits, exponent)
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{sign}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def value_text(value: object) -> str:
    """Write a plain value as ``%v`` does: ``<nil>``, ``true``, ``1e+06``, ``[a b]``, ``map[k:v]`` (keys sorted)."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{key}:{value_text(item)}" for key, item in sorted(value.items())) + "]"
    if isinstance(value, bytes):
        return "[" + " ".join(map(str, value)) + "]"
    if isinstance(value, Sequence):
        return "[" + " ".join(map(value_text, value)) + "]"
    return str(value)


def json_text(value: object) -> str:
    """Write a plain value as ``encoding/json`` does: compact, sorted keys, ``<``, ``>``, ``&`` escaped for HTML.

    Raises ``ValueError`` for a float that JSON cannot hold, ``TypeError`` for a value that is not plain.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _json_string(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return json_float(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_json_string(key)}:{json_text(item)}" for key, item in sorted(value.items())) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(json_text, value)) + "]"
    raise TypeError(f"no JSON form for {type(value).__name__}")


def json_float(value: float) -> str:
    """Write a float as ``encoding/json`` does: integral ones without a point, exponent below 1e-6 and from 1e21."""
    if not math.isfinite(value):
        raise ValueError(f"no JSON form for the number {float_text(value)}")
    sign, digits, exponent = _shortest_digits(value, 64)
    if value == 0 or _JSON_SMALLEST <= abs(value) < _JSON_LARGEST:
        return sign + _plain(digits, exponent)
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{sign}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent)}"


def _json_string(text: str) -> str:
    # Python escapes what JSON must escape; Go in addition what could end a script element.
    return encode_basestring(text).translate(_HTML_ESCAPES)


def _shortest_digits(value: float, bits: int) -> tuple[str, str, int]:
    """Return sign, digits without zeros at the end, and the decimal exponent of the first digit."""
    text = repr(value) if bits == 64 else _shortest_single_precision(value)
    sign, digits, exponent = Decimal(text).as_tuple()
    all_digits = "".join(map(str, digits))
    point = len(all_digits) + int(exponent)
    stripped = all_digits.lstrip("0")
    point -= len(all_digits) - len(stripped)
    shortest = stripped.rstrip("0")
    if not shortest:
        return ("-" if sign else "", "0", 0)
    return ("-" if sign else "", shortest, point - 1)


def _to_single_precision(value: float) -> float:
    try:
        single: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)
    return single


def _shortest_single_precision(single: float) -> str:
    for precision in range(1, _SINGLE_PRECISION_DIGITS):
        text = f"{single:.{precision}g}"
        if _to_single_precision(float(text)) == single:
            return text
    return f"{single:.{_SINGLE_PRECISION_DIGITS}g}"


def _plain(digits: str, exponent: int) -> str:
    if exponent < 0:
        return "0." + "0" * (-exponent - 1) + digits
    if len(digits) <= exponent + 1:
        return digits + "0" * (exponent + 1 - len(digits))
    return digits[: exponent + 1] + "." + digits[exponent + 1 :]
