"""Who sees which events, in which shape, and that nothing in them is what somebody outside has made up."""

from __future__ import annotations

import json
import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from catalog import store
from portal.accounts.models import User, issue_token
from portal.audit.models import AuditEvent
from tests.factories import NamespaceFactory, ProjectFactory
from tests.portal.audit.conftest import TESTER

pytestmark = pytest.mark.django_db
AUDIT = "/api/stagecraft/v1/audit"


@pytest.fixture
def shops(db: None) -> None:
    for namespace in ("acme", "zeta"):
        NamespaceFactory.create(name=namespace)
        for name in ("one", "two"):
            ProjectFactory.create(name=name, namespace=namespace)


def get(client: Client, token: str, **query: str) -> Any:
    return client.get(AUDIT, query, headers={"Authorization": f"Bearer {token}"})


def names(reply: Any) -> list[str]:
    return [f"{item['object'].get('namespace', '')}/{item['object']['name']}" for item in reply.json()["items"]]


def test_events_are_found_by_object_actor_action_and_time(client: Client, token: str, shops: None) -> None:
    assert names(get(client, token, kind="Project", namespace="acme")) == ["acme/two", "acme/one"]
    assert names(get(client, token, action="project:create", actor="tester", project="one")) == ["zeta/one", "acme/one"]
    assert names(get(client, token, since="2999-01-01T00:00:00Z")) == []
    assert get(client, token, since="yesterday").status_code == 400
    assert get(client, token, cursor="bm90IG91cnM").status_code == 400


def test_pages_go_on_where_the_last_ended(client: Client, token: str, shops: None) -> None:
    found, cursor = [], ""
    while True:
        reply = get(client, token, kind="Project", limit="1", cursor=cursor)
        found += names(reply)
        cursor = reply.json()["pagination"].get("nextCursor", "")
        if not cursor:
            break
    assert found == ["zeta/two", "zeta/one", "acme/two", "acme/one"]


def grant(user: User, namespace: str) -> None:
    """The right to read the log of one namespace, as a document gives it."""
    head = {"apiVersion": "openchoreo.dev/v1alpha1"}
    role = {"kind": "AuthzRole", "metadata": {"name": "auditor", "namespace": namespace}}
    store.apply({**head, **role, "spec": {"actions": ["auditlog:view"]}}, TESTER)
    binding = {"kind": "AuthzRoleBinding", "metadata": {"name": "auditor", "namespace": namespace}}
    spec = {
        "entitlement": {"claim": "sub", "value": user.get_username()},
        "roleMappings": [{"roleRef": {"kind": "AuthzRole", "name": "auditor"}}],
        "effect": "allow",
    }
    store.apply({**head, **binding, "spec": spec}, TESTER)


def test_attack_28_nobody_reads_the_audit_beyond_their_scope(client: Client, reader: User, shops: None) -> None:
    theirs = issue_token(reader, "test")
    assert names(get(client, theirs, kind="Project")) == []
    grant(reader, "acme")
    assert names(get(client, theirs, kind="Project")) == ["acme/two", "acme/one"]
    assert names(get(client, theirs, kind="Project", namespace="zeta")) == []
    assert names(get(client, theirs, kind="Namespace")) == []


def test_a_user_sees_what_they_did_themselves(client: Client, reader: User, shops: None) -> None:
    theirs = issue_token(reader, "test")
    client.delete("/api/v1/namespaces/acme/projects/one", headers={"Authorization": f"Bearer {theirs}"})
    (item,) = get(client, theirs).json()["items"]
    assert (item["outcome"], item["decision"], item["actor"]["name"]) == ("denied", "deny", "reader")


