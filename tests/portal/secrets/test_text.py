"""A secret in memory shows itself nowhere."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import sys
import traceback
from typing import Any

import orjson
import pytest
from django.views.debug import ExceptionReporter
from kombu.utils.json import dumps as broker_json
from rest_framework.utils.encoders import JSONEncoder

from portal.secrets import SecretText

CANARY = "canary-5b1f"


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        "{}".format,
        "{:>40}".format,
        lambda text: f"{text!r:.5}",
        lambda text: "%s %r" % (text, text),  # noqa: UP031
        lambda text: repr({"held": [text]}),
        lambda text: broker_json({"argument": text}),
        lambda text: repr(pickle.dumps(text)),
        lambda text: repr(pickle.loads(pickle.dumps([text]))[0].reveal()),  # noqa: S301
        lambda text: json.dumps({"a": text}, default=str),
        lambda text: orjson.dumps([text], default=str).decode(),
    ],
)
def test_no_way_of_writing_it_shows_it(show: Any) -> None:
    shown = show(SecretText(CANARY))
    assert CANARY not in shown


@pytest.mark.parametrize("dumps", [json.dumps, orjson.dumps, lambda value: json.dumps(value, cls=JSONEncoder)])
def test_plain_json_refuses_it(dumps: Any) -> None:
    with pytest.raises(TypeError):
        dumps({"a": SecretText(CANARY)})


def test_a_log_line_and_a_debug_page_do_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    held = SecretText(CANARY)
    logging.getLogger("x").error("with %s and %r", held, held, extra={"held": held})
    try:
        local = held
        raise ValueError(f"failed with {local}")
    except ValueError:
        report = ExceptionReporter(None, *sys.exc_info())  # type: ignore[arg-type]
        written = report.get_traceback_html() + report.get_traceback_text() + traceback.format_exc()
    assert CANARY not in caplog.text + repr([vars(record) for record in caplog.records])
    # The page quotes this file's lines, among them no plain text.
    assert CANARY not in written
    assert "(secret)" in written


def test_it_has_no_attributes_and_cannot_be_changed() -> None:
    held = SecretText(CANARY)
    assert not hasattr(held, "__dict__")
    with pytest.raises(AttributeError):
        held.text = "x"  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        held.__getstate__()
    with pytest.raises(TypeError):
        hash(held)


def test_reveal_gives_it_and_copies_keep_it() -> None:
    held = SecretText(CANARY)
    assert held.reveal() == CANARY
    assert copy.deepcopy([held])[0].reveal() == copy.copy(held).reveal() == SecretText(held).reveal() == CANARY
    assert held == SecretText(CANARY) and held == CANARY
    assert held != SecretText("other") and held != 5
    assert held and not SecretText("")
