"""Exactly one event for every attempted change, on every surface and for every kind; none for a plain read."""

from __future__ import annotations

import copy
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse

from catalog import store
from catalog.compiler import yaml
from catalog.kinds.registry import kind_named
from portal.accounts.actor import system
from portal.accounts.models import AccessToken, User, issue_token
from portal.audit import ledger
from portal.audit.models import AuditEvent
from portal.quickstart import content

pytestmark = pytest.mark.django_db


def samples() -> dict[str, dict[str, Any]]:
    """The first document of each kind that the platform's defaults and its sample shop hold."""
    found: dict[str, dict[str, Any]] = {}
    for directory in (content.DEFAULTS, content.SHOP):
        for document in content.documents_in(directory):
            found.setdefault(document["kind"], document)
    found["SecretReference"] = {
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "SecretReference",
        "metadata": {"name": "db", "namespace": "default"},
        "spec": {
            "template": {"type": "Opaque"},
            "data": [{"secretKey": "p", "remoteRef": {"key": "db", "property": "p"}}],
        },
    }
    return found


SAMPLES = samples()
KINDS = sorted(SAMPLES)


@pytest.fixture
def world(db: None) -> None:
    """Everything that the documents refer to."""
    content.apply_directory(content.DEFAULTS)
    content.apply_directory(content.SHOP)


@pytest.fixture
def document(request: Any, world: None) -> dict[str, Any]:
    """A new object of the kind, much like the sample's."""
    made = copy.deepcopy(SAMPLES[request.param])
    made["metadata"]["name"] = "audited"
    made["metadata"].pop("annotations", None)
    if request.param == "Workload":
        held = store.get_or_none("Workload", "default", SAMPLES["Workload"]["metadata"]["name"])
        if held is not None:
            store.delete("Workload", "default", held.name, system("test"))
    return made


def marked(document: dict[str, Any], text: str) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    changed["metadata"]["annotations"] = {"openchoreo.dev/description": text}
    return changed


def place(document: dict[str, Any]) -> str:
    model = kind_named(document["kind"])
    return f"/api/v1/namespaces/default/{model.plural}" if model.namespaced else f"/api/v1/{model.plural}"


def send(client: Client, method: str, path: str, token: str, body: Any = None) -> Any:
    return client.generic(
        method, path, json.dumps(body) if body is not None else "", content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )  # fmt: skip


@pytest.fixture
def seen(events: Any) -> Any:
    """Gives what has come since it was last asked."""
    known: set[Any] = {event.id for event in events()}

    def new() -> list[AuditEvent]:
        found = [event for event in events() if event.id not in known]
        known.update(event.id for event in found)
        return found

    return new


def only(found: list[AuditEvent]) -> AuditEvent:
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("document", KINDS, indirect=True)
def test_rest(document: dict[str, Any], client: Client, token: str, seen: Any) -> None:
    seen()
    kind, collection = document["kind"], place(document)
    noun = kind.lower()
    reply = send(client, "POST", collection, token, document)
    assert reply.status_code == 201, reply.content
    event = only(seen())
    assert (event.action, event.outcome, event.surface, event.actor) == (f"{noun}:create", "success", "rest", "root")
    assert (event.kind, event.name, event.decision) == (kind, "audited", "allow")
    assert event.uid is not None
    assert event.credential == f"token:{AccessToken.objects.get().pk}"
    if kind not in ("ComponentRelease",):
        assert send(client, "PUT", f"{collection}/audited", token, marked(document, "new")).status_code == 200
        assert (only(found := seen()).action, found[0].outcome) == (f"{noun}:update", "success")
        assert send(client, "PUT", f"{collection}/audited", token, marked(document, "new")).status_code == 200
        assert (only(found := seen()).action, json.loads(found[0].details)["changed"]) == (f"{noun}:update", False)
    assert send(client, "GET", f"{collection}/audited", token).status_code == 200
    assert send(client, "GET", collection, token).status_code == 200
    assert seen() == []
    assert send(client, "DELETE", f"{collection}/audited", token).status_code == 204
    assert (only(found := seen()).action, found[0].name) == (f"{noun}:delete", "audited")


