"""Attack 15: canaries in everything that is kept as a secret, then all that comes out is searched for them.

Where secrets have no business and may yet be typed (URLs, environments): `tests/portal/audit/test_canaries`. Here are
those that people hand over as secrets: they must be nowhere in plain, not even in the database.
"""

from __future__ import annotations

import base64
import io
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pygit2
import pytest
from django.contrib import admin
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from catalog import store
from catalog.api.stagecraft import watch
from catalog.controllers import runtime
from catalog.kinds.registry import KINDS
from portal.accounts.models import User, issue_token
from portal.secrets import SecretText
from portal.wire import server_sent
from tests.canaries import caught, messages, start_platform
from tests.catalog.api.conftest import ApiClient

__all__ = ["caught", "messages"]  # fixtures
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
CANARY = "canary-4d71e9"
SECRET = {
    "secretName": "db",
    "secretType": "Opaque",
    "targetPlane": {"kind": "ClusterDataPlane", "name": "default"},
    "data": {"password": f"{CANARY}-value", "other": f"{CANARY}-other"},
}
GIT_SECRET = {
    "secretName": "github",
    "secretType": "basic-auth",
    "workflowPlaneKind": "ClusterWorkflowPlane",
    "workflowPlaneName": "default",
    "username": f"{CANARY}-user",
    "token": f"{CANARY}-git",
}
FORMS = [
    CANARY,
    base64.b64encode(CANARY.encode()).decode().rstrip("=")[:-1],
    base64.b64encode(f"x{CANARY}".encode()).decode().rstrip("=")[2:-2],
    CANARY.encode().hex(),
    CANARY[::-1],
]
"""In plain, in base64 (as a Secret's data and in the midst of it), in hexadecimal, backwards."""


def shows(text: str) -> bool:
    return any(form in text for form in FORMS)


@pytest.fixture
def planted(
    transactional_db: None, settings: Any, tmp_path: Path, messages: list[str], caught: pytest.LogCaptureFixture
) -> ApiClient:
    """A platform at work, with secrets handed over; a client who may do everything."""
    settings.SECRET_MANAGEMENT_ENABLED = True
    settings.AUDIT_CHECKPOINTS = tmp_path / "checkpoints.jsonl"
    start_platform(settings, tmp_path)
    user = User.objects.create_superuser("root", password=f"{CANARY}-login")
    api = ApiClient(Client(raise_request_exception=False), issue_token(user, "ci"))
    api.client.force_login(user)
    secrets, git_secrets = (f"/api/v1alpha1/namespaces/default/{plural}" for plural in ("secrets", "gitsecrets"))
    api.create(secrets, SECRET)
    api.create(git_secrets, GIT_SECRET)
    assert api.put(f"{secrets}/db", {"data": SECRET["data"]}).status_code == 200
    # Attempts that fail, with a canary in each.
    for path, body in (
        (secrets, {**SECRET, "secretName": "Not A Name"}),
        (secrets, {**SECRET, "secretType": f"{CANARY}-type", "secretName": "x"}),
        (secrets, {**SECRET, "data": {"a": [CANARY]}}),
        (secrets, {**SECRET, "data": {f"{CANARY}/key": CANARY}} | {"secretName": "y"}),
        (git_secrets, {**GIT_SECRET, "workflowPlaneName": "absent", "secretName": "z"}),
        (secrets, f'{{"data": {{"a": "{CANARY}"'.encode()),
    ):
        assert api.post(path, body).status_code >= 400
    Client().post("/admin/login/", {"username": "root", "password": f"{CANARY}-guess"})
    runtime.drain(limit=400)
    return api


def addresses() -> Iterator[str]:
    """Every GET address of the platform, with the names of what is there."""
    by_plural = {model.plural: model for model in KINDS}
    first: dict[str, Any] = {model.plural: model.objects.system("test").first() for model in KINDS}
    for template in sorted(set(templates())):
        plurals = by_plural if "<str:plural>" in template else [""]
        for plural in plurals:
            held = first.get(plural)
            names = {held.name} if held is not None else {"absent"}
            if plural == "secretreferences" or not plural:
                names |= {"db", "github"}
            if not plural:
                names |= {row.name for row in first.values() if row is not None and f"{type(row).plural}/" in template}
            for name in names:
                path = template.replace("<str:plural>", plural).replace("<str:namespace>", "default")
                path = path.replace("<str:name>", name)
                yield "/" + "/".join("1" if step.startswith("<") else step for step in path.split("/"))


