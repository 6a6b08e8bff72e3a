"""Functions of lists, sets, numbers, timestamps and durations."""

from __future__ import annotations

import math

import pytest

from catalog.compiler.cel.values import UInt
from tests.compiler.cel.expressions import described, evaluate, failure

LISTS = [
    ("[1, 2, 3, 4].slice(1, 3)", [2, 3]),
    ("[1, [2, [3]]].flatten()", [1, 2, [3]]),
    ("[1, [2, [3]]].flatten(2)", [1, 2, 3]),
    ("[3, 1, 2].sort()", [1, 2, 3]),
    ("['b', 'a'].sort()", ["a", "b"]),
    ("[1, 2].reverse()", [2, 1]),
    ("[1, 2u, 1.0, 'a', 'a', [1], [1.0]].distinct()", [1, UInt(2), "a", [1]]),
    ("[true, dyn(1)].distinct()", [True, 1]),
    ("lists.range(3)", [0, 1, 2]),
    ("[1, 2].first().value() + [1, 2].last().value()", 3),
    ("[].first().hasValue()", False),
    ("sets.contains([1, 2, 3], [2.0, 3u])", True),
    ("sets.equivalent([1, 1], dyn([1u]))", True),
    ("sets.intersects([1], [2])", False),
]
NUMBERS = [
    ("math.greatest(1, 2.5, 2u)", 2.5),
    ("math.least([3, 1, 2])", 1),
    ("math.greatest(p.l)", 3.0),
    ("math.ceil(1.2)", 2.0),
    ("math.ceil(-0.5)", -0.0),
    ("math.floor(-1.2)", -2.0),
    ("math.round(2.5)", 3.0),
    ("math.round(-2.5)", -3.0),
    ("math.round(0.49999999999999994)", 0.0),
    ("math.trunc(-1.9)", -1.0),
    ("math.abs(-5)", 5),
    ("math.sign(-2.0)", -1.0),
    ("math.sign(3u)", UInt(1)),
    ("math.sqrt(16)", 4.0),
    ("math.isNaN(math.sqrt(-1.0))", True),
    ("math.isInf(1.0 / 0.0) && !math.isFinite(1.0 / 0.0)", True),
    ("math.bitAnd(6, 3) + math.bitOr(6, 3) + math.bitXor(6, 3)", 14),
    ("math.bitNot(0u)", UInt(2**64 - 1)),
    ("math.bitShiftLeft(1, 63)", -(2**63)),
    ("math.bitShiftRight(-1, 60)", 15),
    ("math.bitShiftLeft(1, 64)", 0),
]
TIMES = [
    ("timestamp('2023-12-25T12:34:56.789Z').getFullYear()", 2023),
    ("timestamp('2023-12-25T00:00:00Z').getMonth()", 11),
    ("timestamp('2023-12-25T00:00:00Z').getDate()", 25),
    ("timestamp('2023-12-25T00:00:00Z').getDayOfMonth()", 24),
    ("timestamp('2023-12-25T00:00:00Z').getDayOfWeek()", 1),
    ("timestamp('2023-12-31T00:00:00Z').getDayOfYear()", 364),
    ("timestamp('2023-12-25T12:34:56.789Z').getMilliseconds()", 789),
    ("timestamp('2023-12-25T12:34:56Z').getHours('America/New_York')", 7),
    ("timestamp('2023-12-25T12:34:56Z').getMinutes('+05:30')", 4),
    ("timestamp('2023-12-25T12:34:56+02:00') == timestamp('2023-12-25T10:34:56Z')", True),
    ("string(timestamp(0))", "1970-01-01T00:00:00Z"),
    ("int(timestamp('1970-01-01T00:01:00Z'))", 60),
    ("string(timestamp('2020-02-29T00:00:00Z') + duration('24h0.5s'))", "2020-03-01T00:00:00.5Z"),
    ("duration('1h30m').getMinutes()", 90),
    ("duration('-1.5s').getSeconds()", -1),
    ("int(duration('1us'))", 1000),
    ("duration('1h') > duration('59m')", True),
    ("string(duration('1ms500us'))", "0.0015s"),
]


@pytest.mark.parametrize(("expression", "value"), LISTS + NUMBERS + TIMES)
def test_it_gives(expression: str, value: object) -> None:
    found = evaluate(expression, p={"l": [3, 1, 2]})
    if isinstance(value, float) and math.isnan(value):
        assert math.isnan(found)
    else:
        assert _plain(described(found)) == _plain(described(value))


def _plain(description: object) -> object:
    """Forget whether a list is one of the context."""
    kind, content = description  # type: ignore[misc]
    return [_plain(item) for item in content] if isinstance(content, list) else (kind, content)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("[1].slice(-1, 1)", "cannot slice(-1, 1), negative indexes not supported"),
        ("[1].slice(1, 0)", "cannot slice(1, 0), start index must be less than or equal to end index"),
        ("[1].slice(0, 2)", "cannot slice(0, 2), list is length 1"),
        ("[1].flatten(-1)", "level must be non-negative"),
        ("p.mixed.sort()", "list elements must have the same type"),
        ("p.maps.sort()", "list elements must be comparable"),
        ("lists.range(-1)", "lists.range: size must be non-negative, got -1"),
        ("lists.range(1000001)", "lists.range: size 1000001 exceeds maximum allowed (1000000)"),
        ("math.greatest(p.empty)", "no such overload: math.@max(map)"),
        ("math.abs(-9223372036854775808)", "integer overflow"),
        ("math.bitShiftLeft(1, -1)", "math.bitShiftLeft() negative offset: -1"),
        ("timestamp('2023-13-01T00:00:00Z')", 'invalid RFC 3339 timestamp "2023-13-01T00:00:00Z"'),
        ("timestamp('2023-02-30T00:00:00Z')", "type conversion error from 'string' to 'google.protobuf.Timestamp'"),
        ("timestamp('yesterday')", 'invalid RFC 3339 timestamp "yesterday"'),
        ("duration('1 h')", "type conversion error from 'string' to 'google.protobuf.Duration'"),
        ("duration('10000000000h')", "type conversion error from 'string' to 'google.protobuf.Duration'"),
        ("timestamp(0).getHours('Mars/Olympus')", "unknown time zone Mars/Olympus"),
    ],
)
def test_it_fails(expression: str, message: str) -> None:
    assert failure(expression, p={"mixed": [1, "a"], "maps": [{}, {}], "empty": {}}) == message
