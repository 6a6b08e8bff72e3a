"""The result of an expression, printed inside a text. Called by ``template`` only."""

from __future__ import annotations

from catalog.compiler.cel import to_native
from catalog.compiler.cel.values import OMIT, OptionalValue
from catalog.compiler.gotext import float_text, json_text


def result_text(raw: object) -> str:
    """Print the raw result of an expression: strings, numbers and booleans bare, everything else as JSON.

    What JSON has no form for (bytes, timestamps, types) prints as a JSON string, quotes included. An omitted value
    prints as nothing.
    """
    while isinstance(raw, OptionalValue) and raw.present:
        raw = raw.value
    if isinstance(raw, str):
        return raw
    if raw is OMIT:
        return ""
    native = to_native(raw)
    return float_text(native) if isinstance(native, float) else json_text(native)