@pytest.mark.parametrize("document", KINDS, indirect=True)
def test_rest_refuses(document: dict[str, Any], client: Client, reader: User, token: str, seen: Any) -> None:
    theirs = issue_token(reader, "test")
    collection = place(document)
    seen()
    assert send(client, "POST", collection, theirs, document).status_code == 403
    event = only(seen())
    assert (event.outcome, event.decision, event.status, event.actor) == ("denied", "deny", 403, "reader")
    assert (event.action, event.kind, event.name) == (f"{document['kind'].lower()}:create", document["kind"], "audited")
    assert send(client, "DELETE", f"{collection}/nothing-there", token).status_code == 404
    assert (only(found := seen()).outcome, found[0].status, found[0].name) == ("invalid", 404, "nothing-there")
    assert send(client, "POST", collection, token, {"metadata": {"name": "Not A Name"}}).status_code in (400, 422)
    assert only(seen()).outcome == "invalid"
    assert send(client, "POST", collection, "stg_unknown", document).status_code == 401
    assert (only(found := seen()).outcome, found[0].actor) == ("denied", "anonymous")


@pytest.mark.parametrize("document", KINDS, indirect=True)
def test_command_line(document: dict[str, Any], tmp_path: Path, seen: Any) -> None:
    file = tmp_path / "a.yaml"

    def apply(*arguments: str) -> None:
        call_command("apply", "-f", str(file), *arguments, stdout=StringIO(), stderr=StringIO())

    noun = document["kind"].lower()
    seen()
    file.write_text(yaml.dump(document))
    apply("--dry-run")
    assert seen() == []
    apply()
    assert (only(found := seen()).action, found[0].surface, found[0].outcome) == (f"{noun}:create", "cli", "success")
    apply()
    assert json.loads(only(seen()).details)["changed"] is False
    file.write_text(yaml.dump(marked(document, "new")))
    apply()
    assert (only(found := seen()).action, found[0].outcome) == (f"{noun}:update", "success")
    broken = copy.deepcopy(document)
    broken["metadata"]["labels"] = {"": "x"}
    file.write_text(yaml.dump(broken))
    with pytest.raises(SystemExit):
        apply()
    assert (only(found := seen()).outcome, found[0].name) == ("invalid", "audited")
    file.write_text(yaml.dump(document))
    call_command("delete", "-f", str(file), stdout=StringIO())
    assert (only(found := seen()).action, found[0].surface) == (f"{noun}:delete", "cli")


@pytest.mark.parametrize("document", KINDS, indirect=True)
def test_apply_endpoint(document: dict[str, Any], client: Client, token: str, reader: User, seen: Any) -> None:
    seen()
    body = [document, {**document, "metadata": {**document["metadata"], "name": "Bad Name"}}]

    def post(path: str, token: str) -> int:
        text = "\n---\n".join(json.dumps(item) for item in body)
        return client.post(
            f"/api/stagecraft/v1/{path}", text, content_type="application/yaml",
            headers={"Authorization": f"Bearer {token}"},
        ).status_code  # fmt: skip

    assert post("diff", token) == 422
    assert post("apply?dryRun=true", token) == 422
    assert seen() == []
    assert post("apply", token) == 422
    assert sorted((event.name, event.outcome) for event in seen()) == [("Bad Name", "invalid"), ("audited", "success")]
    assert post("apply", issue_token(reader, "test")) == 403
    assert [event.outcome for event in seen() if event.kind != "AccessToken"] == ["denied"]


@pytest.mark.parametrize("document", KINDS, indirect=True)
def test_admin(document: dict[str, Any], client: Client, staff: User, seen: Any) -> None:
    client.force_login(staff)
    seen()
    model = kind_named(document["kind"])
    name, noun = f"admin:catalog_{model._meta.model_name}", document["kind"].lower()
    text = yaml.dump(document)
    reply = client.post(reverse(f"{name}_add"), {"text": text})
    assert reply.status_code == 302, reply.content
    event = only(seen())
    assert (event.action, event.surface, event.actor, event.credential) == (
        f"{noun}:create",
        "admin",
        "root",
        "session",
    )
    held = store.get(document["kind"], "default", "audited")
    page = client.get(reverse(f"{name}_change", args=[held.pk]))
    assert seen() == []
    form = {"text": "kind: Nonsense", "fingerprint": page.context["fingerprint"]}
    assert client.post(reverse(f"{name}_change", args=[held.pk]), form).status_code == 200
    assert (only(found := seen()).outcome, found[0].action) == ("invalid", f"{noun}:update")
    assert client.post(reverse(f"{name}_delete", args=[held.pk]), {"post": "yes"}).status_code == 302
    assert (only(found := seen()).action, found[0].name) == (f"{noun}:delete", "audited")


