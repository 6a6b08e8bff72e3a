"""From the text of a string or bytes literal to its value. Called by the parser."""

from __future__ import annotations

import re
from typing import Final

_SIMPLE: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "'": "'", '"': '"', "`": "`", "?": "?",
}  # fmt: skip
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\"'\\?`])|([0-3][0-7][0-7])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))"
)
_LAST_CODE_POINT: Final = 0x10FFFF


class UnescapeError(ValueError):
    """A literal with an escape that means nothing."""


def unescape_string(literal: str) -> str:
    """Return the text of a string literal with its quotes. Raises ``UnescapeError``."""
    body, raw = _body(literal)
    if raw or "\\" not in body:
        return body
    return _ESCAPE.sub(_character, body)


def unescape_bytes(literal: str) -> bytes:
    """Return the bytes of a bytes literal (without its ``b``). Raises ``UnescapeError``.

    Octal and hexadecimal escapes are bytes; every other character is its UTF-8.
    """
    body, raw = _body(literal)
    if raw or "\\" not in body:
        return body.encode("utf-8", "surrogatepass")
    parts: list[bytes] = []
    position = 0
    for match in _ESCAPE.finditer(body):
        parts.append(body[position : match.start()].encode("utf-8", "surrogatepass"))
        simple, octal, hexadecimal, short, long = match.groups()
        if short or long:
            raise UnescapeError("unable to unescape string")
        parts.append(_SIMPLE[simple].encode() if simple else bytes([int(octal, 8) if octal else int(hexadecimal, 16)]))
        position = match.end()
    parts.append(body[position:].encode("utf-8", "surrogatepass"))
    return b"".join(parts)


def _body(literal: str) -> tuple[str, bool]:
    """Return what stands between the quotes, and whether it is raw. Line ends become ``\\n``."""
    raw = literal[0] in "rR"
    if raw:
        literal = literal[1:]
    if "\r" in literal:
        literal = literal.replace("\r\n", "\n").replace("\r", "\n")
    quotes = 3 if len(literal) >= 6 and literal[:3] in ('"""', "'''") else 1
    return literal[quotes:-quotes], raw


def _character(match: re.Match[str]) -> str:
    simple, octal, hexadecimal, short, long = match.groups()
    if simple:
        return _SIMPLE[simple]
    code = int(octal, 8) if octal else int(hexadecimal or short or long, 16)
    if code > _LAST_CODE_POINT or 0xD800 <= code < 0xE000:
        raise UnescapeError("invalid unicode code point")
    return chr(code)
