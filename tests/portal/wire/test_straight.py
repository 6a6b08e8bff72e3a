"""Requests of programs pass by what serves pages, and lose nothing that protects anybody."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils.module_loading import import_string

from portal.accounts.models import User
from portal.wire.straight import StraightToView, innermost

pytestmark = pytest.mark.django_db


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every request, as the audit's frame around it has left it."""
    seen: list[Any] = []
    around = import_string(settings.MIDDLEWARE[0])
    call = around.__call__

    def noted(self: Any, request: Any) -> Any:
        seen.append(request)
        return call(self, request)

    monkeypatch.setattr(around, "__call__", noted)
    return seen


@pytest.mark.parametrize("path", ["/api/v1/namespaces", "/api/v1alpha1/autobuild", "/health", "/api/nothing"])
def test_the_api_knows_no_session_and_nobody_who_is_signed_in_by_one(requests: list[Any], path: str) -> None:
    browser = Client()
    browser.force_login(User.objects.create_superuser("root", password="x"))
    reply = browser.get(path)

    assert not hasattr(requests[-1], "session")
    assert not hasattr(requests[-1], "user")
    assert reply.cookies == {}


def test_a_session_does_not_sign_in_to_the_api() -> None:
    browser = Client()
    browser.force_login(User.objects.create_superuser("root", password="x"))

    assert browser.get("/api/v1/namespaces").status_code == 401


@pytest.mark.parametrize("path", ["/admin/login/", "/oauth/sign-in"])
def test_pages_have_theirs(requests: list[Any], path: str) -> None:
    Client().get(path)

    assert hasattr(requests[-1], "session")
    assert hasattr(requests[-1], "user")


def test_the_way_past_the_middleware_ends_at_the_view() -> None:
    from django.core.wsgi import get_wsgi_application

    link: Any = get_wsgi_application()._middleware_chain  # type: ignore[attr-defined]
    while not isinstance(link.__wrapped__, StraightToView):
        link = link.__wrapped__.get_response

    assert innermost(link.__wrapped__.get_response).__wrapped__.__name__ == "_get_response"  # type: ignore[attr-defined]