def test_the_admin_shows_events_and_changes_none(client: Client, staff: User, shops: None) -> None:
    client.force_login(staff)
    event = AuditEvent.objects.system("test").filter(kind="Project").first()
    assert event is not None
    assert b"project:create" in client.get("/admin/audit/auditevent/").content
    page = f"/admin/audit/auditevent/{event.pk}/change/"
    assert client.get(page).status_code == 200
    assert client.post(page, {"actor": "other"}).status_code == 403
    assert client.post(f"/admin/audit/auditevent/{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get("/admin/audit/auditevent/add/").status_code == 403


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("audit", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_lists_and_exports(shops: None) -> None:
    assert "tester (cli)  project:create  Project/acme/one" in run("list", "--kind", "Project")
    lines = [json.loads(line) for line in run("export", "--kind", "Project").splitlines()]
    assert [line["object"]["name"] for line in lines] == ["one", "two", "one", "two"]
    (document,) = [json.loads(line) for line in run("export", "--format", "otlp", "--kind", "Project").splitlines()]
    records = document["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
    assert len(records) == 4
    attributes = {item["key"]: item["value"] for item in records[0]["attributes"]}
    assert attributes["stagecraft.action"] == {"stringValue": "project:create"}
    assert attributes["stagecraft.object.generation"] == {"intValue": "1"}
    assert re.fullmatch(r"\d{19}", records[0]["timeUnixNano"])


def test_attack_28_a_name_with_line_breaks_forges_no_line(client: Client, token: str) -> None:
    forged = 'x\n{"actor": {"name": "root"}, "outcome": "success"}\r\n\x1b[2K'
    body = json.dumps({"metadata": {"name": forged}})
    client.post(
        "/api/v1/namespaces/default/projects", body, content_type="application/json",
        headers={"Authorization": f"Bearer {token}", "User-Agent": "a\tb"},
    )  # fmt: skip
    event = AuditEvent.objects.system("test").filter(outcome="invalid").latest("id")
    assert event.name.isprintable()
    assert len(run("export", "--outcome", "invalid").splitlines()) == 1
    assert len(run("list", "--outcome", "invalid").splitlines()) == 1


def sent_from(client: Client, token: str, **headers: str) -> AuditEvent:
    client.delete(
        "/api/v1/namespaces/default/projects/none", REMOTE_ADDR="192.0.2.7",
        headers={"Authorization": f"Bearer {token}", **headers},
    )  # fmt: skip
    return AuditEvent.objects.system("test").latest("id")


def test_attack_28_an_invented_source_address_is_not_believed(client: Client, token: str, settings: Any) -> None:
    assert sent_from(client, token, **{"X-Forwarded-For": "10.9.9.9"}).source_ip == "192.0.2.7"
    settings.TRUSTED_PROXIES = 1
    assert sent_from(client, token, **{"X-Forwarded-For": "10.9.9.9, 198.51.100.4"}).source_ip == "198.51.100.4"
    assert sent_from(client, token, **{"X-Forwarded-For": "not an address"}).source_ip is None


def test_attack_28_an_invented_request_id_stays_the_clients_own(client: Client, token: str) -> None:
    first = sent_from(client, token, **{"X-Request-ID": "same"})
    second = sent_from(client, token, **{"X-Request-ID": "same"})
    assert first.request_id != second.request_id
    assert json.loads(second.details)["clientRequestId"] == "same"


def test_attack_28_an_oversized_change_leaves_a_digest() -> None:
    ProjectFactory.create(name="big", metadata={
        "name": "big", "namespace": "default", "annotations": {"note": "x" * 200_000},
    })  # fmt: skip
    details = json.loads(AuditEvent.objects.system("test").get(name="big").details)
    assert "diff" not in details
    assert details["diffBytes"] > 200_000
    assert re.fullmatch("[0-9a-f]{64}", details["diffDigest"])


def test_attack_28_strangers_cannot_fill_the_log(client: Client, db: None) -> None:
    before = AuditEvent.objects.system("test").count()
    for _ in range(100):
        client.get("/api/v1/namespaces", REMOTE_ADDR="192.0.2.200")
    assert 0 < AuditEvent.objects.system("test").count() - before <= 60


def test_a_change_is_told_as_a_patch(db: None) -> None:
    project = ProjectFactory.create(name="told")
    document = store.to_document(project, with_status=False)
    document["metadata"]["annotations"] = {"note": "new"}
    store.replace(document, TESTER)
    details = json.loads(AuditEvent.objects.system("test").filter(name="told").latest("id").details)
    assert details["diff"] == [{"op": "add", "path": "/annotations/note", "value": "new"}]
