"""How texts are read, and what is said of those that cannot be."""

from __future__ import annotations

import pytest

from catalog.compiler.cel.values import UInt
from tests.compiler.cel.expressions import described, evaluate, refusal

STARTS = (
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0x1F", 31),
        ("-0x10", -16),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
        ("18446744073709551615u", UInt(2**64 - 1)),
        ("0xFFu", UInt(255)),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-2.5E-1", -0.25),
        ("true", True),
        ("null", None),
        ("'a\"b'", 'a"b'),
        ('"a\'b"', "a'b"),
        (r"'\a\b\f\n\r\t\v\\\'\"\`\?'", "\a\b\f\n\r\t\v\\'\"`?"),
        (r"'\x41\101\u00e9\U0001F600'", "AAé😀"),
        (r"r'\d\n'", r"\d\n"),
        ("'''a\n'b' \"c\"'''", "a\n'b' \"c\""),
        ('"""a"b"""', 'a"b'),
        ("'''a\r\nb'''", "a\nb"),
        (r"b'\xff\377é'", b"\xff\xff\xc3\xa9"),
        (r"rb'x'.size()", None),
        (r"bR'\x'", rb"\x"),
        ("1 // comment\n + 2", 3),
        ("[1, 2,]", [1, 2]),
        ("[,]", []),
        ("{'a': 1,}", {"a": 1}),
        ("{,}", {}),
        ("--1", 1),
        ("!!true", True),
        ("- 1", -1),
        ("{'a-b': 1}.`a-b`", 1),
    ],
)
def test_it_reads(text: str, value: object) -> None:
    if text.startswith("rb"):
        assert "Syntax error" in refusal(text)  # the letter of bytes comes first
        return
    assert described(evaluate(text))[1] == described(value)[1]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 3 - 2", 5),
        ("2 * 3 % 4", 2),
        ("-2 * 3", -6),
        ("1 + 2 == 3 && 2 < 3", True),
        ("true || false && false", True),
        ("false ? 1 : true ? 2 : 3", 2),
        ("1 in [1] == true", True),
        ("[[1, 2], [3]][0][1]", 2),
        ("{'a': {'b': [5]}}.a.b[0]", 5),
    ],
)
def test_operators_bind_in_their_order(text: str, value: object) -> None:
    assert evaluate(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"ERROR: <input>:1:1: Syntax error: mismatched input '<EOF>' expecting {STARTS}\n | \n | ^"),
        ("1 +", f"ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>' expecting {STARTS}\n | 1 +\n | ...^"),
        ("a b", "ERROR: <input>:1:3: Syntax error: extraneous input 'b' expecting <EOF>\n | a b\n | ..^"),
        ("a b c", "ERROR: <input>:1:3: Syntax error: mismatched input 'b' expecting <EOF>\n | a b c\n | ..^"),
        ("(1", "ERROR: <input>:1:3: Syntax error: mismatched input '<EOF>' expecting ')'\n | (1\n | ..^"),
        ("9223372036854775808", "ERROR: <input>:1:1: invalid int literal\n | 9223372036854775808\n | ^"),
        ("1e400", "ERROR: <input>:1:1: invalid double literal\n | 1e400\n | ^"),
        ("while", "ERROR: <input>:1:1: reserved identifier: while\n | while\n | ^"),
        ("1 +\n\t@", "ERROR: <input>:2:2: Syntax error: token recognition error at: '@'\n |  @\n | .^"),
        ("'é' + ", "ERROR: <input>:1:7: Syntax error: mismatched input '<EOF>' expecting"),
    ],
)
def test_it_shows_where_a_text_breaks(text: str, message: str) -> None:
    assert refusal(text).startswith(message)


def test_wide_characters_are_pointed_at_in_their_own_width() -> None:
    assert refusal("'é' + x").endswith("\n | 'é' + x\n | .．....^")


def test_all_faults_are_shown_in_the_order_of_the_text() -> None:
    said = refusal("for x")
    assert said.index("reserved identifier: for") < said.index("extraneous input 'x'")


def test_a_text_has_at_most_a_hundred_thousand_characters() -> None:
    assert evaluate("'" + "a" * 99_998 + "'") == "a" * 99_998
    said = refusal("'" + "a" * 99_999 + "'")
    assert said == "ERROR: <input>:-1:0: expression code point size exceeds limit: size: 100001, limit 100000"


@pytest.mark.parametrize("text", ["(" * 300 + "1" + ")" * 300, "[" * 300 + "]" * 300, "1" + " + 1" * 300])
def test_nesting_is_limited(text: str) -> None:
    assert "recursion" in refusal(text)


def test_long_chains_of_logic_are_no_nesting() -> None:
    assert evaluate(" && ".join(["true"] * 2000)) is True