def templates(resolver: Any = None, prefix: str = "") -> Iterator[str]:
    for pattern in (resolver or get_resolver()).url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if not path.startswith("admin/"):
                yield from templates(pattern, path)
        elif isinstance(pattern, URLPattern) and "GET" in getattr(pattern.callback, "handlers", {"GET": None}):
            yield path


def admin_addresses() -> Iterator[str]:
    yield reverse("admin:index")
    for model in admin.site._registry:
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"admin:{label}_changelist")
        row = model._base_manager.order_by("-pk").first()
        if row is not None:
            yield reverse(f"admin:{label}_change", args=[row.pk])
            yield reverse(f"admin:{label}_history", args=[row.pk])


def outputs() -> Iterator[tuple[str, str]]:
    for command in (
        ["audit", "export"], ["audit", "export", "--format", "otlp"], ["audit", "list", "--limit", "1000"],
        ["get", "secretreferences"], ["get", "secretreferences", "db", "-o", "yaml"],
        ["history", "secretreference", "db"],
    ):  # fmt: skip
        said = io.StringIO()
        try:
            call_command(*command, stdout=said, stderr=said)
        except SystemExit:
            pass
        except Exception:
            said.write(traceback.format_exc())
        yield " ".join(command), said.getvalue()


def tables() -> Iterator[tuple[str, str]]:
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            yield f"table {table}", repr(cursor.fetchall())


def streamed(reply: Any) -> bytes:
    """All of a stream; of one that never ends, what there is to tell by now: then it only shows that it is alive."""
    chunks = []
    for chunk in reply.streaming_content:
        if chunk == server_sent.COMMENT:
            break
        chunks.append(chunk)
    reply.close()
    return b"".join(chunks)


def test_attack_15_no_secret_comes_out_anywhere(
    planted: ApiClient, messages: list[str], caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(watch, "HEARTBEAT_SECONDS", 0.1)
    leaks, seen, failed = [], 0, []

    def look(place: str, text: str) -> None:
        nonlocal seen
        seen += 1
        if shows(text):
            leaks.append(place)

    for path in addresses():
        for query in ("", "?documents=true", "?sequence=1000000", "?since=0&limit=100", "?status=true&documents=true"):
            reply = planted.get(path + query)
            body = streamed(reply) if reply.streaming else reply.content
            look(f"GET {path}{query}", body.decode(errors="replace") + str(reply.headers))
            if reply.status_code >= 500 and reply.status_code != 501:
                failed.append((path, reply.status_code))
    for path in admin_addresses():
        look(f"GET {path}", planted.client.get(path).content.decode())
    for place, text in (*outputs(), *tables()):
        look(place, text)
    repository = pygit2.Repository(str(tmp_path / "plane.git"))
    for oid in repository:
        held = repository.get(oid)
        look("the Git plane", held.read_raw().decode(errors="replace") if held is not None else "")
    look("the log", caplog.text + repr([vars(record) for record in caplog.records]))
    look("messages", "\n".join(messages))
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and "plane.git" not in path.parts]
    look("the data directory", "".join(path.read_text(errors="replace") for path in kept))
    assert leaks == []
    assert seen > 300
    # The search would have found them: the one door opens, and the sealed row is there.
    reply = planted.post("/api/stagecraft/v1/namespaces/default/secrets/db/reveal")
    assert shows(base64.b64decode(reply.json()["data"]["password"]).decode())
    assert shows(reply.content.decode())


def test_attack_15_the_search_sees_every_form() -> None:
    for form in (CANARY, base64.b64encode(f"{CANARY}-value".encode()).decode(), CANARY.encode().hex()):
        assert shows(f"before {form} after")
    assert not shows("canary")


def test_attack_15_an_error_page_shows_no_secret_in_a_frame(settings: Any) -> None:
    """Also with Django's debug pages on, which nobody should have on."""
    from django.test import RequestFactory
    from django.views.debug import technical_500_response

    settings.DEBUG = True
    import sys

    try:
        held = {"password": SecretText(f"{CANARY}-value")}
        raise ValueError(f"failed with {held}")
    except ValueError:
        page = technical_500_response(RequestFactory().get("/"), *sys.exc_info())  # type: ignore[arg-type]
    assert not shows(page.content.decode().replace("{CANARY}", ""))


def test_attack_15_values_stay_typed_from_the_body_to_the_seal(planted: ApiClient) -> None:
    held: Any = store.get("SecretReference", "default", "db")
    assert not shows(repr(store.to_document(held)))
