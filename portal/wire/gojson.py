"""JSON as the reference server reads and writes it.

Written bodies have sorted keys, `<`, `>` and `&` escaped, and end with a newline: what Go's encoder does. Reading
takes the first value of a body and ignores what follows, lets the last of equal keys win, and words its errors as
Go's decoder does, because clients print them.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

MAX_DEPTH = 200  # as for YAML; Go's decoder gives up at 10,000, long after our walks over the value would
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
# Outside of strings JSON has none of these characters, so replacing them in the finished text is exact.
_ESCAPES = (
    (b"&", b"\\u0026"),
    (b"<", b"\\u003c"),
    (b">", b"\\u003e"),
    ("\u2028".encode(), b"\\u2028"),
    ("\u2029".encode(), b"\\u2029"),
)


class UndecodableJSON(ValueError):
    """The body holds no JSON value; the text says why, in the words of Go's decoder."""


def encode(value: Any) -> bytes:
    """The body for a JSON value."""
    text = orjson.dumps(value, option=_OPTIONS)
    for character, escape in _ESCAPES:
        if character in text:
            text = text.replace(character, escape)
    return text


def decode(body: bytes) -> Any:
    """The first JSON value of a body. Raises `UndecodableJSON`, also for one that is nested deeper than `MAX_DEPTH`."""
    value = _decoded(body)
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and is_deeper(value, MAX_DEPTH):
        raise UndecodableJSON("exceeded max depth")
    return value


def is_deeper(value: Any, depth: int) -> bool:
    """Whether lists and objects are nested deeper than that. Without recursion, as the value is not trusted yet."""
    level = [value]
    for _ in range(depth):
        level = [
            item
            for holder in level
            if isinstance(holder, dict | list)
            for item in (holder.values() if isinstance(holder, dict) else holder)
        ]
        if not level:
            return False
    return any(isinstance(item, dict | list) for item in level)


def _decoded(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    # Rare and slow: text after the value, bytes that are no UTF-8, or an error that needs its wording.
    text = body.decode("utf-8", "replace").lstrip(" \t\r\n")
    if not text:
        raise UndecodableJSON("EOF")
    try:
        value, _ = _DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        raise UndecodableJSON(_go_wording(text, error)) from None
    except RecursionError:
        raise UndecodableJSON("exceeded max depth") from None
    except ValueError as error:
        raise UndecodableJSON(str(error)) from None
    return value


def _refuse_constant(name: str) -> Any:
    raise UndecodableJSON(f"invalid character '{name[0]}' looking for beginning of value")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)


def _go_wording(text: str, error: json.JSONDecodeError) -> str:
    position = error.pos
    if error.msg.startswith("Unterminated string") or position >= len(text):
        return "unexpected EOF"
    character = text[position]
    if error.msg.startswith("Invalid control character"):
        return f"invalid character {_quoted(character)} in string literal"
    if error.msg.startswith("Invalid \\escape"):
        return f"invalid character {_quoted(text[position + 1 : position + 2])} in string escape code"
    while character in " \t\r\n":
        position += 1
        if position >= len(text):
            return "unexpected EOF"
        character = text[position]
    if error.msg.startswith("Expecting property name"):
        return f"invalid character {_quoted(character)} looking for beginning of object key string"
    if error.msg.startswith("Expecting ':'"):
        return f"invalid character {_quoted(character)} after object key"
    if error.msg.startswith("Expecting ','"):
        where = "array element" if _innermost(text[:position]) == "[" else "object key:value pair"
        return f"invalid character {_quoted(character)} after {where}"
    return f"invalid character {_quoted(character)} looking for beginning of value"


def _quoted(character: str) -> str:
    escapes = {"'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\\": "\\\\"}
    return f"'{escapes.get(character, character)}'"


def _innermost(text: str) -> str:
    """The bracket that is open at the end of a piece of JSON."""
    open_brackets: list[str] = []
    in_string = escaped = False
    for character in text:
        if in_string:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                in_string = False
        elif character == '"':
            in_string = True
        elif character in "[{":
            open_brackets.append(character)
        elif character in "]}" and open_brackets:
            open_brackets.pop()
    return open_brackets[-1] if open_brackets else ""
