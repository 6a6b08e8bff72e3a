"""What a YAML scalar means.

The contract reads YAML 1.1 by the rules of go-yaml v2 and then turns it into JSON (``sigs.k8s.io/yaml``). These rules
differ from those of PyYAML: ``y`` and ``n`` are booleans, dates and ``12:30`` are text, ``0o17`` is 15, ``1e3`` is a
number, map keys become text. This module holds them as pure functions on one scalar; catalog.compiler.yaml applies
them to documents, and the dumper asks them what must be quoted.
"""

from __future__ import annotations

import base64
import binascii
import math
import re

from catalog.compiler.gotext import float_text, json_float

TAG_PREFIX = "tag:yaml.org,2002:"

_WORDS: dict[str, object] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_MAY_BE_NUMBER = frozenset("+-.0123456789")
_INTEGER = re.compile(
    r"(?P<sign>[+-]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)|(?P<dec>0|[1-9][0-9]*))"
)
_SIGNED_BINARY = re.compile(r"0b(?P<digits>[+-][01]+)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_POINT_FLOAT = re.compile(r"\.[0-9](?:_?[0-9])*(?:[eE][-+]?[0-9](?:_?[0-9])*)?")
_INT64 = range(-(2**63), 2**63)
_UINT64_END = 2**64
_RESOLVED_TAGS = {"bool": "bool", "int": "int", "float": "float", "null": "null", "timestamp": "timestamp"}


class ScalarError(ValueError):
    """A scalar has no meaning; the text says why."""


def resolve_plain(text: str) -> object:
    """Return what an unquoted scalar without a tag means: None, bool, int, float or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _MAY_BE_NUMBER:
        return text
    if text[0] == ".":
        return _finite_or_text(text.replace("_", ""), text) if _POINT_FLOAT.fullmatch(text) else text
    plain = text.replace("_", "")
    integer = _integer(plain)
    if integer is not None:
        return integer
    if _FLOAT.fullmatch(plain):
        return _finite_or_text(plain, text)
    if signed := _SIGNED_BINARY.fullmatch(plain):
        return int(signed["digits"], 2)
    return text


def resolve_tagged(text: str, tag: str) -> object:
    """Return what a scalar with an explicit ``tag`` means; unknown tags leave the text. Raises ``ScalarError``."""
    name = tag.removeprefix(TAG_PREFIX) if tag.startswith(TAG_PREFIX) else ""
    if name == "binary":
        try:
            return base64.b64decode(text.replace("\n", ""), validate=True).decode("utf-8", "replace")
        except binascii.Error:
            raise ScalarError("!!binary value contains invalid base64 data") from None
    if name not in _RESOLVED_TAGS:
        return text
    if name == "timestamp":
        return text
    value = resolve_plain(text)
    found = _tag_of(value)
    if found == "int" and name == "float":
        return float(value)  # type: ignore[arg-type]
    if found != name:
        raise ScalarError(f"cannot decode !!{found} `{text}` as a !!{name}")
    return value


def as_json(value: object) -> object:
    """Return a resolved scalar as JSON carries it: an integral float that fits an int64 arrives as an integer.

    Raises ``ScalarError`` for infinite numbers and not-a-number.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ScalarError(f"unsupported value: {float_text(value)}")
        if value.is_integer() and abs(value) < 2**63:
            return int(json_float(value))
    return value


def key_text(value: object) -> str:
    """Return a resolved scalar as the key of a JSON object. Raises ``ScalarError`` where there is no such form."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value in _INT64:
        return str(value)
    if isinstance(value, float):
        text = float_text(value, bits=32)
        return {"NaN": ".nan", "+Inf": ".inf", "-Inf": "-.inf"}.get(text, text)
    if value is None:
        raise ScalarError("a map key must not be null")
    raise ScalarError(f"unsupported map key {value!r}")


def _integer(text: str) -> int | None:
    match = _INTEGER.fullmatch(text)
    if match is None:
        return None
    base = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}[match.lastgroup or ""]
    digits = match[match.lastgroup or ""]
    if len(digits) > 64:  # beyond 64 bits in any base, and no quadratic conversion of endless digits
        return None
    value = int(match["sign"] + digits, base)
    in_range = value in _INT64 or (not match["sign"] and value < _UINT64_END)
    return value if in_range else None


def _finite_or_text(number: str, text: str) -> object:
    value = float(number)
    return value if math.isfinite(value) else text


def _tag_of(value: object) -> str:
    if value is None:
        return "null"
    for kind, name in ((bool, "bool"), (int, "int"), (float, "float")):
        if isinstance(value, kind):
            return name
    return "str"
