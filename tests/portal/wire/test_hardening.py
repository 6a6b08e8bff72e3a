"""What the outer layer refuses before anything else looks at it, and what it tells browsers."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from portal.accounts.models import User, issue_token

PROJECTS = "/api/v1/namespaces/default/projects"


@pytest.fixture
def token(db: None) -> str:
    return issue_token(User.objects.create_superuser("root", password="correct horse battery"), "test")


def post(client: Client, token: str, body: str | bytes, path: str = PROJECTS) -> Any:
    return client.post(path, body, content_type="application/json", headers={"Authorization": f"Bearer {token}"})


def test_pages_load_nothing_from_elsewhere_and_are_framed_nowhere(client: Client, token: str) -> None:
    reply = client.get("/admin/login/")
    policy = reply.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert reply.headers["X-Frame-Options"] == "DENY"
    assert reply.headers["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
    reply = client.get("/api/v1/namespaces", headers={"Authorization": f"Bearer {token}"})
    assert reply.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


def test_attack_24_the_admin_takes_no_form_from_another_site(token: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get())
    assert strict.post("/admin/catalog/project/add/", {"text": "x"}).status_code == 403


def test_attack_24_passwords_cannot_be_guessed_forever(client: Client, token: str) -> None:
    def sign_in(password: str, address: str) -> int:
        form = {"username": "root", "password": password}
        return client.post("/admin/login/?next=/admin/", form, REMOTE_ADDR=address).status_code

    assert [sign_in("wrong", "192.0.2.1") for _ in range(11)] == [200] * 10 + [429]
    assert sign_in("correct horse battery", "192.0.2.1") == 429
    assert sign_in("correct horse battery", "192.0.2.2") == 302
