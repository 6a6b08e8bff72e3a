"""What every reply tells browsers, route by route: pages, data, refusals, redirects, mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from portal.accounts.models import User, issue_token
from portal.wire.security import DATA_POLICY

pytestmark = pytest.mark.django_db
DATA = DATA_POLICY
STORES_NOTHING = ("no-store", "private")


def paths(resolver: Any = None, prefix: str = "") -> Iterator[str]:
    for pattern in (resolver or get_resolver()).url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if not path.startswith("admin/"):
                yield from paths(pattern, path)
        elif isinstance(pattern, URLPattern):
            path = path.replace("<str:plural>", "projects").replace("<str:namespace>", "default")
            yield "/" + "/".join("x" if "<" in step or "(" in step else step for step in path.split("/"))


def admin_paths() -> Iterator[str]:
    yield from (reverse("admin:index"), reverse("admin:login"), "/admin/nothing/here/")
    for model in admin.site._registry:
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"admin:{label}_changelist")
        yield reverse(f"admin:{label}_change", args=[4711])


@pytest.fixture
def browser(client: Client) -> Client:
    client.raise_request_exception = False
    return client


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", password="x")


def wrong_with(path: str, reply: Any) -> list[str]:
    """What a reply lacks."""
    headers, found = reply.headers, []
    policy = headers.get("Content-Security-Policy", "")
    if "default-src 'none'" not in policy or "frame-ancestors 'none'" not in policy:
        found.append(f"policy {policy!r}")
    if any(word in policy for word in ("unsafe-inline", "unsafe-eval", "http:", "https:", " *")):
        found.append(f"loose policy {policy!r}")
    if not headers.get("Content-Type", "").startswith("text/html") and policy != DATA:
        found.append("a policy of pages on data")
    if headers.get("X-Content-Type-Options") != "nosniff":
        found.append("no nosniff")
    if headers.get("X-Frame-Options") != "DENY":
        found.append("may be framed")
    if "Permissions-Policy" not in headers:
        found.append("no Permissions-Policy")
    if headers.get("Referrer-Policy") not in ("same-origin", "no-referrer"):
        found.append("no Referrer-Policy")
    if path.startswith(("/api/", "/admin/")) and not any(
        word in headers.get("Cache-Control", "") for word in STORES_NOTHING
    ):
        found.append("may be cached")
    if "Access-Control-Allow-Origin" in headers:
        found.append("open to other origins")
    if "Server" in headers or "X-Powered-By" in headers:
        found.append("says what it is made of")
    return [f"{reply.status_code} {path}: {item}" for item in found]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
def test_every_route_of_the_api_says_how_a_browser_may_treat_it(browser: Client, root: User, method: str) -> None:
    headers = {"Authorization": f"Bearer {issue_token(root, 't')}"}
    wrong, seen = [], 0
    for path in sorted(set(paths())):
        for given in ({}, headers):
            reply = browser.generic(method, path, b"{}", content_type="application/json", headers=given)
            wrong += wrong_with(path, reply)
            seen += 1
    assert wrong == []
    assert seen > 60


def test_every_page_of_the_admin_does(browser: Client, root: User) -> None:
    wrong = [item for path in admin_paths() for item in wrong_with(path, browser.get(path))]
    browser.force_login(root)
    wrong += [item for path in admin_paths() for item in wrong_with(path, browser.get(path))]
    assert wrong == []


@pytest.mark.parametrize(
    "path", ["/", "/nothing", "/api/v1//projects", "/api/nothing", "/static/nothing.js", "/health"]
)
def test_so_does_what_no_route_answers(browser: Client, path: str) -> None:
    assert wrong_with(path, browser.get(path)) == []


def test_each_page_has_a_nonce_of_its_own(browser: Client) -> None:
    policies = {browser.get("/admin/login/").headers["Content-Security-Policy"] for _ in range(3)}
    assert len(policies) == 3


def test_no_page_runs_a_script_or_a_style_of_its_own_text(browser: Client, root: User) -> None:
    """The policy would stop it, and a page that does not work is found out late."""
    browser.force_login(root)
    for path in admin_paths():
        page = browser.get(path).content.decode(errors="replace")
        for attribute in (" onclick=", " onload=", " onsubmit=", "javascript:"):
            assert attribute not in page, path


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(browser: Client, root: User) -> None:
    reply = browser.get("/admin/login/")
    form = {"username": "root", "password": "x"}
    reply = browser.post("/admin/login/?next=/admin/", form)
    assert reply.status_code == 302
    for cookie in reply.cookies.values():
        assert cookie["httponly"] and cookie["samesite"] in ("Lax", "Strict")
    assert django_settings.SESSION_COOKIE_AGE <= 24 * 3600


def test_behind_https_cookies_and_transport_are_strict() -> None:
    import os
    import subprocess
    import sys
    import tempfile

    from tests.conftest import REPOSITORY

    code = (
        "import portal.settings as s; print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS > 0, "
        "s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME)"
    )
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "STAGECRAFT_HOME": home, "PUBLIC_URL": "https://stagecraft.example.org"}
        ran = subprocess.run(
            [sys.executable, "-c", code], cwd=REPOSITORY, env=environment, capture_output=True, text=True
        )
    assert ran.stdout.split() == ["True", "True", "True", "__Host-sessionid", "__Host-csrftoken"], ran.stderr
