"""The replay finds what differs, maps only what must, and calls nothing deliberate that a rule does not name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.replay.comparison import Correspondence, Reply, differences
from tests.replay.deliberate import rules_for
from tests.replay.exchanges import Exchange, exchange_of, read_exchanges
from tests.replay.player import Result
from tests.replay.report import last_line

UID_1, UID_2 = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
OURS_1, OURS_2 = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa", "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"
JSON = {"content-type": "application/json"}


def recorded(body: Any, status: int = 200, path: str = "/api/v1/x", method: str = "GET", **headers: str) -> Exchange:
    text = body if isinstance(body, str) else json.dumps(body)
    return Exchange(1, "g", "admin", method, path, status=status, headers={**JSON, **headers}, response=text)


def reply(body: Any, status: int = 200, allow: str = "", content_type: str = "application/json") -> Reply:
    text = body if isinstance(body, str) else json.dumps(body)
    return Reply(status, {"content-type": content_type, "allow": allow}, text.encode())


def compare(left: Any, right: Any, known: Correspondence | None = None) -> list[str]:
    return differences(recorded(left), reply(right), known or Correspondence())


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"a": 1}, {"a": 1.0}),
        ({"at": "2026-11-21T02:36:44Z"}, {"at": "2027-01-01T00:00:00.5Z"}),
        ({"name": "web-20261121-1"}, {"name": "web-20270105-1"}),
        ({"conditions": [{"type": "A"}, {"type": "B"}]}, {"conditions": [{"type": "B"}, {"type": "A"}]}),
        ({"code": "X", "error": "a: 1; b: 2"}, {"code": "X", "error": "b: 2; a: 1"}),
        ({"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}}}, {"metadata": {}}),
        ({"pod": "c-4aaa385b-6659df848d-p8b2v"}, {"pod": "c-4aaa385b-574dd456f-4gdk9"}),
    ],
)
def test_what_varies_from_run_to_run_is_equal(left: Any, right: Any) -> None:
    assert compare(left, right) == []


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"a": 1}, {"a": True}),
        ({"a": "1"}, {"a": 1}),
        ({"a": None}, {}),
        ({"status": {}}, {}),
        ({}, {"generation": 1}),
        ({"items": []}, {"items": [{"metadata": {"name": "x"}}]}),
        ({"at": "2026-11-21T02:36:44Z"}, {"at": ""}),
        ({"conditions": [{"type": "A", "status": "True"}]}, {"conditions": [{"type": "A", "status": "False"}]}),
        ({"name": "c-4aaa385b"}, {"name": "c-5bbb385b"}),
        ({"items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]},
         {"items": [{"metadata": {"name": "b"}}, {"metadata": {"name": "a"}}]}),
    ],
)  # fmt: skip
def test_everything_else_is_a_difference(left: Any, right: Any) -> None:
    assert compare(left, right) != []


def test_a_uid_stands_for_one_uid_from_then_on() -> None:
    known = Correspondence()

    assert compare({"uid": UID_1}, {"uid": OURS_1}, known) == []
    assert compare({"uid": UID_2}, {"uid": OURS_2}, known) == []
    assert compare({"uid": UID_1}, {"uid": OURS_2}, known) == [f"body.uid is {OURS_2}, recorded {UID_1}"]


def test_status_content_type_and_allow_are_compared() -> None:
    known = Correspondence()
    assert differences(recorded({}), reply({}, 201), known) == ["201 {}, recorded 200 {}"]
    other = reply({}, content_type="text/plain")
    assert differences(recorded({}), other, known) == [
        "header content-type is 'text/plain', recorded 'application/json'"
    ]
    allowed = recorded({}, 405, allow="GET, POST")
    assert differences(allowed, reply({}, 405, allow="POST, GET"), known) == []
    assert len(differences(allowed, reply({}, 405, allow="GET"), known)) == 1


def test_texts_are_compared_exactly_save_what_go_says_of_its_types() -> None:
    plain = {"content-type": "text/plain"}
    said = "can't decode JSON body: json: cannot unmarshal number into Go struct field A.b"
    for ours, count in (("page not found", 1), (said, 0), ("can't decode JSON body: json: cannot unmarshal x", 0)):
        exchange = Exchange(1, "g", "admin", "GET", "/x", status=400, headers=plain, response=said)
        assert len(differences(exchange, Reply(400, plain, ours.encode()), Correspondence())) == count


def test_a_rule_covers_an_exchange_only_if_rules_name_every_line() -> None:
    listing = "/api/v1/namespaces/a/traits?limit=1"
    exchange = recorded({"items": [], "pagination": {"nextCursor": "x"}}, path=listing)
    right, wrong = reply({"items": [], "pagination": {}}), reply({"items": None, "pagination": {}})

    lines = differences(exchange, right, Correspondence())
    assert len(rules_for(exchange, right, lines, False)) == 1
    lines = differences(exchange, wrong, Correspondence())
    assert len(lines) == 2
    assert rules_for(exchange, wrong, lines, False) == ()


def test_a_missing_object_is_deliberate_only_after_its_deletion() -> None:
    exchange = recorded("", 204, "/api/v1/namespaces/a/traits/t", "DELETE")
    gone = reply({"code": "NOT_FOUND", "error": "Trait not found"}, 404)
    lines = differences(exchange, gone, Correspondence())

    assert rules_for(exchange, gone, lines, True) != ()
    assert rules_for(exchange, gone, lines, False) == ()


def test_a_second_file_adds_replies_to_set_up_requests_and_what_is_missing(tmp_path: Path) -> None:
    line = {"group": "g", "method": "GET", "path": "/x"}
    full = {"status": 200, "headers": {}, "response": ""}
    (tmp_path / "one").write_text(
        "\n".join(map(json.dumps, [{"n": 1, **line, "setup": True}, {"n": 3, **line, **full}]))
    )
    (tmp_path / "two").write_text("\n".join(map(json.dumps, [{"n": 2, **line, **full}, {"n": 1, **line, **full}])))

    found = read_exchanges(tmp_path / "one", tmp_path / "two")

    assert [(exchange.number, exchange.is_compared) for exchange in found] == [(1, True), (2, True), (3, True)]


def test_a_line_that_is_no_exchange_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad").write_text('{"n": 1}\n')

    with pytest.raises(ValueError, match="bad:1 is not a recorded exchange"):
        read_exchanges(tmp_path / "bad")


def test_set_up_requests_do_not_count() -> None:
    asked = exchange_of({"n": 1, "group": "g", "method": "PUT", "path": "/x"})
    answered = recorded({})

    assert last_line([Result(asked, ["set-up failed"]), Result(answered), Result(answered, ["x"])]) == (
        "1 equal, 0 deliberate, 1 different of 2 (50.0 %)"
    )
