"""What becomes of values at the boundary to documents, and the contract's own functions."""

from __future__ import annotations

import pytest

from catalog.compiler.cel import OMIT, Environment, from_json
from catalog.compiler.cel.values import NullValue, StringList, UInt
from tests.compiler.cel.expressions import described, evaluate, failure, native

DOCUMENT = {"n": None, "m": {"a": 1, "n": None}, "l": [1, None], "s": "x"}


def test_a_null_that_an_expression_computes_is_a_number_of_its_own_kind() -> None:
    for expression in ("null", "p.n", "p.m.n", "p.?n", "true ? p.n : 1", "p.?x.orValue(p.n)", "p.l[1]"):
        found = native(expression, p=DOCUMENT)
        assert type(found) is NullValue, expression
        assert found == 0


def test_containers_of_the_context_come_out_untouched() -> None:
    bindings = from_json({"p": DOCUMENT})
    environment = Environment(frozenset({"p"}))
    for expression in ("p.m", "[p.m][0]", "p.?m", "has(p.m) ? p.m : {}", "dyn(p).m", "p.?x.orValue(p.m)"):
        assert environment.compile(expression).evaluate_native(bindings) is bindings["p"]["m"], expression
    assert environment.compile("p.l + []").evaluate_native(bindings) is bindings["p"]["l"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("[p.n, p.m]", [NullValue(0), {"a": 1.0, "n": None}]),
        ("{'k': p.n, 'm': p.m}", {"k": NullValue(0), "m": {"a": 1.0, "n": None}}),
        ("p.l.map(x, x)", [1.0, NullValue(0)]),
        ("p.l.filter(x, true)", [1.0, NullValue(0)]),
        ("p.l + [2]", [1.0, NullValue(0), 2]),
        ("p.m.transformMap(k, v, v)", {"a": 1.0, "n": NullValue(0)}),
        ("oc_merge(p.m, {})", {"a": 1.0, "n": NullValue(0)}),
        ("{'a': oc_omit(), 'b': [oc_omit(), 1], 'c': {'d': oc_omit()}}", {"b": [1], "c": {}}),
        ("p.l.map(x, x == 1 ? x : oc_omit())", [1.0]),
        ("p.m.transformMap(k, v, k == 'a' ? v : oc_omit())", {"a": 1.0}),
        ("{'a': 1, 'a': oc_omit()}", {}),
        ("{1: 'x', true: 'y', 1.5: 'z'}", {"1": "x", "true": "y", "1.5": "z"}),
        ("[duration('90m'), timestamp(0), b'abc', type(1)]", [5400000000000, "1970-01-01T00:00:00Z", "YWJj", "int"]),
        ("[1, 1.0, 1u, true]", [1, 1.0, UInt(1), True]),
        ("{'l': 'a,b'.split(',')}", {"l": StringList(["a", "b"])}),
        ("[[optional.of([p.n])]]", [[[NullValue(0)]]]),
    ],
)
def test_made_containers_are_converted(expression: str, value: object) -> None:
    assert described(native(expression, p=DOCUMENT)) == described(value)


def test_omit_is_counted_until_the_result_is_converted() -> None:
    assert native("oc_omit()") is OMIT
    assert evaluate("size([oc_omit()])") == 1
    assert evaluate("oc_omit() == oc_omit()") is True
    assert evaluate("dyn('x') == oc_omit()") is False
    assert failure("'x' + oc_omit()") == "no such overload"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("oc_merge({'a': 1, 'b': 1}, {'b': 2}, {'c': 3})", {"a": 1, "b": 2, "c": 3}),
        ("oc_merge({'a': {'x': 1}}, {'a': {'y': 2}})", {"a": {"y": 2}}),
        ("oc_merge(p.m, p.m).a", 1.0),
        ("oc_hash('test') + oc_hash('')", "afd071e5811c9dc5"),
        ("oc_generate_name('my-service', 'dev')", "my-service-dev-57aa809d"),
        ("oc_generate_name(['my-service', 'dev'])", "my-service-dev-57aa809d"),
        ("oc_generate_name('My App!')", "my-app-6e06c02a"),
        ("oc_generate_name(['a', 1, 'b'].map(x, x)) == oc_generate_name('a', 'b')", True),
        ("size(oc_dns_label(lists.range(99).map(i, 'x').join()))", 63),
    ],
)  # fmt: skip
def test_functions_of_the_contract(expression: str, value: object) -> None:
    assert evaluate(expression, p=DOCUMENT) == value


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("oc_generate_name(p.n1)", "no such overload: oc_generate_name(double)"),
        ("oc_generate_name([p.n1, 'a'])", "no such overload: oc_generate_name(list)"),
        ("oc_generate_name()", "a name needs at least one part"),
        ("oc_hash(p.n1)", "no such overload: oc_hash(double)"),
        ("oc_merge(p.n1, {})", "no such overload: oc_merge(double, map)"),
        ("oc_merge(dyn({1: 2}), {})", "no such overload: oc_merge(map, map)"),
    ],
)
def test_functions_of_the_contract_fail(expression: str, message: str) -> None:
    assert failure(expression, p={"n1": 1}) == message


def test_nulls_of_earlier_results_are_nulls() -> None:
    # The item of a loop over an expression's result is a variable that holds converted values.
    bindings = {"item": {"v": NullValue(0), "n": 3}}
    environment = Environment(frozenset({"item"}))
    for expression in ("item.v == null", "item.n + 1 == 4", "item.v != 0", "type(item.v) == null_type"):
        program = environment.compile(expression)
        assert program.evaluate(bindings) is True, expression
        assert program.evaluate_exactly(bindings) is True, expression
