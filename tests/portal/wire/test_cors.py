"""Which pages of other origins a browser lets call the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from portal.settings import origins

HERE = "https://backstage.example"
PREFLIGHT = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}
PATH = "/api/v1/namespaces"


@pytest.fixture
def allowed(settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = [HERE]


def test_by_default_options_is_refused_and_no_reply_speaks_of_origins(db: None) -> None:
    reply = Client().options(PATH, headers={"Origin": HERE, **PREFLIGHT})

    assert reply.status_code == 405
    assert not [name for name in reply.headers if name.startswith("Access-Control")]


def test_a_preflight_of_an_allowed_origin_is_answered(allowed: None) -> None:
    reply = Client().options(PATH, headers={"Origin": HERE, **PREFLIGHT})

    assert reply.status_code == 204
    assert reply["Access-Control-Allow-Origin"] == HERE
    assert "PUT" in reply["Access-Control-Allow-Methods"]
    assert "Authorization" in reply["Access-Control-Allow-Headers"]
    assert "Origin" in reply["Vary"]


def test_replies_to_an_allowed_origin_may_be_read_even_if_they_are_refusals(allowed: None, db: None) -> None:
    reply = Client().get(PATH, headers={"Origin": HERE})

    assert reply.status_code == 401
    assert reply["Access-Control-Allow-Origin"] == HERE


@pytest.mark.parametrize("origin", ["https://evil.example", f"{HERE}.evil.example", "null", HERE.upper(), ""])
def test_any_other_origin_gets_nothing(allowed: None, db: None, origin: str) -> None:
    for method in ("options", "get"):
        reply = getattr(Client(), method)(PATH, headers={"Origin": origin, **PREFLIGHT})

        assert "Access-Control-Allow-Origin" not in reply.headers


def test_the_admin_is_never_opened(allowed: None, db: None) -> None:
    reply = Client().get("/admin/login/", headers={"Origin": HERE})

    assert "Access-Control-Allow-Origin" not in reply.headers


@pytest.mark.parametrize("given", ["*", "https://a.example/", "https://a.example/x", "a.example", "file://x", "null"])
def test_what_is_no_exact_origin_is_refused_at_start(given: str) -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        origins(given)


def test_several_origins_may_be_named() -> None:
    assert origins("https://a.example, http://127.0.0.1:3000") == ["https://a.example", "http://127.0.0.1:3000"]
