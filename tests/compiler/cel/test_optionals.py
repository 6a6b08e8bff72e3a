"""Optional members, optional values, and what they become in documents."""

from __future__ import annotations

import pytest

from tests.compiler.cel.expressions import evaluate, failure, native

DOCUMENT = {"a": {"b": 1, "z": None}, "l": [1, 2], "s": "x"}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("p.?a.?b.orValue(0)", 1.0),
        ("p.?a.b.orValue(0)", 1.0),
        ("p.?x.y.z.orValue('none')", "none"),
        ("p.?x.?y.hasValue()", False),
        ("p.?s.?x.orValue('none')", "none"),
        ("p.?a.?z.hasValue()", True),
        ("p.?a.?z.orValue('x')", None),
        ("p.l[?0].orValue(9)", 1.0),
        ("p.l[?9].orValue(9)", 9),
        ("p[?'a'][?'b'].value()", 1.0),
        ("has(p.?x.y)", False),
        ("has(p.?a.b)", True),
        ("optional.of({'k': 1}).k.value()", 1),
        ("optional.none().or(optional.of(2)).value()", 2),
        ("p.?x.or(p.?s).orValue('none')", "x"),
        ("optional.ofNonZeroValue('').hasValue()", False),
        ("optional.ofNonZeroValue([1]).hasValue()", True),
        ("p.?a.optMap(a, a.b + 1.0).orValue(0.0)", 2.0),
        ("p.?x.optMap(a, a.b + 1.0).hasValue()", False),
        ("p.?a.optFlatMap(a, a.?nope).hasValue()", False),
        ("[?p.?s, ?p.?nope, 'z']", ["x", "z"]),
        ("{?'k': p.?s, ?'n': p.?nope}", {"k": "x"}),
        ("{'k': 1, ?'k': p.?nope}", {}),
        ("[optional.of(1), optional.none()].unwrapOpt()", [1]),
        ("optional.unwrap([p.?s, p.?nope])", ["x"]),
        ("optional.of(1) == optional.of(1)", True),
        ("optional.none() == optional.none()", True),
        ("[p.?s, p.?nope].filter(o, o.hasValue()).map(o, o.value())", ["x"]),
    ],
)
def test_it_gives(expression: str, value: object) -> None:
    assert evaluate(expression, p=DOCUMENT) == value


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("p.?nope.value()", "optional.none() dereference"),
        ("p.l.?x", "unsupported index type 'string' in list"),
        ("p.s.orValue(1)", "no such overload"),
        ("p.s.hasValue()", "no such overload: hasValue(string)"),
        ("p.s.optMap(x, x)", "no such overload: hasValue(string)"),
        ("[?p.s]", "cannot initialize optional list element from non-optional value x"),
        ("{?'k': p.s}", "cannot initialize optional entry 'k' from non-optional value x"),
        ("p.x.?y", "no such key: x"),
    ],
)
def test_it_fails(expression: str, message: str) -> None:
    assert failure(expression, p=DOCUMENT) == message


def test_an_alternative_is_looked_at_only_when_needed() -> None:
    assert evaluate("p.?s.orValue(p.nope)", p=DOCUMENT) == "x"
    assert evaluate("p.?s.or(p.nope)", p=DOCUMENT).value == "x"


def test_an_optional_as_the_whole_result_becomes_its_value_or_nothing() -> None:
    assert native("p.?s", p=DOCUMENT) == "x"
    assert native("p.?nope", p=DOCUMENT) is None
    assert native("[p.?s, p.?nope]", p=DOCUMENT) == ["x", None]
