"""JSON is written as Go writes it, and errors are worded as Go words them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from portal.wire.gojson import UndecodableJSON, decode, encode


def test_written_json_is_sorted_escaped_and_ends_with_a_newline() -> None:
    assert encode({"b": "<a & b>", "a": "\u2028é"}) == b'{"a":"\\u2028\xc3\xa9","b":"\\u003ca \\u0026 b\\u003e"}\n'


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b' {"a": 1} trailing', {"a": 1}),
        (b'{"a":1}{"b":2}', {"a": 1}),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b"null", None),
        (b'"\xff"', "\ufffd"),
    ],
)
def test_the_first_value_counts_and_of_equal_keys_the_last(body: bytes, value: Any) -> None:
    assert decode(body) == value


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "EOF"),
        (b"  \n", "EOF"),
        (b'{"metadata":', "unexpected EOF"),
        (b'{"a": "x', "unexpected EOF"),
        (b"{bad", "invalid character 'b' looking for beginning of object key string"),
        (b'{"a" 1}', "invalid character '1' after object key"),
        (b'{"a":1 "b"}', "invalid character '\"' after object key:value pair"),
        (b"[1 2]", "invalid character '2' after array element"),
        (b'{"a":[{"x":"]"}, 1} ', "invalid character '}' after array element"),
        (b"hello", "invalid character 'h' looking for beginning of value"),
        (b'"a\nb"', "invalid character '\\n' in string literal"),
        (b'"\\x"', "invalid character 'x' in string escape code"),
        (b"NaN", "invalid character 'N' looking for beginning of value"),
    ],
)
def test_errors_are_worded_as_go_words_them(body: bytes, text: str) -> None:
    with pytest.raises(UndecodableJSON, match=f"^{re.escape(text)}$"):
        decode(body)


def test_deep_nesting_is_refused_and_does_not_end_the_process() -> None:
    with pytest.raises(UndecodableJSON):
        decode(b"[" * 200_000)
