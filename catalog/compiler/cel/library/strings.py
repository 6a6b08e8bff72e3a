"""The functions of texts. Places count code points; ``format`` is in ``string_format``."""

from __future__ import annotations

from typing import Any, Final

from catalog.compiler.cel.budget import check_size
from catalog.compiler.cel.errors import CelEvaluationError
from catalog.compiler.cel.functions import Registry
from catalog.compiler.cel.library.string_format import format_text
from catalog.compiler.cel.members import key_display
from catalog.compiler.cel.values import StringList

REGISTRY: Final = Registry()
_LOWER: Final = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_UPPER: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
# What Go holds for space; Python's strip() takes more.
_SPACE: Final = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"  # noqa: E501
_QUOTED: Final = str.maketrans(
    {
        "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
        "\\": "\\\\", '"': '\\"',
    }
)  # fmt: skip


def _out_of_range(place: int) -> CelEvaluationError:
    return CelEvaluationError(f"index out of range: {place}")


@REGISTRY.function("string|charAt(int) -> string")
def _char_at(text: str, place: int) -> str:
    if not 0 <= place <= len(text):
        raise _out_of_range(place)
    return text[place : place + 1]


@REGISTRY.function("string|indexOf(string) -> int", "string|indexOf(string, int) -> int")
def _index_of(text: str, part: str, start: int = 0) -> int:
    if start < 0:
        raise _out_of_range(start)
    if not part:
        return min(start, len(text))
    return text.find(part, start) if start < len(text) else -1


@REGISTRY.function("string|lastIndexOf(string) -> int")
def _last_index_of(text: str, part: str) -> int:
    return text.rfind(part)


@REGISTRY.function("string|lastIndexOf(string, int) -> int")
def _last_index_of_from(text: str, part: str, start: int) -> int:
    if start < 0:
        raise _out_of_range(start)
    if not part:
        return min(start, len(text))
    if start >= len(text):
        return -1
    return text.rfind(part, 0, start + len(part))


@REGISTRY.function("string|lowerAscii() -> string")
def _lower_ascii(text: str) -> str:
    return text.translate(_LOWER)


@REGISTRY.function("string|upperAscii() -> string")
def _upper_ascii(text: str) -> str:
    return text.translate(_UPPER)


@REGISTRY.function("string|replace(string, string) -> string")
def _replace(text: str, old: str, new: str) -> str:
    return _replace_some(text, old, new, -1)


@REGISTRY.function("string|replace(string, string, int) -> string")
def _replace_some(text: str, old: str, new: str, count: int) -> str:
    if len(new) > len(old):
        found = text.count(old)
        check_size(len(text) + (min(found, count) if count >= 0 else found) * (len(new) - len(old)))
    return text.replace(old, new, count if count >= 0 else -1)


@REGISTRY.function("string|split(string) -> list(string)")
def _split(text: str, separator: str) -> StringList:
    return StringList(text.split(separator) if separator else text)


@REGISTRY.function("string|split(string, int) -> list(string)")
def _split_some(text: str, separator: str, count: int) -> StringList:
    if count == 0:
        return StringList()
    if count < 0:
        return StringList(text.split(separator) if separator else text)
    if not separator:
        head = text[: count - 1]
        return StringList([*head, text[count - 1 :]] if len(text) >= count else text)
    return StringList(text.split(separator, count - 1))


@REGISTRY.function("string|substring(int) -> string")
def _substring(text: str, start: int) -> str:
    if not 0 <= start <= len(text):
        raise _out_of_range(start)
    return text[start:]


@REGISTRY.function("string|substring(int, int) -> string")
def _substring_between(text: str, start: int, end: int) -> str:
    if start > end:
        raise CelEvaluationError(f"invalid substring range. start: {start}, end: {end}")
    for place in (start, end):
        if not 0 <= place <= len(text):
            raise _out_of_range(place)
    return text[start:end]


@REGISTRY.function("string|trim() -> string")
def _trim(text: str) -> str:
    return text.strip(_SPACE)


@REGISTRY.function("string|format(list(dyn)) -> string")
def _format(template: str, args: list[Any]) -> str:
    return format_text(template, args)


@REGISTRY.function("strings.quote(string) -> string")
def _quote(text: str) -> str:
    return '"' + text.translate(_QUOTED) + '"'


@REGISTRY.function("list(string)|join() -> string")
def _join(items: list[Any]) -> str:
    return _joined(items, "")


@REGISTRY.function("list(string)|join(string) -> string")
def _join_with(items: list[Any], separator: str) -> str:
    return _joined(items, separator)


def _joined(items: list[Any], separator: str) -> str:
    size = 0
    for item in items:
        if type(item) is not str:
            raise CelEvaluationError(f"join: invalid input: {key_display(item)}")
        size += len(item) + len(separator)
    check_size(size)
    return separator.join(items)


@REGISTRY.function("string|reverse() -> string")
def _reverse(text: str) -> str:
    return text[::-1]
