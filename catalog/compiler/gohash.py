"""Hashes of values, as the contract computes them.

The hash goes over a text: the value as Go's ``spew`` package prints it, with the Go type of everything that an
interface holds. So the types that an expression computed (int, uint, double, list of strings, null) decide the hash,
not only the JSON that comes of them: ``1`` written in a template is a ``float64``, ``${1}`` an ``int64``. The text's
32-bit FNV-1a hash is written in decimal with digits that spell no words.

Used for the dp-resource-hash annotation; catalog.compiler.release_hash writes the same kind of text for releases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from catalog.compiler.cel.values import NullValue, StringList, UInt
from catalog.compiler.gotext import float_text
from catalog.compiler.names import fnv1a32

_SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SAFE_DIGITS = str.maketrans({digit: _SAFE_ALPHABET[ord(digit) % len(_SAFE_ALPHABET)] for digit in "0123456789"})


@lru_cache(maxsize=512)  # byte by byte in Python takes longer than all the rest of a small render
def hash_text(text: str) -> str:
    """Return the hash of a text: 32-bit FNV-1a in decimal, in the safe digits."""
    return str(fnv1a32(text.encode("utf-8", "surrogatepass"))).translate(_SAFE_DIGITS)


def compute_hash(resources: Iterable[Mapping[str, object]]) -> str:
    """Return the hash of a list of objects (Go: ``[]map[string]interface {}``)."""
    return hash_text(f"([]map[string]interface {{}})[{' '.join(map(map_text, resources))}]")


def value_text(value: object) -> str:
    """Write a value that an interface holds: its Go type in parentheses, then the value.

    Raises ``TypeError`` for values that no rendered resource can hold.
    """
    if isinstance(value, str):
        return f"(string){value}"
    if isinstance(value, dict):
        return f"(map[string]interface {{}}){map_text(value)}"
    if value is None:
        return "(interface {})<nil>"
    if isinstance(value, bool):
        return f"(bool){'true' if value else 'false'}"
    if isinstance(value, float):
        return f"(float64){float_text(value)}"
    if isinstance(value, NullValue):
        return f"(structpb.NullValue){int(value)}"
    if isinstance(value, UInt):
        return f"(uint64){int(value)}"
    if isinstance(value, int):
        return f"(int64){value}"
    if isinstance(value, StringList):
        return f"([]string)[{' '.join(value)}]"
    if isinstance(value, (list, tuple)):
        return f"([]interface {{}})[{' '.join([value_text(item) for item in value])}]"
    raise TypeError(f"no Go text for {type(value).__name__}")


def map_text(value: Mapping[str, object]) -> str:
    """Write an object without its type: ``map[k:(T)v …]``, keys in byte order."""
    # Most values are texts; a call for each would cost a third more.
    parts = [
        f"{key}:(string){item}" if type(item := value[key]) is str else f"{key}:{value_text(item)}"
        for key in sorted(value)
    ]
    return f"map[{' '.join(parts)}]"
