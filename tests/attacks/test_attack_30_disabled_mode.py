"""Attack 30: disabled mode left on. It cannot be by accident, it is loud, and nothing public tells of it."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from portal.accounts.insecure import warn
from portal.accounts.models import User, issue_token
from portal.audit.models import AuditEvent
from tests.catalog.access.conftest import person
from tests.catalog.api.conftest import ApiClient

pytestmark = pytest.mark.django_db
REPOSITORY = Path(__file__).resolve().parents[2]
COMPONENTS = "/api/v1/namespaces/acme/components"
Settings = Any


def start(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Read the settings in a process of its own, as every start does."""
    code = "import portal.settings as s; print(s.SECURITY_ENABLED, s.AUTHZ_ENABLED)"
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY, env={**keep, "STAGECRAFT_HOME": str(tmp_path), **environment},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("switch", ["SECURITY_ENABLED", "AUTHZ_ENABLED"])
def test_attack_30_a_start_with_a_switch_off_is_refused_unless_a_second_word_says_so(
    switch: str, tmp_path: Path
) -> None:
    refused = start(tmp_path, **{switch: "false"})

    assert refused.returncode == 2
    assert switch in refused.stderr and "ALLOW_INSECURE=true" in refused.stderr
    assert "False" in start(tmp_path, **{switch: "false"}, ALLOW_INSECURE="true").stdout
    assert "False" in start(tmp_path, **{switch: "false"}, DEBUG="true").stdout
    assert start(tmp_path, ALLOW_INSECURE="true").stdout == "True True\n", "the second word alone switches nothing off"


def test_attack_30_an_issuer_without_an_audience_is_refused_at_start(tmp_path: Path) -> None:
    refused = start(tmp_path, OIDC_ISSUER="https://id.example")

    assert refused.returncode == 2 and "OIDC_AUDIENCE" in refused.stderr
    assert start(tmp_path, OIDC_ISSUER="https://id.example", OIDC_AUDIENCE="stagecraft").returncode == 0
    assert start(tmp_path, OIDC_ISSUER="http://id.example", OIDC_AUDIENCE="stagecraft").returncode == 2, "not https"
    weak = start(tmp_path, OIDC_ISSUER="https://id.example", OIDC_AUDIENCE="x", OIDC_ALGORITHMS="HS256")
    assert weak.returncode == 2 and "HS256" in weak.stderr


def test_attack_30_while_security_is_off_everybody_passes_and_the_audit_says_so(
    tenants: None,
    settings: Settings,
) -> None:
    settings.SECURITY_ENABLED = False
    for api in (Client(), ApiClient(Client(), "garbage")):
        assert len(api.get(COMPONENTS).json()["items"]) == 4
    removed = Client().delete(f"{COMPONENTS}/shop-web")

    assert removed.status_code == 204
    event = AuditEvent.objects.system("test").get(action="component:delete")
    assert (event.actor, event.credential, event.decision) == ("anonymous", "authn=disabled", "allow")
    assert json.loads(event.details)["reason"] == {"because": "security off"}


def test_attack_30_the_endpoints_about_permissions_answer_as_recorded_while_security_is_off(
    tenants: None,
    settings: Settings,
) -> None:
    settings.SECURITY_ENABLED = False
    client = Client()

    forbidden = client.get("/api/v1/authz/profile")
    assert forbidden.status_code == 403
    assert forbidden.json() == {"code": "FORBIDDEN", "error": "You do not have permission to perform this operation"}
    for path in (
        "clusterauthzroles",
        "clusterauthzroles/admin",
        "clusterauthzrolebindings/admin-binding",
        "namespaces/default/authzroles",
        "namespaces/default/authzrolebindings",
    ):
        reply = client.get(f"/api/v1/{path}")
        assert (reply.status_code, reply.json()["code"]) == (500, "INTERNAL_ERROR"), path
    asked = [{"action": "component:view", "resource": {"type": "component", "hierarchy": {"namespace": "acme"}}}]
    answered = client.post("/api/v1/authz/evaluates", asked, content_type="application/json").json()
    assert answered == [{"decision": True, "context": {"reason": "Authorization disabled - all access granted"}}]
    types = client.get("/api/v1/authn/subject-types").json()
    assert [item["type"] for item in types] == ["user", "service_account"]


def test_attack_30_with_permissions_off_one_still_signs_in(tenants: None, settings: Settings) -> None:
    settings.AUTHZ_ENABLED = False
    nobody = ApiClient(Client(), issue_token(person("nobody"), "tests"))

    assert Client().get(COMPONENTS).status_code == 401
    assert len(nobody.get(COMPONENTS).json()["items"]) == 4
    profile = nobody.get("/api/v1/authz/profile").json()
    assert profile["capabilities"] == {"*": {"allowed": [{"path": "*"}], "denied": []}}


def test_attack_30_the_admin_still_asks_for_a_password_and_warns_on_every_page(
    db: None, settings: Settings, client: Client
) -> None:
    settings.SECURITY_ENABLED = False
    assert client.get("/admin/").status_code == 302
    assert "SECURITY IS OFF" in client.get("/admin/login/").content.decode()
    client.force_login(User.objects.create_superuser("root"))
    for page in ("/admin/", "/admin/accounts/user/", "/admin/catalog/component/"):
        assert "SECURITY IS OFF" in client.get(page).content.decode()

    settings.SECURITY_ENABLED = True
    assert "SECURITY IS OFF" not in client.get("/admin/").content.decode()


def test_attack_30_the_log_is_told_at_every_start(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    warn()
    assert not caplog.records
    settings.SECURITY_ENABLED = False

    with caplog.at_level(logging.WARNING):
        warn()

    assert "SECURITY IS OFF" in caplog.text and caplog.records[0].levelno == logging.CRITICAL


def public_paths(resolver: URLResolver, before: str = "/") -> list[str]:
    """The paths of all views that ask for no token and take no parts."""
    found = []
    for entry in resolver.url_patterns:
        path = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found += public_paths(entry, path)
        elif isinstance(entry, URLPattern) and getattr(entry.callback, "is_public", False) and "<" not in path:
            found.append(path)
    return found


def test_attack_30_no_public_page_but_the_contracts_discovery_tells(
    db: None, settings: Settings, client: Client
) -> None:
    paths = [path for path in public_paths(get_resolver()) if "oauth-protected-resource" not in path]
    assert {"/health", "/ready", "/version"} <= set(paths)
    on = {path: client.get(path).content for path in paths}

    settings.SECURITY_ENABLED = False

    for path in paths:
        reply = client.get(path)
        assert b"SECURITY" not in reply.content and b"disabled" not in reply.content, path
        if path in ("/health", "/ready", "/version"):
            assert reply.content == on[path]


def test_attack_30_nobody_signed_in_makes_tokens(tenants: None, settings: Settings) -> None:
    settings.SECURITY_ENABLED = False

    made = Client().post("/api/stagecraft/v1/access/tokens", {"name": "x"}, content_type="application/json")

    assert made.status_code == 403
