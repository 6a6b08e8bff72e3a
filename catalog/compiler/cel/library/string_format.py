"""``format``: ``%s %d %f %e %b %x %X %o`` with an optional precision, in the second version of its rules.

The same reading of the template serves the checker, which knows only the types of the arguments.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple

from catalog.compiler.cel.budget import check_size, work
from catalog.compiler.cel.errors import CelEvaluationError
from catalog.compiler.cel.time_text import seconds_text, timestamp_text
from catalog.compiler.cel.values import Duration, NullValue, Timestamp, TypeValue, UInt, key_value, type_name

MAX_PRECISION: Final = 100
_DEFAULT_PRECISION: Final = 6
_PRECISION: Final = "error while parsing precision"
_NO_DIGITS: Final = 'strconv.Atoi: parsing "": invalid syntax'
_NUMBERS: Final = ("int", "uint", "double")
# For each clause: the types that it takes, and what is said of any other.
CLAUSE_TYPES: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "d": (_NUMBERS, "decimal clause can only be used on ints, uints, and doubles"),
    "f": (_NUMBERS, "fixed-point clause can only be used on ints, uints, and doubles"),
    "e": (_NUMBERS, "scientific clause can only be used on ints, uints, and doubles"),
    "b": (("bool", "int", "uint"), "only ints, uints, and bools can be formatted as binary"),
    "x": (("int", "uint", "string", "bytes"), "only ints, uints, bytes, and strings can be formatted as hex"),
    "X": (("int", "uint", "string", "bytes"), "only ints, uints, bytes, and strings can be formatted as hex"),
    "o": (("int", "uint"), "octal clause can only be used on ints and uints"),
}
STRING_COMPLAINT: Final = (
    "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and "
    "timestamps"
)


class FormatError(ValueError):
    """A template that cannot be read, or that asks for more arguments than there are."""


class Clause(NamedTuple):
    """One place for an argument."""

    letter: str
    precision: int
    argument: int


def read_template(template: str, count: int) -> Iterator[str | Clause]:
    """Yield the literal texts and the clauses of a template for ``count`` arguments. Raises ``FormatError``."""
    position, argument = 0, 0
    while position < len(template):
        percent = template.find("%", position)
        if percent < 0:
            yield template[position:]
            return
        if percent > position:
            yield template[position:percent]
        if template.startswith("%%", percent):
            yield "%"
            position = percent + 2
            continue
        clause, position = _read_clause(template, percent + 1, argument, count)
        yield clause
        argument += 1


def _read_clause(template: str, position: int, argument: int, count: int) -> tuple[Clause, int]:
    if argument >= count:
        raise FormatError(f"index {argument} out of range")
    if position >= len(template):
        raise FormatError("unexpected end of string")
    precision = _DEFAULT_PRECISION
    if template[position] == ".":
        end = position + 1
        while end < len(template) and template[end] in "0123456789":
            end += 1
        if end >= len(template):
            raise _clause_error(f"{_PRECISION}: could not find end of precision specifier")
        digits = template[position + 1 : end]
        if not digits:
            raise _clause_error(f"{_PRECISION}: error while converting precision to integer: {_NO_DIGITS}")
        precision = int(digits)
        if precision > MAX_PRECISION:
            raise _clause_error(
                f"{_PRECISION}: precision {precision} exceeds maximum allowed precision {MAX_PRECISION}"
            )
        position = end
    letter = template[position]
    if letter not in "sdfebxXo":
        raise _clause_error(f'unrecognized formatting clause "{letter}"')
    return Clause(letter, precision, argument), position + 1


def _clause_error(reason: str) -> FormatError:
    return FormatError(f"could not parse formatting clause: {reason}")


def format_text(template: str, args: list[Any]) -> str:
    """Fill a template. Raises ``CelEvaluationError``."""
    parts: list[str] = []
    try:
        for part in read_template(template, len(args)):
            parts.append(part if isinstance(part, str) else _fill(part, args[part.argument]))
    except FormatError as error:
        raise CelEvaluationError(str(error)) from None
    check_size(sum(map(len, parts)))
    return "".join(parts)


def _fill(clause: Clause, value: Any) -> str:
    if clause.letter == "s":
        return display(value)
    accepted, complaint = CLAUSE_TYPES[clause.letter]
    actual = type_name(value)
    if actual not in accepted:
        raise FormatError(f"error during formatting: {complaint}, was given {actual}")
    return _FORMATTERS[clause.letter](value, clause.precision)


def _decimal(value: Any, _: int) -> str:
    return plain_double(value) if type(value) is float else str(int(value))


def _fixed(value: Any, precision: int) -> str:
    number = float(value)
    return f"{number:.{precision}f}" if math.isfinite(number) else _non_finite(number)


def _scientific(value: Any, precision: int) -> str:
    number = float(value)
    return f"{number:.{precision}e}" if math.isfinite(number) else _non_finite(number)


def _binary(value: Any, _: int) -> str:
    return format(int(value), "b")


def _octal(value: Any, _: int) -> str:
    return format(int(value), "o")


def _hex(value: Any, _: int) -> str:
    if type(value) is str:
        return value.encode("utf-8", "surrogatepass").hex()
    return value.hex() if type(value) is bytes else format(int(value), "x")


def _upper_hex(value: Any, precision: int) -> str:
    return _hex(value, precision).upper()


_FORMATTERS: Final[dict[str, Callable[[Any, int], str]]] = {
    "d": _decimal,
    "f": _fixed,
    "e": _scientific,
    "b": _binary,
    "o": _octal,
    "x": _hex,
    "X": _upper_hex,
}


def display(value: Any) -> str:
    """Print any value as ``%s`` does. Raises ``FormatError`` for an optional or the omit sentinel."""
    kind = type(value)
    if kind is str:
        return str(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is int or kind is UInt:
        return str(int(value))
    if kind is float:
        return plain_double(value)
    if value is None or kind is NullValue:
        return "null"
    if isinstance(value, (list, dict)):
        work(len(value) + 1)
    if isinstance(value, list):
        return "[" + ", ".join(map(display, value)) + "]"
    if isinstance(value, dict):
        entries = sorted((display(key_value(key)), display(entry)) for key, entry in value.items())
        return "{" + ", ".join(f"{key}: {entry}" for key, entry in entries) + "}"
    if kind is bytes:
        return str(value.decode("utf-8", "replace"))
    if kind is Duration:
        return seconds_text(value)
    if kind is Timestamp:
        return timestamp_text(value)
    if kind is TypeValue:
        return str(value.name)
    raise FormatError(f"error during formatting: {STRING_COMPLAINT}, was given {type_name(value)}")


def plain_double(value: float) -> str:
    """Print a double with the fewest digits that name it, never with an exponent."""
    if not math.isfinite(value):
        return _non_finite(value)
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _non_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
