"""The text of an expression, and how faults in it are shown. Called by the lexer, the parser and the checker."""

from __future__ import annotations

from typing import NamedTuple

from catalog.compiler.cel.errors import CelCompileError

_MAX_SNIPPET = 16384
_MAX_FAULTS = 100


class Fault(NamedTuple):
    """One thing that is wrong: where (offset in code points; -1 when nowhere in particular) and what."""

    offset: int
    message: str


class Faults:
    """Collects what is wrong with one expression, and raises all of it at once."""

    __slots__ = ("_faults", "_source")

    def __init__(self, source: str) -> None:
        self._source = source
        self._faults: list[Fault] = []

    def report(self, offset: int, message: str) -> None:
        """Note a fault; more than a hundred are not kept."""
        if len(self._faults) < _MAX_FAULTS:
            self._faults.append(Fault(offset, message))

    def raise_if_any(self) -> None:
        """Raise ``CelCompileError`` with every fault, in the order of the source."""
        if self._faults:
            ordered = sorted(self._faults, key=lambda fault: fault.offset)
            raise CelCompileError("\n".join(display(self._source, fault) for fault in ordered))


def display(source: str, fault: Fault) -> str:
    """Show a fault with its line and a caret below the place, both counted from 1."""
    if fault.offset < 0:
        return f"ERROR: <input>:-1:0: {fault.message}"
    start = source.rfind("\n", 0, fault.offset) + 1
    line, column = source.count("\n", 0, start) + 1, fault.offset - start
    text = f"ERROR: <input>:{line}:{column + 1}: {fault.message}"
    snippet = source[start:].split("\n", 1)[0]
    if len(snippet.encode("utf-8", "surrogatepass")) > _MAX_SNIPPET:
        return text
    shown = snippet.replace("\t", " ")
    dots = "".join("." if character.isascii() else "．" for character in shown[:column])
    caret = "＾" if not shown[column : column + 1].isascii() else "^"
    return f"{text}\n | {shown}\n | {dots}{caret}"
