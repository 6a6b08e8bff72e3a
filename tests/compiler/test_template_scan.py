"""Where expressions begin and end in a text."""

from __future__ import annotations

import pytest

from catalog.compiler.errors import ScanError
from catalog.compiler.template_scan import Expression, scan, whole_expression


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("plain {{x}} $y", ["plain {{x}} $y"]),
        ("${a}", [Expression("a")]),
        ("x ${a} y", ["x ", Expression("a"), " y"]),
        ("$${a}", ["$", Expression("a")]),
        ("${ {'k': {}} }", [Expression(" {'k': {}} ")]),
        ("${'}'}", [Expression("'}'")]),
        ('${"a\\"}"}', [Expression('"a\\"}"')]),
        ("${'${x}'}", [Expression("'${x}'")]),
        ("""${"it's }"}${b}""", [Expression('"it\'s }"'), Expression("b")]),
        ("${}", [Expression("")]),
    ],
)
def test_braces_are_counted_outside_quotes(text: str, pieces: list[str | Expression]) -> None:
    assert scan(text) == pieces


def test_an_expression_that_does_not_end_is_text_and_so_is_what_follows() -> None:
    assert scan("ok ${p.s} ${x and ${y}"[:12]) == ["ok ", Expression("p.s"), " ${"]


def test_a_nested_expression_must_be_quoted() -> None:
    with pytest.raises(ScanError, match="nested CEL expressions must be quoted: "):
        scan("${a + ${b}}")


@pytest.mark.parametrize("text", ["${a}", "  ${a}\n", "\u00a0${a}\u2028"])
def test_white_space_around_an_expression_leaves_it_whole(text: str) -> None:
    assert whole_expression(scan(text)) == Expression("a")


@pytest.mark.parametrize("text", ["${a}${b}", "x${a}", "\x1f${a}", "", "a"])
def test_anything_else_is_not_a_whole_expression(text: str) -> None:
    assert whole_expression(scan(text)) is None
