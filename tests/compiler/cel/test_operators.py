"""Arithmetic, equality, order and logic, with their errors."""

from __future__ import annotations

import math

import pytest

from catalog.compiler.cel.values import UInt
from tests.compiler.cel.expressions import described, evaluate, failure

DOCUMENT = {"n": 3, "f": 2.5, "s": "x", "b": True, "z": None, "l": [1, 2, 3], "m": {"a": 1, "n": None}}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("7 / 2", 3),
        ("-7 / 2", -3),
        ("-7 % 3", -1),
        ("7 % -3", 1),
        ("7u / 2u", UInt(3)),
        ("1.0 / 0.0", math.inf),
        ("-1.0 / 0.0", -math.inf),
        ("p.n + 1.0", 4.0),
        ("int(p.n) + 1", 4),
        ("-p.f", -2.5),
        ("'a' + 'b' + p.s", "abx"),
        ("b'a' + b'b'", b"ab"),
        ("[1] + [2]", [1, 2]),
        ("duration('1h') + duration('30m') == duration('90m')", True),
        ("timestamp('2020-01-01T00:00:00Z') - timestamp('2019-12-31T00:00:00Z') == duration('24h')", True),
    ],
)
def test_arithmetic(expression: str, value: object) -> None:
    assert described(evaluate(expression, p=DOCUMENT))[1] == described(value)[1]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("1 / 0", "division by zero"),
        ("1 % 0", "modulus by zero"),
        ("9223372036854775807 + 1", "integer overflow"),
        ("-9223372036854775808 - 1", "integer overflow"),
        ("-(-9223372036854775808)", "integer overflow"),
        ("-9223372036854775808 / -1", "integer overflow"),
        ("0u - 1u", "unsigned integer overflow"),
        ("p.n + 1", "no such overload"),
        ("p.s + 1", "no such overload"),
        ("p.b + p.b", "no such overload: _+_"),
        ("p.z < 1", "no such overload: _<_"),
        ("p.s < 1", "no such overload"),
        ("p.s - p.s", "no such overload"),
        ("p.l - p.l", "no such overload: _-_"),
        ("!p.s", "no such overload"),
        ("p.s ? 1 : 2", "no such overload"),
        ("p.n in p.s", "no such overload"),
        ("timestamp('9999-12-31T23:59:59Z') + duration('1s')", "timestamp overflow"),
    ],
)  # fmt: skip
def test_arithmetic_fails(expression: str, message: str) -> None:
    assert failure(expression, p=DOCUMENT) == message


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("p.n == 3", True),
        ("p.n == 3u", True),
        ("p.b == 1", False),
        ("dyn(1) == true", False),
        ("dyn(0) == false", False),
        ("p.n in [1, 2, 3]", True),
        ("p.b in [1]", False),
        ("p.m == {'a': 1, 'n': null}", True),
        ("p.l == [1, 2, 3]", True),
        ("p.l == [1, 2]", False),
        ("p.z == null", True),
        ("p.s == null", False),
        ("dyn([true]) == [1]", False),
        ("dyn({'a': true}) == {'a': 1.0}", False),
        ("0.0 / 0.0 == 0.0 / 0.0", False),
        ("dyn(9007199254740993) == 9007199254740992.0", True),
        ("dyn(1) < 1.5", True),
        ("dyn(2u) > 1", True),
        ("'Z' < 'a'", True),
        ("false < true", True),
        ("b'a' < b'b'", True),
        ("0.0 / 0.0 < 1.0", False),
        ("'a' in p.m", True),
        ("'x' in p.m", False),
        ("'x' in {'x': 1}", True),
        ("dyn(1) in {1u: 'a'}", True),
        ("type(p.n) == double", True),
        ("type(type(1)) == type", True),
    ],
)
def test_equality_and_order(expression: str, value: bool) -> None:
    assert evaluate(expression, p=DOCUMENT) is value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("p.nope || true", True),
        ("true || p.nope", True),
        ("p.nope && false", False),
        ("p.s || true", True),
        ("p.s && false", False),
        ("[1, 2].exists(x, x / 0 == 1 || x == 2)", True),
        ("[0, 1].exists(x, 1 / x == 1)", True),
        ("[0, 2].all(x, 1 / x == 1)", False),
    ],
)
def test_what_decides_absorbs_errors(expression: str, value: bool) -> None:
    assert evaluate(expression, p=DOCUMENT) is value


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("p.nope && true", "no such key: nope"),
        ("false || p.nope", "no such key: nope"),
        ("p.s && true", "no such overload"),
        ("p.nope && 1 / 0 == 1", "no such key: nope"),
        ("[0, 1].all(x, 1 / x == 1)", "division by zero"),
        ("p.nope ? 1 : 2", "no such key: nope"),
    ],
)
def test_what_does_not_decide_fails(expression: str, message: str) -> None:
    assert failure(expression, p=DOCUMENT) == message


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("p.l[p.n - 1.0]", 3.0),
        ("p.l[0u]", 1.0),
        ("p['s']", "x"),
        ("{1: 'a', true: 'b', 'c': 1.5}[true]", "b"),
        ("{1: 'a'}[dyn(1u)]", "a"),
        ("{1: 'a'}[dyn(1.0)]", "a"),
        ("{'a': 1, 'a': 2}.a", 2),
        ("has(p.z)", True),
        ("has(p.nope)", False),
        ("has(p.s.x)", False),
        ("has({'a': null}.a)", True),
    ],
)
def test_members(expression: str, value: object) -> None:
    assert described(evaluate(expression, p=DOCUMENT)) == described(value)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("p.nope", "no such key: nope"),
        ("p.s.x", "no such key: x"),
        ("p['nope']", "no such key: nope"),
        ("p[1]", "no such key: 1"),
        ("p.l[3]", "index out of bounds: 3"),
        ("p.l[-1]", "index out of bounds: -1"),
        ("p.l[1.5]", "unsupported index value 1.5 in list"),
        ("p.l['a']", "unsupported index type 'string' in list"),
        ("p.l.x", "unsupported index type 'string' in list"),
        ("p.s[0]", "no such key: 0"),
        ("has(p.nope.x)", "no such key: nope"),
        ("has(p.l.x)", "unsupported index type 'string' in list"),
        ("p[p.l]", "invalid qualifier type: *types.baseList"),
    ],
)
def test_members_that_are_not_there(expression: str, message: str) -> None:
    assert failure(expression, p=DOCUMENT) == message
