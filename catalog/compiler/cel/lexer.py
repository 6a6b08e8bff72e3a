"""From text to tokens. Called by the parser."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from catalog.compiler.cel.source import Faults

IDENTIFIER: Final = "IDENTIFIER"
ESCAPED_IDENTIFIER: Final = "ESC_IDENTIFIER"
INT: Final = "NUM_INT"
UINT: Final = "NUM_UINT"
FLOAT: Final = "NUM_FLOAT"
STRING: Final = "STRING"
BYTES: Final = "BYTES"
END: Final = "<EOF>"

_ESCAPE = r"\\(?:[abfnrtv\"'\\?`]|[0-3][0-7][0-7]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})"
# As a lexer that takes the longest match would choose: the order of the alternatives stands for length.
_TOKEN = re.compile(
    rf"""
      (?P<skip>[\t\ \r\n\f]+|//[^\n]*)
    | (?P<text>[bB]?(?:[rR](?:\"\"\"(?s:.*?)\"\"\"|'''(?s:.*?)'''|"[^"\n\r]*"|'[^'\n\r]*')
        |\"\"\"(?:{_ESCAPE}|[^\\])*?\"\"\"|'''(?:{_ESCAPE}|[^\\])*?'''
        |"(?:{_ESCAPE}|[^\\"\n\r])*"|'(?:{_ESCAPE}|[^\\'\n\r])*'))
    | (?P<float>[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|\.[0-9]+(?:[eE][+-]?[0-9]+)?)
    | (?P<uint>0x[0-9a-fA-F]+[uU]|[0-9]+[uU])
    | (?P<int>0x[0-9a-fA-F]+|[0-9]+)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<escaped>`[A-Za-z0-9_.\-/ ]+`)
    | (?P<operator>==|!=|<=|>=|&&|\|\||[<>\[\]{{}}().,\-!?:+*/%])
    """,
    re.VERBOSE,
)
_KEYWORDS: Final = frozenset({"in", "true", "false", "null"})
_KINDS: Final = {"float": FLOAT, "uint": UINT, "int": INT, "escaped": ESCAPED_IDENTIFIER}


class Token(NamedTuple):
    """One token. ``kind`` is one of the names above, or the token itself for operators and keywords."""

    kind: str
    text: str
    offset: int


def tokenize(source: str, faults: Faults) -> list[Token]:
    """Return the tokens of ``source``, the last of kind ``END``; what is no token is reported and skipped."""
    tokens: list[Token] = []
    position, end = 0, len(source)
    match_token = _TOKEN.match
    while position < end:
        match = match_token(source, position)
        if match is None:
            position = _skip_unknown(source, position, faults)
            continue
        group = match.lastgroup
        text = match.group()
        if group == "name":
            tokens.append(Token(text if text in _KEYWORDS else IDENTIFIER, text, position))
        elif group == "operator":
            tokens.append(Token(text, text, position))
        elif group == "text":
            tokens.append(Token(BYTES if text[0] in "bB" else STRING, text, position))
        elif group != "skip":
            tokens.append(Token(_KINDS[group or ""], text, position))
        position = match.end()
    tokens.append(Token(END, END, end))
    return tokens


def _skip_unknown(source: str, position: int, faults: Faults) -> int:
    """Report what is no token at ``position`` and return where to go on."""
    length = 1
    if source[position] in "\"'":  # a text that does not end: all of the rest of its line
        line_end = re.compile(r"[\n\r]|\Z").search(source, position)
        length = (line_end.start() if line_end else len(source)) - position
    elif source[position] in "&|=" or position + 1 == len(source):
        length = 1
    shown = source[position : position + length].replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    faults.report(position, f"Syntax error: token recognition error at: '{shown}'")
    return position + length
