"""Loops over lists and maps, presence tests and the other macros."""

from __future__ import annotations

import pytest

from tests.compiler.cel.expressions import evaluate, failure, native, refusal

DOCUMENT = {
    "l": [3, 1, 2],
    "m": {"b": 2, "a": 1},
    "items": [{"name": "x", "port": 80}, {"name": "y"}],
    "endpoints": {"web": {"type": "HTTP", "port": 80}, "rpc": {"type": "gRPC", "port": 90}},
}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("p.l.map(x, x + 1.0)", [4, 2, 3]),
        ("p.l.map(x, x > 1, x * 2.0)", [6, 4]),
        ("p.l.filter(x, x > 1)", [3, 2]),
        ("p.l.all(x, x > 0)", True),
        ("p.l.exists(x, x > 2)", True),
        ("p.l.exists_one(x, x > 1)", False),
        ("[].all(x, x > 0)", True),
        ("p.m.map(k, k)", ["a", "b"]),
        ("p.m.filter(k, p.m[k] > 1)", ["b"]),
        ("p.m.all(k, v, v > 0)", True),
        ("p.l.exists(i, v, i == 1 && v == 1)", True),
        ("p.m.existsOne(k, v, v == 1)", True),
        ("p.m.exists_one(k, v, v == 1)", True),
        ("p.l.transformList(i, v, [i, v])", [[0, 3], [1, 1], [2, 2]]),
        ("p.m.transformList(k, v, v > 1, k)", ["b"]),
        ("p.l.transformMap(i, v, v)", {"0": 3, "1": 1, "2": 2}),
        ("p.endpoints.transformMap(n, e, e.type == 'HTTP', e.port)", {"web": 80}),
        ("p.m.transformMapEntry(k, v, {k + '!': v})", {"a!": 1, "b!": 2}),
        ("p.m.transformMapEntry(k, v, v > 1, {k: v, k + '2': v})", {"b": 2, "b2": 2}),
        ("p.l.map(x, p.l.map(y, x * y))", [[9, 3, 6], [3, 1, 2], [6, 2, 4]]),
        ("p.items.sortBy(i, i.name).map(i, i.name)", ["x", "y"]),
        ("p.l.sortBy(x, -x)", [3, 2, 1]),
        ("[].sortBy(x, x)", []),
    ],
)
def test_loops(expression: str, value: object) -> None:
    assert native(expression, p=DOCUMENT) == value


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("p.l.map(x, x + 1)", "no such overload"),
        ("p.l.filter(x, x)", "no such overload"),
        ("p.items.map(i, i.port)", "no such key: port"),
        ("p.items[0].name.map(x, x)", "got 'types.String', expected iterable type"),
        ("p.items[0].port.transformList(i, v, v)", "unsupported comprehension range type: types.Double"),
        ("p.l.transformMapEntry(i, v, {'k': v})", "insert failed: key k already exists"),
        ("p.items.sortBy(i, i)", "list elements must be comparable"),
        ("[1, 'a'].sortBy(x, x)", "list elements must have the same type"),
    ],
)
def test_loops_fail(expression: str, message: str) -> None:
    assert failure(expression, p=DOCUMENT) == message


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("[1].map(1, 2)", "argument is not an identifier"),
        ("[1].all('x', true)", "argument must be a simple name"),
        ("[1].all(x, x, true)", "duplicate variable name: x"),
        ("[1].map(__result__, 1)", "iteration variable overwrites accumulator variable"),
        ("has(p)", "invalid argument to has() macro"),
        ("has(p['a'])", "invalid argument to has() macro"),
        (
            "{}.sortBy(x, x)",
            "sortBy can only be applied to a list, identifier, comprehension, call or select expression",
        ),
        ("optional.of(1).optMap('x', 1)", "optMap() variable name must be a simple identifier"),
        ("math.least('a')", "math.least() invalid single argument value"),
        ("math.greatest(1, 'a')", "math.greatest() simple literal arguments must be numeric"),
        ("math.greatest()", "math.greatest() requires at least one argument"),
        ("oc_merge({})", "oc_merge requires at least 2 arguments"),
    ],
)
def test_wrong_arguments_are_named(expression: str, message: str) -> None:
    assert refusal(expression, p={}).split("\n")[0].endswith(message)


def test_the_inner_variable_hides_the_outer_one() -> None:
    assert evaluate("[1].map(x, [2].map(x, x))") == [[2]]
    assert evaluate("[5].map(p, p)", p={"a": 1}) == [5]


def test_a_leading_dot_means_the_variable_of_the_environment() -> None:
    assert evaluate("[5].map(p, .p.a)", p={"a": 1}) == [1.0]


def test_maps_are_visited_in_the_order_of_their_keys() -> None:
    document = dict.fromkeys(("z", "a", "é", "B", "10", "9"))
    assert evaluate("p.map(k, k)", p=document) == sorted(document)
    assert evaluate("{2: 0, 'b': 0, true: 0, 1u: 0, 'a': 0}.map(k, string(k))") == ["true", "1", "2", "a", "b"]
