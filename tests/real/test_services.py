"""The helpers themselves: what they start is there, is ours, and is gone afterwards."""

from __future__ import annotations

import os

import pytest

from tests.conftest import missing
from tests.real import services


def start(function):
    try:
        return function()
    except services.Unavailable as reason:
        missing(function.__name__.removeprefix("start_"), str(reason))


@pytest.mark.real("postgresql")
def test_postgresql_starts_on_a_port_of_its_own_and_leaves_nothing_behind():
    import psycopg

    with start(services.start_postgresql) as first, start(services.start_postgresql) as second:
        assert first.url != second.url
        with psycopg.connect(first.url) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == ("stagecraft",)
    assert not first.directory.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(first.process.pid, 0)


@pytest.mark.real("redis")
def test_redis_comes_back_on_the_same_port_after_a_kill():
    with start(services.start_redis) as redis:
        redis.kill()
        assert not services.answers(redis.port)
        redis.start()
        redis.wait_until(lambda: services.answers(redis.port))
    assert not services.answers(redis.port)
    assert not redis.directory.exists()


def test_a_program_that_cannot_be_had_says_why(monkeypatch):
    monkeypatch.setattr(services.shutil, "which", lambda name: None)
    with pytest.raises(services.Unavailable, match="not installed"):
        services.start_redis()
