"""Cursors are opaque and checked; query parameters are bound as Go binds them; request ids are honoured or made."""

from __future__ import annotations

import uuid

import pytest
from django.http import QueryDict
from django.test import RequestFactory

from portal.wire.cursors import BrokenCursor, decode_cursor, encode_cursor
from portal.wire.query import flag_parameter, limit_parameter, text_parameter
from portal.wire.request_ids import request_id_of, uuid7
from portal.wire.responses import Unreadable, clean_path


@pytest.mark.parametrize("name", ["web", "a" * 253, "ä"])
def test_a_cursor_gives_back_what_went_in_and_needs_no_escaping_in_a_url(name: str) -> None:
    cursor = encode_cursor(name, "ann")

    assert decode_cursor(cursor, "ann") == name
    assert cursor.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("cursor", ["", "e30", "eyJhIjoxfQ"])
def test_json_without_our_key_is_the_first_page(cursor: str) -> None:
    assert decode_cursor(cursor, "ann") == ""


@pytest.mark.parametrize("cursor", ["abc", "!!!!", "\0", "ü", "WzFd", "eyJhZnRlciI6NX0", encode_cursor("a\0", "ann")])
def test_a_broken_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BrokenCursor):
        decode_cursor(cursor, "ann")


@pytest.mark.parametrize(
    ("query", "limit"),
    [("", 20), ("limit=7", 7), ("limit=0", 1), ("limit=-5", 1), ("limit=500", 100), ("limit=%2B3", 3)],
)
def test_the_limit_is_clamped_and_never_refused_for_its_size(query: str, limit: int) -> None:
    assert limit_parameter(QueryDict(query)) == limit


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("limit=abc", 'strconv.ParseInt: parsing "abc": invalid syntax'),
        ("limit=", 'strconv.ParseInt: parsing "": invalid syntax'),
        ("limit=1.5", 'strconv.ParseInt: parsing "1.5": invalid syntax'),
        ("limit=1_0", "invalid syntax"),
        ("limit=99999999999999999999", "value out of range"),
        ("limit=" + "9" * 5000, "value out of range"),
        ("limit=2&limit=3", "multiple values for single value parameter 'limit'"),
    ],
)
def test_a_limit_that_is_no_number_is_refused(query: str, reason: str) -> None:
    with pytest.raises(Unreadable) as refused:
        limit_parameter(QueryDict(query))

    assert reason in str(refused.value)


def test_a_parameter_given_twice_is_refused_and_an_unknown_one_ignored() -> None:
    assert text_parameter(QueryDict("x=1&y=2"), "y") == "2"
    with pytest.raises(Unreadable):
        text_parameter(QueryDict("y=1&y=2"), "y")


def test_a_flag_is_true_or_false_and_nothing_else() -> None:
    assert flag_parameter(QueryDict("dryRun=true"), "dryRun")
    assert not flag_parameter(QueryDict(""), "dryRun")
    with pytest.raises(Unreadable):
        flag_parameter(QueryDict("dryRun=maybe"), "dryRun")


def test_a_request_id_is_taken_from_the_client() -> None:
    assert request_id_of(RequestFactory().get("/", headers={"X-Request-ID": "abc-1"})) == "abc-1"


@pytest.mark.parametrize("given", ["", "x" * 65, "two words", "ü"])
def test_a_request_id_that_would_spoil_a_log_is_replaced(given: str) -> None:
    made = request_id_of(RequestFactory().get("/", headers={"X-Request-ID": given}))

    assert uuid.UUID(made).version == 7


def test_made_ids_are_unique_and_sorted_by_time() -> None:
    made = [uuid.UUID(uuid7()) for _ in range(100)]

    assert len(set(made)) == 100
    assert [item.int >> 80 for item in made] == sorted(item.int >> 80 for item in made)
    assert all(item.variant == uuid.RFC_4122 for item in made)


@pytest.mark.parametrize(
    ("path", "clean"),
    [("/", "/"), ("/a//b", "/a/b"), ("/a/./b/", "/a/b/"), ("/a/../b", "/b"), ("//evil.example", "/evil.example")],
)
def test_paths_are_cleaned(path: str, clean: str) -> None:
    assert clean_path(path) == clean
