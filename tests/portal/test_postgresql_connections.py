"""A kept connection to PostgreSQL is looked at without asking, and one that has ended is made anew."""

from __future__ import annotations

import time

import psycopg
import pytest
from django.db import connection

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "'sqlite' in __import__('django.conf').conf.settings.DATABASES['default']['ENGINE']",
        reason="SQLite has no server",
    ),
]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent over the connection itself, below Django's own cursors."""
    connection.ensure_connection()
    sent: list[str] = []
    execute = psycopg.ClientCursor.execute

    def noted(self: object, query: str, *args: object, **named: object) -> object:
        sent.append(str(query))
        return execute(self, query, *args, **named)  # type: ignore[arg-type, type-var]

    monkeypatch.setattr(psycopg.ClientCursor, "execute", noted)
    return sent


def end_from_outside() -> None:
    """As a restart of the server does."""
    connection.ensure_connection()
    given = connection.get_connection_params()
    known = {name: given[name] for name in ("dbname", "user", "password", "host", "port") if given.get(name)}
    with psycopg.connect(**known, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
    deadline = time.monotonic() + 30
    while connection.is_usable():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_idle_connection_is_not_asked(asked: list[str]) -> None:
    assert connection.is_usable()
    assert asked == []


def test_one_that_the_server_has_ended_is_found_out_and_replaced() -> None:
    end_from_outside()
    assert not connection.is_usable()

    connection.health_check_enabled, connection.health_check_done = True, False
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_no_connection_is_not_usable() -> None:
    connection.close()
    assert not connection.is_usable()
