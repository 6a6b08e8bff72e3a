"""Finding the ``${…}`` expressions in a text.

The contract finds the end of an expression by counting braces and watching quotes, not by parsing the expression. So
raw strings and triple quotes are not understood here, and must not be: a template that renders elsewhere has to split
at the same places here. Called by ``template`` only.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalog.compiler.errors import ScanError

# What Go's strings.TrimSpace removes. Python's str.strip() also removes U+001C to U+001F.
GO_SPACE = "\t\n\v\f\r \u0085\u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"


@dataclass(frozen=True, slots=True)
class Expression:
    """The text between ``${`` and ``}``, verbatim."""

    text: str


def scan(text: str) -> list[str | Expression]:
    """Split ``text`` into literal pieces and expressions, in order; literal pieces are never empty.

    An expression that does not end stays literal, as does all that follows it.

    Raises ``ScanError`` when a ``${`` stands outside quotes inside an expression.
    """
    pieces: list[str | Expression] = []
    position = 0
    while True:
        start = text.find("${", position)
        end = _end_of_expression(text, start) if start >= 0 else -1
        if end < 0:
            break
        if start > position:
            pieces.append(text[position:start])
        pieces.append(Expression(text[start + 2 : end - 1]))
        position = end
    if position < len(text):
        pieces.append(text[position:])
    return pieces


def whole_expression(pieces: list[str | Expression]) -> Expression | None:
    """Return the expression when a scanned text is nothing but one expression with white space around it."""
    found: Expression | None = None
    for piece in pieces:
        if isinstance(piece, Expression):
            if found is not None:
                return None
            found = piece
        elif piece.strip(GO_SPACE):
            return None
    return found


def _end_of_expression(text: str, start: int) -> int:
    """Return the index after the brace that closes the expression starting at ``start``, or -1."""
    depth = 1
    quote = ""
    escaped = False
    for position in range(start + 2, len(text)):
        character = text[position]
        if quote:
            if character == "\\":
                escaped = not escaped
                continue
            if character == quote and not escaped:
                quote = ""
            escaped = False
        elif character in "'\"":
            quote = character
        elif character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return position + 1
        elif character == "$" and text.startswith("${", position):
            raise ScanError(f"nested CEL expressions must be quoted: {text[start : position + 2]}")
    return -1