def test_people_tokens_and_sign_in(client: Client, staff: User, seen: Any) -> None:
    seen()
    login = {"username": "root", "password": "wrong", "next": "/admin/"}
    assert client.post("/admin/login/", login).status_code == 200
    assert (only(found := seen()).action, found[0].outcome, found[0].actor) == ("session:create", "denied", "root")
    assert client.post("/admin/login/", {**login, "password": "correct horse battery"}).status_code == 302
    assert (only(found := seen()).action, found[0].outcome) == ("session:create", "success")
    form = {"username": "ann", "password1": "correct horse", "password2": "correct horse", "usable_password": "true"}
    assert client.post("/admin/accounts/user/add/", {**form, "principal_kind": "human"}).status_code == 302
    assert (only(found := seen()).action, found[0].name, found[0].actor) == ("user:create", "ann", "root")
    ann = User.objects.get(username="ann")
    assert client.post("/admin/accounts/accesstoken/add/", {"user": ann.pk, "name": "t"}).status_code == 200
    assert only(seen()).action == "accesstoken:create"
    chosen = {"action": "revoke", "_selected_action": [AccessToken.objects.get().pk]}
    assert client.post("/admin/accounts/accesstoken/", chosen).status_code == 302
    assert (only(found := seen()).action, found[0].actor) == ("accesstoken:revoke", "root")
    assert client.post(f"/admin/accounts/user/{ann.pk}/delete/", {"post": "yes"}).status_code == 302
    assert only(seen()).action == "user:delete"
    assert client.post("/admin/logout/").status_code in (200, 302)
    assert only(seen()).action == "session:delete"


def test_people_made_on_the_command_line(seen: Any) -> None:
    seen()
    call_command("createsuperuser", "--noinput", username="ops", email="ops@example.org", stdout=StringIO())
    assert (only(found := seen()).action, found[0].surface, found[0].name) == ("user:create", "cli", "ops")


def test_controllers_act_as_the_system(world: None, seen: Any) -> None:
    seen()
    project = copy.deepcopy(SAMPLES["Project"])
    project["metadata"]["name"] = "made"
    made = store.put(project, system("project-controller")).obj
    event = only(seen())
    assert (event.actor, event.actor_kind, event.surface) == ("system:project-controller", "system", "worker")
    store.write_status(made, {"conditions": []}, system("project-controller"))
    assert seen() == []


def test_a_compound_operation_has_one_event_of_its_own_and_its_changes_name_it(world: None, seen: Any) -> None:
    from catalog.manifests.command_line import as_one_operation

    seen()
    component = SAMPLES["Component"]
    with as_one_operation("component:promote", "default", component["metadata"]["name"]) as actor, store.transaction():
        store.apply(marked(component, "one"), actor)
        store.apply(marked(SAMPLES["Project"], "two"), actor)
    own, *changes = seen()
    assert (own.action, own.outcome, own.parent) == ("component:promote", "success", None)
    assert [change.parent for change in changes] == [own.id, own.id]
    with pytest.raises(store.NotFound), as_one_operation("component:promote", "default", "none"):
        store.get("Component", "default", "none")
    assert (only(found := seen()).outcome, found[0].action) == ("invalid", "component:promote")


def test_attack_28_a_denial_and_a_failure_survive_the_rollback(world: None, seen: Any) -> None:
    from catalog.manifests.command_line import as_one_operation

    seen()
    component = SAMPLES["Component"]
    with (
        pytest.raises(RuntimeError),
        as_one_operation("component:promote", "default", "web") as actor,
        store.transaction(),
    ):
        store.apply(marked(component, "lost"), actor)
        raise RuntimeError("the plane has gone")
    event = only(seen())
    assert (event.outcome, event.action) == ("error", "component:promote")
    assert "lost" not in event.details
    assert "plane" not in event.details


def test_attack_28_without_its_event_a_change_does_not_happen(
    world: None, monkeypatch: pytest.MonkeyPatch, client: Client, token: str
) -> None:
    def fail(events: Any) -> None:
        raise DatabaseError("disk full")

    project = copy.deepcopy(SAMPLES["Project"])
    project["metadata"]["name"] = "never"
    monkeypatch.setattr(ledger, "write", fail)
    with pytest.raises(DatabaseError, match="disk full"):
        store.create(project, system("test"))
    monkeypatch.undo()
    assert store.get_or_none("Project", "default", "never") is None
