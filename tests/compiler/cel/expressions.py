"""Evaluating expressions in tests: every helper also holds the generated code against the exact evaluator."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.compiler.cel import (
    CelCompileError,
    CelEvaluationError,
    Environment,
    Program,
    from_json,
    to_native,
)
from catalog.compiler.cel.values import OptionalValue


def compiled(expression: str, **variables: Any) -> Program:
    """Compile an expression for the variables that are given."""
    return Environment(frozenset(variables)).compile(expression)


def evaluate(expression: str, **variables: Any) -> Any:
    """Return the raw value of an expression; the variables are given as JSON."""
    program, bindings = compiled(expression, **variables), from_json(variables)
    value = program.evaluate_exactly(bindings)
    assert described(program.evaluate(bindings)) == described(value)
    assert described(program.evaluate_native(bindings)) == described(to_native(value))
    assert described(bindings) == described(from_json(variables)), "the variables were changed"
    return value


def native(expression: str, **variables: Any) -> Any:
    """Return the value of an expression as documents hold it."""
    evaluate(expression, **variables)
    return compiled(expression, **variables).evaluate_native(from_json(variables))


def failure(expression: str, **variables: Any) -> str:
    """Return what is said when an expression fails while being evaluated."""
    program, bindings = compiled(expression, **variables), from_json(variables)
    said = set()
    for run in (program.evaluate, program.evaluate_native, program.evaluate_exactly):
        with pytest.raises(CelEvaluationError) as caught:
            run(bindings)
        said.add(str(caught.value))
    (message,) = said
    return message


def refusal(expression: str, **variables: Any) -> str:
    """Return what is said when an expression does not compile."""
    with pytest.raises(CelCompileError) as caught:
        compiled(expression, **variables)
    return str(caught.value)


def described(value: Any) -> Any:
    """Describe a value with the types of everything in it: 1, 1.0, True and 1u are all different."""
    kind = type(value).__name__
    if isinstance(value, dict):
        return kind, {described(key): described(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return kind, [described(item) for item in value]
    if isinstance(value, OptionalValue):
        return kind, described(value.value) if value.present else None
    return kind, repr(value)
