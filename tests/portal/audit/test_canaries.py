"""Attack 15: canaries in every place that may hold a secret, then everything that comes out is searched for them."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import call_command
from django.test import Client

from catalog import store
from catalog.compiler import yaml
from catalog.controllers import runtime, work
from catalog.kinds.registry import KINDS
from catalog.store.models import Revision
from portal.accounts.models import AccessToken, User, issue_token
from portal.audit.models import AuditEvent
from portal.audit.redaction import redact
from tests.canaries import caught, messages, start_platform
from tests.portal.audit.conftest import TESTER

__all__ = ["caught", "messages"]  # fixtures

CANARY = "canary-8f3a1c"
API = {"apiVersion": "openchoreo.dev/v1alpha1"}
CHANNEL = {
    **API,
    "kind": "ObservabilityAlertsNotificationChannel",
    "metadata": {"name": "hook", "namespace": "default"},
    "spec": {
        "environment": "development",
        "type": "webhook",
        "webhookConfig": {
            "url": f"https://ops:{CANARY}-url@hooks.example.org/x",
            "headers": {"X-Anything": {"value": f"{CANARY}-header"}},
        },
    },
}
WORKLOAD_ENV = [
    {"key": "DB_PASSWORD", "value": f"{CANARY}-env"},
    {"key": "DATABASE", "value": f"postgres://app:{CANARY}-dsn@db/app"},
]
PLANE_ANNOTATIONS = {
    "stagecraft.dev/git-remote": f"https://bot:{CANARY}-remote@git.example.org/r.git",
    "kubectl.kubernetes.io/last-applied-configuration": f'{{"spec": "{CANARY}-applied"}}',
}


@pytest.fixture
def planted(
    transactional_db: None, settings: Any, tmp_path: Path, messages: list[str], caught: pytest.LogCaptureFixture
) -> Client:
    """A platform with canaries in it; a browser in which an administrator is signed in."""
    start_platform(settings, tmp_path)
    work.wake_up_answered()  # so that the next change sends a message
    store.apply(CHANNEL, TESTER)
    workload = store.to_document(store.get("Workload", "default", first("Workload")), with_status=False)
    workload["spec"]["container"]["env"] = WORKLOAD_ENV
    store.replace(workload, TESTER)
    plane = store.to_document(store.get("ClusterWorkflowPlane", "", "default"), with_status=False)
    plane["metadata"]["annotations"] = PLANE_ANNOTATIONS
    store.replace(plane, TESTER)
    runtime.drain(limit=400)
    client = Client()
    client.force_login(User.objects.create_superuser("root", password=f"{CANARY}-login"))
    return client


def first(kind: str) -> str:
    model = next(model for model in KINDS if model.kind == kind)
    return model.objects.system("test").order_by("name").first().name


def outputs_of_command(*arguments: str) -> str:
    out, err = StringIO(), StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue() + err.getvalue()


@pytest.mark.django_db(transaction=True)
def test_attack_15_no_canary_comes_out_where_no_secret_belongs(
    planted: Client, messages: list[str], caught: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    root = User.objects.get(username="root")
    token = issue_token(root, "ci")
    headers = {"Authorization": f"Bearer {token}"}
    # Attempts that fail with a canary in them: nothing of what was sent may be kept.
    broken = {**CHANNEL, "spec": {**CHANNEL["spec"], "type": f"{CANARY}-invalid"}}  # type: ignore[dict-item]
    path = "/api/v1/namespaces/default/observabilityalertsnotificationchannels"
    planted.post(path, orjson.dumps(broken), content_type="application/json", headers=headers)
    planted.get("/api/v1/namespaces", headers={"Authorization": f"Bearer stg_{CANARY}-unknown"})
    planted.post(path, b"{}", content_type="application/json", headers={**headers, "User-Agent": f"stg_{CANARY}xxxxxx"})
    manifest = tmp_path / "broken.yaml"
    manifest.write_text(yaml.dump(broken))
    with pytest.raises(SystemExit):
        call_command("apply", "-f", str(manifest), stdout=StringIO(), stderr=StringIO())
    Client().post("/admin/login/", {"username": "root", "password": f"{CANARY}-guess"})

    everything = {
        "audit rows": "\n".join(repr(list(row)) for row in AuditEvent.objects.system("test").values_list()),
        "audit over REST": planted.get("/api/stagecraft/v1/audit?limit=100", headers=headers).content.decode(),
        "audit jsonl": outputs_of_command("audit", "export"),
        "audit otlp": outputs_of_command("audit", "export", "--format", "otlp"),
        "audit list": outputs_of_command("audit", "list", "--limit", "1000"),
        "admin of the audit": planted.get("/admin/audit/auditevent/").content.decode(),
        "admin of tokens": planted.get("/admin/accounts/accesstoken/").content.decode(),
        "admin of people": planted.get(f"/admin/accounts/user/{root.pk}/change/").content.decode(),
        "tables": "".join(
            outputs_of_command("get", kind) for kind in ("workloads", "components", "clusterworkflowplanes")
        ),
        "changes without documents": planted.get(
            "/api/stagecraft/v1/changes?since=0&limit=100", headers=headers
        ).content.decode(),
        "log": caught.text,
        "messages": "\n".join(messages),
        "tokens at rest": repr(list(AccessToken.objects.values_list())),
        "passwords at rest": repr(list(User.objects.values_list())),
        "components": planted.get("/api/v1/namespaces/default/components", headers=headers).content.decode(),
    }
    for event in AuditEvent.objects.system("test").order_by("-id")[:20]:
        everything[f"audit page {event}"] = planted.get(f"/admin/audit/auditevent/{event.pk}/change/").content.decode()
    for model in KINDS:
        page = planted.get(f"/admin/catalog/{model._meta.model_name}/")
        everything[f"admin list of {model.kind}"] = page.content.decode()
    leaks = [place for place, text in everything.items() if CANARY in text or token in text]
    assert leaks == []
    # The search would have found them: what may hold them holds them.
    assert CANARY in repr(list(Revision.objects.system("test").values_list("after", flat=True)))
    assert messages
    assert any(
        "secret" in event.details and "diff" in event.details
        for event in AuditEvent.objects.system("test").filter(name="hook")
    )


@pytest.mark.django_db(transaction=True)
def test_attack_15_the_git_plane_holds_only_what_a_workload_asked_for(planted: Client, tmp_path: Path) -> None:
    import pygit2

    plane = tmp_path / "plane.git"
    held = "\n".join(
        blob.data.decode(errors="replace")
        for blob in map(pygit2.Repository(str(plane)).get, pygit2.Repository(str(plane)))
        if isinstance(blob, pygit2.Blob)
    )
    assert f"{CANARY}-env" in held  # a plain value of a workload is configuration, and is delivered
    for other in ("url", "header", "remote", "applied", "login"):
        assert f"{CANARY}-{other}" not in held


@pytest.mark.parametrize(
    "document",
    [
        {"password": CANARY},
        {"db": {"adminPasswd": CANARY}},
        {"headers": {"Authorization": {"value": CANARY}}},
        {"headers": [{"name": "X-Api-Key", "value": CANARY}]},
        {"env": [{"key": "GITHUB_TOKEN", "value": CANARY}]},
        {"credentials": {"user": CANARY, "pass": CANARY}},
        {"clientSecret": CANARY, "aws": {"secretAccessKey": CANARY}},
        {"tokens": [CANARY, [CANARY]]},
        {"url": f"https://user:{CANARY}@example.org/"},
        {"note": f"curl -H 'Authorization: Bearer {CANARY}aaaa'"},
        {"note": f"stg_{CANARY}aaaa"},
        {"file": f"-----BEGIN RSA PRIVATE KEY-----\n{CANARY}\n-----END RSA PRIVATE KEY-----"},
    ],
)
def test_attack_15_a_secret_is_replaced_by_a_keyed_hash(document: Any) -> None:
    text = orjson.dumps(redact("Anything", document)).decode()
    assert CANARY not in text
    assert "(secret " in text


@pytest.mark.parametrize(
    "document",
    [
        {"secretKeyRef": {"name": "db", "key": "password"}},
        {"credentialsRef": {"name": "db"}},
        {"tokenUrl": "https://id.example.org/token"},
        {"secretRef": "git"},
        {"image": "registry.example.org/web:1", "replicas": 3, "autoDeploy": True},
        {"env": [{"key": "LOG_LEVEL", "value": "debug"}]},
    ],
)
def test_what_only_names_a_secret_stays_readable(document: Any) -> None:
    assert redact("Anything", document) == document
