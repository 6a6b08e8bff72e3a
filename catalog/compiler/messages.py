"""Types and texts as the messages of the contract print them.

Such messages end up in conditions that portals and command lines show. Called by the pipelines.
"""

from __future__ import annotations

from catalog.compiler.cel.values import NullValue, StringList, UInt
from catalog.compiler.errors import CompilerError

_TYPE_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (NullValue, "structpb.NullValue"),
    (UInt, "uint64"),
    (int, "int64"),
    (float, "float64"),
    (str, "string"),
    (StringList, "[]string"),
    (list, "[]interface {}"),
    (dict, "map[string]interface {}"),
    (type(None), "<nil>"),
)
_ESCAPES = {
    '"': '\\"', "\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f",
    "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
}  # fmt: skip


def explained(error: CompilerError, prefix: str) -> CompilerError:
    """Put ``prefix`` before the message of ``error`` and return it, to be raised again."""
    error.args = (f"{prefix}: {error}",)
    return error


def type_name(value: object) -> str:
    """Name the Go type of a native value."""
    return next((name for python_type, name in _TYPE_NAMES if isinstance(value, python_type)), type(value).__name__)


def quote(text: str) -> str:
    """Quote a text as Go's ``%q`` does."""
    return '"' + "".join(map(_quoted, text)) + '"'


def _quoted(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
