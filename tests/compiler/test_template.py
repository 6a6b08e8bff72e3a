"""Templates: what becomes of expressions, texts, keys and omitted entries."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from catalog.compiler.cel.values import OMIT, NullValue, from_json
from catalog.compiler.errors import CompilerError, InputError, KeyTemplateError, ScanError
from catalog.compiler.scope import Scope
from catalog.compiler.template import (
    ExpressionCompileError,
    ExpressionEvaluationError,
    TemplateSource,
    compile_template,
)

INPUTS = from_json({"p": {"s": "hi", "i": 8080, "big": 1000000, "n": None, "m": {"b": {"c": None}}, "l": [1, "a"]}})


def render(template: Any, inputs: dict | None = None) -> Any:
    inputs = INPUTS if inputs is None else inputs
    return compile_template(template, frozenset(inputs), False).render(inputs)


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("${p.i}", 8080.0),
        ("${1}", 1),
        ("  ${p.s}\n", "hi"),
        ("${p.l}", [1.0, "a"]),
        ("plain", "plain"),
        (80, 80.0),
        ([True, None, 1.5], [True, None, 1.5]),
    ],
)
def test_a_whole_expression_keeps_its_type(template: Any, value: Any) -> None:
    rendered = render(template)
    assert rendered == value
    assert type(rendered) is type(value)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("n=${p.i}", "n=8080"),
        ("n=${p.big}", "n=1e+06"),
        ("n=${1000000}", "n=1000000"),
        ("${p.s}-${true}", "hi-true"),
        ("x${null}", "x0"),
        ("x ${p.l}", 'x [1,"a"]'),
        ("x ${{'b': '<', 'a': 1}}", 'x {"a":1,"b":"\\u003c"}'),
        ("x ${b'abc'}", 'x "YWJj"'),
        ("x ${timestamp('2024-01-02T03:04:05Z')}", 'x "2024-01-02T03:04:05Z"'),
        ("x ${duration('1h30m')}", "x 5400000000000"),
        ("x ${optional.of('a')}", "x a"),
        ("ok ${p.s} ${x", "ok hi ${x"),
        ("$${p.s}", "$hi"),
        ("${'${x}'} and {{y}}", "${x} and {{y}}"),
    ],
)
def test_inside_a_text_values_are_printed(template: str, text: str) -> None:
    assert render(template) == text


def test_a_computed_null_is_a_zero_of_its_own_but_a_null_in_a_given_container_stays() -> None:
    assert isinstance(render("${p.n}"), NullValue)
    assert render("${p.m}") == {"b": {"c": None}}
    assert render({"a": None}) == {"a": None}


def test_inserted_text_is_not_looked_at_again() -> None:
    assert render("x${'${p.s}'} ${p.s}") == "x${p.s} hi"


def test_omitted_entries_and_items_are_left_out() -> None:
    template = {"a": "${oc_omit()}", "l": ["${oc_omit()}", "${p.s}"], "m": "${{'x': oc_omit(), 'y': 1}}"}
    assert render(template) == {"l": ["hi"], "m": {"y": 1}}
    assert render("${oc_omit()}") is OMIT
    assert render("a${oc_omit()}b") == "ab"


def test_keys_are_templates_of_texts() -> None:
    assert render({"${p.s}": 1, "k${1}": "${p.s}", "plain": {}}) == {"hi": 1.0, "k1": "hi", "plain": {}}
    for key in ("${p.i}", "${oc_omit()}"):
        with pytest.raises(KeyTemplateError, match="dynamic map key"):
            render({key: 1})


def test_faults_say_which_expression_and_why() -> None:
    with pytest.raises(
        ExpressionCompileError, match=r"^CEL compilation error in expression 'q\.x': ERROR: <input>:1:1"
    ):
        render("${q.x}")
    with pytest.raises(ExpressionEvaluationError, match=r"^CEL evaluation error in expression 'p\.x': no such key: x$"):
        render("a ${p.x}")
    with pytest.raises(ScanError):
        render("${ ${p.s} }")
    assert {error.error_class for error in (ExpressionCompileError, ExpressionEvaluationError)} == {
        "compile",
        "evaluate",
    }


def test_a_document_that_json_cannot_hold_is_refused() -> None:
    with pytest.raises(InputError):
        render({"a": object()})


def test_which_variables_exist_decides_whether_a_template_compiles() -> None:
    source = TemplateSource("${has(gateway.ingress)}")
    with pytest.raises(ExpressionCompileError):
        source.render(Scope({"p": {}}))
    assert source.render(Scope({"gateway": {}})) is False
    assert source.render(Scope({"gateway": {"ingress": {}}})) is True


def test_a_scope_is_not_changed_by_binding_another_variable() -> None:
    scope = Scope({"a": "1"})
    inner = scope.bind("b", "2")
    assert TemplateSource("${a + b}").render(inner) == "12"
    with pytest.raises(CompilerError):
        TemplateSource("${a + b}").render(scope)
    shadowed = inner.bind("a", "0")
    assert shadowed.variables is inner.variables
    assert TemplateSource("${a + b}").render(shadowed) == "02"


def test_rendering_changes_neither_inputs_nor_template() -> None:
    template = {"a": "${p.m}", "b": [{"c": "${p.s}"}]}
    before, inputs_before = repr(template), repr(INPUTS)
    first = render(template)
    second = render(template)
    assert first == second
    assert (repr(template), repr(INPUTS)) == (before, inputs_before)


def test_a_template_changed_by_its_owner_is_compiled_anew() -> None:
    template = {"a": "${p.s}"}
    assert render(template) == {"a": "hi"}
    template["b"] = "2"
    assert render(template) == {"a": "hi", "b": "2"}


def test_threads_can_share_a_template() -> None:
    source = TemplateSource({"a": "${p.s}", "l": "${[1, 2, 3].map(x, x * 2)}"})
    scope, results = Scope(INPUTS), []
    threads = [threading.Thread(target=lambda: results.append(source.render(scope))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [{"a": "hi", "l": [2, 4, 6]}] * 8
