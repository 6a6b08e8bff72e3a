"""What is refused before anything is evaluated."""

from __future__ import annotations

import pytest

from tests.compiler.cel.expressions import compiled, evaluate, refusal


def only(expression: str, **variables: object) -> str:
    """The first line of the only fault, without its place."""
    lines = refusal(expression, **variables).split("\n | ")
    assert len(lines) == 3
    return lines[0].split(": ", 2)[2]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("1 == 1.0", "found no matching overload for '_==_' applied to '(int, double)'"),
        ("true == 1", "found no matching overload for '_==_' applied to '(bool, int)'"),
        ("1 + 'a'", "found no matching overload for '_+_' applied to '(int, string)'"),
        ("1 < 2.0", "found no matching overload for '_<_' applied to '(int, double)'"),
        ("1 in [1.0]", "found no matching overload for '@in' applied to '(int, list(double))'"),
        ("true ? 1 : 'a'", "found no matching overload for '_?_:_' applied to '(bool, int, string)'"),
        ("true ? 'x' : null", "found no matching overload for '_?_:_' applied to '(bool, string, null)'"),
        ("[1].join(',')", "found no matching overload for 'join' applied to 'list(int).(string)'"),
        ("size(1)", "found no matching overload for 'size' applied to '(int)'"),
        ("'a'.size(1)", "found no matching overload for 'size' applied to 'string.(int)'"),
        ("1 && true", "expected type 'bool' but found 'int'"),
        ("'a'.b", "type 'string' does not support field selection"),
        ("1.map(x, x)", "expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)"),
        ("[1].all(x, x)", "expected type 'bool' but found 'int'"),
        ("[?1]", "expected type 'optional_type(int)' but found 'int'"),
        ("{?'a': 1}", "expected type 'optional_type(int)' but found 'int'"),
        ("duration(5)", "found no matching overload for 'duration' applied to '(int)'"),
        ("x", "undeclared reference to 'x' (in container '')"),
        ("x.y.z", "undeclared reference to 'x' (in container '')"),
        ("has(x.y)", "undeclared reference to 'x' (in container '')"),
        ("false && x", "undeclared reference to 'x' (in container '')"),
        ("'a'.upperASCII()", "undeclared reference to 'upperASCII' (in container '')"),
        ("Point{x: 1}", "undeclared reference to 'Point' (in container '')"),
        (
            "oc_merge({1: 2}, {})",
            "found no matching overload for 'oc_merge' applied to '(map(int, int), map(dyn, dyn))'",
        ),
        ("oc_generate_name(1)", "found no matching overload for 'oc_generate_name' applied to '(int)'"),
    ],
)
def test_it_refuses(expression: str, message: str) -> None:
    assert only(expression) == message


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("p ? {'a': 1} : {'b': 'x'}", "applied to '(dyn, map(string, int), map(string, string))'"),
        ("[{'x': p}] + [{'y': [1]}]", None),
        ("[{'x': 1}] + [{'y': [1]}]", "applied to '(list(map(string, int)), list(map(string, list(int))))'"),
        ("p.a > 0 ? p : null", None),
        ("p.a == 1", None),
        ("p.a in [1, 2]", None),
        ("dyn(1) == 1.0", None),
        ("[1, 'a', null]", None),
    ],
)
def test_only_literals_have_types_of_their_own(expression: str, message: str | None) -> None:
    if message is None:
        compiled(expression, p={})
    else:
        assert message in only(expression, p={})


def test_every_fault_is_shown() -> None:
    said = refusal("a + b")
    assert "undeclared reference to 'a'" in said
    assert "undeclared reference to 'b'" in said


def test_numbers_of_two_types_are_ordered_inside_of_loops() -> None:
    assert evaluate("[1].exists(x, x < 1.5)") is True


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("[1, 2]", "list(int)"),
        ("[1, 'a']", "list(dyn)"),
        ("{'a': [1.0]}", "map(string, list(double))"),
        ("[]", "list(dyn)"),
        ("[] + [1]", "list(int)"),
        ("p.x", "dyn"),
        ("p.?x", "optional_type(dyn)"),
        ("[1].map(x, string(x))", "list(string)"),
        ("[1].transformMap(i, v, v)", "map(int, int)"),
        ("{'a': 1}.transformList(k, v, k)", "list(string)"),
        ("optional.of(1).optMap(x, 'a')", "optional_type(string)"),
        ("type(1)", "type(int)"),
        ("oc_merge(p, {'a': 1})", "map(string, dyn)"),
    ],
)
def test_it_finds_the_type_of_an_expression(expression: str, shown: str) -> None:
    assert str(compiled(expression, p={}).result_type) == shown


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("'%q'.format([1])", 'could not parse formatting clause: unrecognized formatting clause "q"'),
        ("'%d'.format(['a'])", "error during formatting: decimal clause can only be used on ints, uints, and doubles, "
         "was given string"),
        ("'%s %s'.format([1])", "index 1 out of range"),
        ("'%s'.format([1, 2])", "too many arguments supplied to string.format (expected 1, got 2)"),
        ("'%'.format([1])", "unexpected end of string"),
    ],
)  # fmt: skip
def test_literal_formats_are_checked(expression: str, message: str) -> None:
    assert only(expression) == message


def test_an_index_that_can_select_nothing_is_refused() -> None:
    assert refusal("p[null]", p={}) == "invalid qualifier type: types.Null"
