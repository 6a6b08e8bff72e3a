"""The access log: who did what and how long it took, and nothing that could sign anybody in."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.catalog.api.conftest import ApiClient, admin, api  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines() -> Iterator[Any]:
    """What the log holds so far, as JSON."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    log = logging.getLogger("stagecraft.access")
    log.addHandler(handler)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    log.removeHandler(handler)


def test_a_request_is_one_line_with_its_caller(api: ApiClient, lines: Any) -> None:  # noqa: F811
    api.get("/api/v1/namespaces?limit=1&secret=hunter2", **{"X-Request-ID": "from-me", "User-Agent": "occ/1.2"})

    (line,) = lines()
    assert (
        line.items()
        >= {
            "method": "GET",
            "path": "/api/v1/namespaces",
            "status": 200,
            "user": "admin",
            "kind": "human",
            "client_request_id": "from-me",
            "ip": "127.0.0.1",
            "agent": "occ/1.2",
        }.items()
    )
    assert line["credential"].startswith("token:")
    assert line["bytes"] > 0
    assert line["ms"] > 0
    assert len(line["request_id"]) == 36


def test_neither_tokens_nor_query_strings_are_written(api: ApiClient, lines: Any) -> None:  # noqa: F811
    api.get("/api/v1/namespaces?token=hunter2")
    api.get("/api/v1/namespaces", Authorization="Bearer stg_not-a-token-of-anybody")

    written = json.dumps(lines())
    assert api.token not in written
    assert "hunter2" not in written
    assert "stg_" not in written


def test_a_refused_caller_is_a_line_without_a_name(lines: Any) -> None:
    Client().get("/api/v1/namespaces")

    (line,) = lines()
    assert line["status"] == 401
    assert "user" not in line


def test_a_path_cannot_forge_a_second_line(lines: Any) -> None:
    Client().get('/api/v1/x%0A{"status":200}')

    assert len(lines()) == 1


def test_probes_that_succeed_are_left_out(lines: Any) -> None:
    Client().get("/health")

    assert lines() == []


def test_a_page_of_the_admin_names_who_is_signed_in(api: ApiClient, admin: Any, lines: Any) -> None:  # noqa: F811
    api.client.force_login(admin)
    api.client.get("/admin/")

    assert lines()[-1].items() >= {"path": "/admin/", "user": "admin", "credential": "session"}.items()
