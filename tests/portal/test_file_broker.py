"""The broker of files: a worker never takes a message that is still being written."""

from __future__ import annotations

import os
import time
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from kombu import Connection

from portal.celery import app
from portal.file_broker import Transport

QUEUE = "celery"


@pytest.fixture
def channel(tmp_path: Path) -> Any:
    options = {"data_folder_in": str(tmp_path), "data_folder_out": str(tmp_path), "control_folder": str(tmp_path)}
    with Connection("filesystem://localhost//", transport_options=options) as connection:
        yield connection.channel()


def test_the_platform_uses_it_for_files(channel: Any) -> None:
    assert app.main == "stagecraft"
    assert isinstance(channel.connection.client.transport, Transport)


def test_a_message_that_is_being_written_is_not_there_yet(channel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen_meanwhile = []
    move = os.replace

    def look_and_move(draft: Path, final: Path) -> None:
        with pytest.raises(Empty):
            channel._get(QUEUE)
        seen_meanwhile.append(draft.read_text())
        move(draft, final)

    monkeypatch.setattr(os, "replace", look_and_move)
    channel._put(QUEUE, {"body": "wake up"})

    assert seen_meanwhile == ['{"body": "wake up"}']
    assert channel._get(QUEUE) == {"body": "wake up"}
    with pytest.raises(Empty):
        channel._get(QUEUE)


def test_messages_are_taken_in_the_order_in_which_they_came(channel: Any) -> None:
    for number in range(3):
        channel._put(QUEUE, {"number": number})
        time.sleep(0.002)

    assert [channel._get(QUEUE)["number"] for _ in range(3)] == [0, 1, 2]
