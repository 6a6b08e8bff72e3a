"""The same expressions in Google's C++ implementation: an independent reading of the language.

It lacks some of the environment (two-variable loops, lists, sets), so the expressions here use the core only. Its
checker reasons otherwise about sums of unknown types, so only what happens at run time is compared.
"""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given, settings

from catalog.compiler.cel import CelCompileError, CelEvaluationError, Environment, from_json
from catalog.compiler.cel.values import Duration, OptionalValue, TypeValue
from tests.compiler.cel.grammar import CORE, DOCUMENT, expressions

cel = pytest.importorskip("cel_expr_python.cel", reason="cel-expr-python is not installed")
strings = pytest.importorskip("cel_expr_python.ext.ext_strings")

ENVIRONMENT = Environment(frozenset({"p"}))
FAILED = object()


@pytest.fixture(scope="module")
def oracle() -> Any:
    return cel.NewEnv(variables={"p": cel.Type.DYN}, extensions=[strings.ExtStrings()])


def theirs(oracle: Any, expression: str) -> object:
    try:
        value = oracle.compile(expression, disable_check=True).eval(data={"p": from_json(DOCUMENT)})
    except Exception:
        return FAILED
    return FAILED if str(value.type()).strip() == "ERROR" else _comparable(value.plain_value())


def ours(expression: str) -> object:
    try:
        value = ENVIRONMENT.compile(expression).evaluate(from_json({"p": DOCUMENT}))
    except CelEvaluationError:
        return FAILED
    return _comparable(value)


def _comparable(value: Any) -> object:
    """Unsigned integers and integers are one, maps are lists of pairs; everything else keeps its type."""
    if isinstance(value, Duration):
        return "duration", value.nanoseconds
    if isinstance(value, datetime.timedelta):
        return "duration", int(value.total_seconds() * 1_000_000_000)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (bytes, bytearray)):
        return "bytes", bytes(value)
    if isinstance(value, int):
        return "integer", int(value)
    if isinstance(value, float):
        return "double", repr(value)
    if isinstance(value, dict):
        return [(key, _comparable(entry)) for key, entry in sorted(value.items())]
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    assert not isinstance(value, (OptionalValue, TypeValue))
    return value


@settings(max_examples=1000, derandomize=True, deadline=None, database=None)
@given(expression=expressions(CORE))
def test_both_agree(oracle: Any, expression: str) -> None:
    try:
        found = ours(expression)
    except CelCompileError:
        return
    assert found == theirs(oracle, expression)
