"""Every expression of the recorded cases: its result, and generated code held against the exact evaluator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog.compiler.cel import CelCompileError, CelError, CelEvaluationError, Environment, from_json, to_native
from catalog.compiler.errors import ScanError
from catalog.compiler.template_scan import Expression, scan, whole_expression
from tests.compiler.cel.expressions import described

FILES = ("template.jsonl", "extra-template.jsonl")


def cases(conformance: Path) -> Iterator[dict[str, Any]]:
    for name in FILES:
        with (conformance / "recorded" / name).open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def expressions_of(template: Any) -> Iterator[str]:
    """The texts of all expressions in a template, keys included."""
    if isinstance(template, str):
        try:
            pieces = scan(template)
        except ScanError:
            return
        yield from (piece.text for piece in pieces if isinstance(piece, Expression))
    elif isinstance(template, dict):
        for key, value in template.items():
            yield from expressions_of(key)
            yield from expressions_of(value)
    elif isinstance(template, list):
        for item in template:
            yield from expressions_of(item)


def environment_of(case: dict[str, Any]) -> Environment:
    return Environment(frozenset(case["inputs"]), bool(case.get("componentMacros")))


def test_single_expressions_give_what_was_recorded(conformance: Path) -> None:
    checked = 0
    for case in cases(conformance):
        template = case["template"]
        if not isinstance(template, str) or case.get("omitted"):
            continue
        try:
            whole = whole_expression(scan(template))
        except ScanError:
            continue
        if whole is None:
            continue
        checked += 1
        if "error" in case:
            expected = {"compile": CelCompileError, "evaluate": CelEvaluationError}[case["errorClass"]]
            with pytest.raises(expected) as caught:
                environment_of(case).compile(whole.text).evaluate_native(from_json(case["inputs"]))
            assert case["error"].endswith(str(caught.value)), case["id"]
        else:
            found = environment_of(case).compile(whole.text).evaluate_native(from_json(case["inputs"]))
            assert found == case["output"], case["id"]
    assert checked > 300


def test_generated_code_agrees_with_the_exact_evaluator(conformance: Path) -> None:
    checked = 0
    for case in cases(conformance):
        bindings = from_json(case["inputs"])
        for expression in expressions_of(case["template"]):
            try:
                program = environment_of(case).compile(expression)
                exact = program.evaluate_exactly(bindings)
            except CelError:
                continue
            checked += 1
            assert described(program.evaluate(bindings)) == described(exact), expression
            assert described(program.evaluate_native(bindings)) == described(to_native(exact)), expression
    assert checked > 700
