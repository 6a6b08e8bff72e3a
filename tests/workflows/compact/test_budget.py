"""The estimate of tokens, the cutting of answers, and text that cannot break out of its cell."""

from __future__ import annotations

import random
import string
from typing import Any

import orjson
import pytest

from tests.portal.mcp.tokens import ENCODINGS, tokens
from workflows.compact.budget import Cursor, estimated, pieces_of, shown
from workflows.compact.json_parts import part_of
from workflows.compact.text import lines_of, rendered, scalar, table

chance = random.Random(5)  # noqa: S311 - the same texts in every run
SAMPLES = (
    "name | status | latestRelease",
    "cart-5d8f7c9b6-x2x7p | ReleaseSynced | cart-844449cd5f | 2026-11-21T18:16:05Z",
    "The quick brown fox jumps over the lazy dog; internationalisation of observability is not trivial.",
    'openchoreo.dev/project: {kind: ClusterProjectType, name: default} "quoted \\"text\\""',
    "https://registry.example.org/v2/shop/cart@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "java.lang.NullPointerException: Cannot invoke getName() on null at com.example.Cart.total(Cart.java:42)",
    "ERROR zahlung fehlgeschlagen: Überweisung wurde zurückgewiesen — bitte prüfen",
    "支払いがタイムアウトしました 🚨🚨 order=4711",
    "".join(chance.choices(string.ascii_letters + string.digits + "+/", k=400)),
    "".join(chance.choices(string.ascii_lowercase, k=400)),
    "".join(chance.choices(string.punctuation, k=400)),
    "".join(chance.choices("0123456789abcdef", k=400)),
    " " * 200 + "\n" * 50 + "\t" * 50,
)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("text", SAMPLES)
def test_the_estimate_is_rather_too_high_than_too_low(text: str, encoding: str) -> None:
    real = tokens(text, encoding)
    assert real * 0.95 <= estimated(text) + 2
    assert estimated(text) <= max(real * 2.5, real + 20) or text.isspace()


def rows_of(count: int) -> dict[str, Any]:
    return {"components": [{"name": f"component-{number}", "status": "Ready", "n": number} for number in range(count)]}


def follow(result: dict[str, Any], **given: Any) -> list[str]:
    """All lines of an answer, part by part, each within its budget."""
    lines: list[str] = []
    while True:
        heading, summary, all_lines = rendered(result)
        text = shown(heading, summary, all_lines, given)
        for encoding in ENCODINGS:
            assert tokens(text, encoding) <= given["max_tokens"]
        part = text.split("\n")
        last = part[-1]
        more = last.startswith("… ") and "cursor=" in last
        lines += [line for line in (part[:-1] if more else part) if line not in (*heading.split("\n"), summary)]
        if not more:
            return lines
        given["cursor"] = last.rpartition("cursor=")[2]


@pytest.mark.parametrize("budget", [200, 333, 1000, 5000])
def test_an_answer_that_does_not_fit_goes_on_by_cursor_and_loses_nothing(budget: int) -> None:
    result = rows_of(300)
    assert follow(result, max_tokens=budget) == rendered(result)[2]


def test_a_list_that_is_cut_says_how_many_there_are_and_in_which_state() -> None:
    text = shown(*rendered(rows_of(300)), {"max_tokens": 200})
    assert text.startswith("300 components: 300 Ready\n")
    assert "more lines here; cursor=" in text


def test_a_line_that_is_too_long_comes_in_pieces_that_make_it_whole() -> None:
    line = "".join(chance.choices(string.printable.replace("\n", ""), k=5000))
    pieces = pieces_of(line)
    assert all(estimated(piece) <= 102 for piece in pieces)
    assert pieces[0] + "".join(piece.removeprefix("… ") for piece in pieces[1:]) == line


def test_json_is_cut_between_items_and_other_objects_in_parts_that_make_them_whole() -> None:
    result, given, names = rows_of(100), {"max_tokens": 300}, []
    while True:
        part, cursor = part_of(result, given)
        names += [row["name"] for row in part["components"]]
        if not cursor:
            break
        given["cursor"] = cursor
    assert names == [f"component-{number}" for number in range(100)]
    spec = {"spec": {f"field-{number}": "x" * 50 for number in range(100)}}
    given, text = {"max_tokens": 300}, ""
    while True:
        part, cursor = part_of(spec, given)
        text += part["json_part"]
        if not cursor:
            break
        given["cursor"] = cursor
    assert orjson.loads(text) == spec


def test_an_item_that_fits_into_no_answer_says_so_in_its_place() -> None:
    part, cursor = part_of({"logs": [{"log": "x y " * 3000}, {"log": "short"}]}, {"max_tokens": 300})
    assert "raise max_tokens" in part["logs"][0]["omitted"]
    assert cursor


@pytest.mark.parametrize("cursor", ["x", "WzFd", "e30", "ééé", "WyJhIiwtMV0", "A" * 10_000])
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor is none of this server's"):
        Cursor.of({"cursor": cursor})


@pytest.mark.parametrize(
    "text",
    [
        "a | b",
        "a\nname: admin",
        'say "x"',
        "… more; cursor=x",
        "  padded ",
        "",
        "{a: 1}",
        "a\tb",
        "\x1b[31mred",
        "safe\u202egnp.exe",
        "tag\U000e0041s",
        "a\u2028b",
    ],
)
def test_text_of_others_stays_in_its_cell(text: str) -> None:
    written = scalar(text)
    assert orjson.loads(written) == text
    assert written.isprintable()
    _, lines = table([{"name": "one", "log": text}, {"name": "two", "log": "fine"}])
    assert len(lines) == 2
    assert all("\n" not in line for line in [*lines, *lines_of({"log": text})])


def test_columns_that_are_the_same_everywhere_stand_once() -> None:
    heading, lines = table([{"name": name, "project": "shop", "empty": ""} for name in "abc"])
    assert heading == "all: project=shop\nname"
    assert lines == ["a", "b", "c"]
