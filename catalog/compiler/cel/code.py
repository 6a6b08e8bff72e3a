"""Pieces of generated Python: expressions with what is known of their values, and the statements before them.

Called by the generator. Nothing here knows about the expression language.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

ANY: Final = "any"
BOOL: Final = "bool"
BYTES: Final = "bytes"
FLOAT: Final = "float"
INT: Final = "int"
LIST: Final = "list"
MAP: Final = "map"
NULL: Final = "null"
OPTIONAL: Final = "optional"
STR: Final = "str"
UINT: Final = "uint"
SCALARS: Final = frozenset({BOOL, BYTES, FLOAT, INT, NULL, STR, UINT})


class Code(NamedTuple):
    """A Python expression.

    ``kind`` is what its value is for certain, when it does not raise. ``of_context`` means that the value stands in
    the bindings as it is: text, number, boolean, null, or a container of these, never something an expression made.
    ``is_name`` means that it can be repeated. ``may_omit`` means that it may be ``OMIT`` (only asked of native code).
    """

    text: str
    kind: str = ANY
    of_context: bool = False
    is_name: bool = False
    may_omit: bool = False


class Writer:
    """Collects statements, names for results on the way, and the objects that the code refers to.

    ``prefix`` starts every name, so that the code of several expressions can stand in one function.
    """

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._lines: list[str] = []
        self._indent = 0
        self._names = 0
        self._constants: dict[int, str] = {}
        self.globals: dict[str, object] = {}

    def line(self, text: str) -> None:
        """Add a statement."""
        self._lines.append("    " * self._indent + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Add a compound statement; what is added meanwhile is its body."""
        self.line(head)
        self._indent += 1
        try:
            yield
        finally:
            self._indent -= 1

    def name(self) -> str:
        """Return a name that nothing else uses."""
        self._names += 1
        return f"{self._prefix}t{self._names}"

    def stored(self, code: Code) -> Code:
        """Return code that can be repeated: a name for the value, unless it is one already."""
        if code.is_name:
            return code
        name = self.name()
        self.line(f"{name} = {code.text}")
        return code._replace(text=name, is_name=True)

    def constant(self, value: object) -> str:
        """Return the name under which the code finds an object."""
        name = self._constants.get(id(value))
        if name is None:
            name = f"{self._prefix}c{len(self._constants)}"
            self._constants[id(value)] = name
            self.globals[name] = value
        return name

    def helper(self, function: object, name: str) -> str:
        """Return the name of a function of the runtime, which is the same in all generated code."""
        self.globals[name] = function
        return name

    def capture(self) -> Capture:
        """Return a place that takes the statements made inside of ``with``, instead of this one."""
        return Capture(self)

    def add_captured(self, lines: list[str]) -> None:
        """Add captured statements at the present indentation."""
        self._lines.extend("    " * self._indent + line for line in lines)

    def lines(self) -> list[str]:
        """Return the statements."""
        return self._lines

    def _swap(self, lines: list[str], indent: int) -> tuple[list[str], int]:
        before = self._lines, self._indent
        self._lines, self._indent = lines, indent
        return before


class Capture:
    """Statements set aside, to be added later or found to be none. See ``Writer.capture``."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._before: tuple[list[str], int] = ([], 0)
        self.lines: list[str] = []

    def __enter__(self) -> Capture:
        self._before = self._writer._swap(self.lines, 0)
        return self

    def __exit__(self, *_: object) -> None:
        self._writer._swap(*self._before)
