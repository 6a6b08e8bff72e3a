"""Attack 23: set what is not the client's to set: status, uid, times, generations, finalizers, owners, our labels."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from catalog import store
from catalog.kinds.registry import KINDS
from portal.accounts.models import AccessToken, User, issue_token
from tests.catalog.access.conftest import apply, bind, person, role, token_of
from tests.factories import TESTER, ComponentFactory, NamespaceFactory, ProjectFactory

pytestmark = pytest.mark.django_db
FORGED = {
    "uid": "00000000-0000-0000-0000-00000000beef",
    "generation": 4711,
    "resourceVersion": "4711",
    "creationTimestamp": "1999-01-01T00:00:00Z",
    "deletionTimestamp": "1999-01-01T00:00:00Z",
    "deletionGracePeriodSeconds": 4711,
    "finalizers": ["forged.example/never"],
    "ownerReferences": [{"apiVersion": "v1", "kind": "Namespace", "name": "default", "uid": "beef"}],
    "managedFields": [{"manager": "forged"}],
    "selfLink": "/forged",
    "id": 4711,
    "pk": 4711,
    "created_at": "1999-01-01T00:00:00Z",
    "deleted_at": "1999-01-01T00:00:00Z",
    "createdBy": "forged",
    "last_applied": {"forged": True},
}
STATUS = {
    "conditions": [
        {
            "type": "Ready", "status": "True", "reason": "Forged", "message": "forged",
            "lastTransitionTime": "1999-01-01T00:00:00Z",
        }
    ],
    "observedGeneration": 4711,
    "endpoints": [{"serviceURL": {"host": "forged.example"}}],
    "latestRelease": {"name": "forged"},
    "agentConnection": {"connected": True, "connectedAgents": 4711},
}  # fmt: skip


@pytest.fixture
def root(client: Client) -> Any:
    """Sends as somebody who may do everything, so that nothing but the rule is in the way."""
    token = issue_token(User.objects.create_superuser("root", password="x"), "t")

    def send(method: str, path: str, body: Any) -> Any:
        return client.generic(
            method, path, json.dumps(body), content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip

    return send


def forged(document: dict[str, Any]) -> dict[str, Any]:
    """The document with everything in it that a client might try to set."""
    extra = {name: value for name, value in FORGED.items() if name != "uid"}
    return {
        **document,
        "status": STATUS,
        **extra,
        "metadata": {**document["metadata"], **FORGED},
        "last_applied": {"forged": True},
        "ready": "True",
    }


def project(name: str = "shop") -> dict[str, Any]:
    return {
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "Project",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "deploymentPipelineRef": {"name": "default"},
            "type": {"kind": "ClusterProjectType", "name": "default"},
        },
    }


def assert_untouched(kind: str, namespace: str, name: str) -> None:
    held: Any = store.get(kind, namespace, name)
    text = json.dumps(store.to_document(held), default=str)
    assert "4711" not in text and "forged" not in text and "1999" not in text and "beef" not in text, text
    assert held.deleted_at is None and held.generation < 10 and held.pk != 4711
    assert "forged.example/never" not in held.finalizers


def test_attack_23_what_the_platform_sets_is_not_taken_from_a_body(root: Any) -> None:
    path = "/api/v1/namespaces/default/projects"
    made = root("POST", path, forged(project()))
    assert made.status_code == 201, made.content
    assert_untouched("Project", "default", "shop")
    before = store.get("Project", "default", "shop")
    changed = forged(project())
    changed["metadata"]["annotations"] = {"openchoreo.dev/description": "new"}
    assert root("PUT", f"{path}/shop", changed).status_code == 200
    assert_untouched("Project", "default", "shop")
    after = store.get("Project", "default", "shop")
    assert (after.uid, after.created_at, after.pk) == (before.uid, before.created_at, before.pk)
    assert after.annotations == {"openchoreo.dev/description": "new"}


def test_attack_23_not_by_apply_either(root: Any) -> None:
    store.create(project(), TESTER)
    reply = root("POST", "/api/stagecraft/v1/apply", forged(project()))
    assert reply.status_code in (200, 422), reply.content
    held: Any = store.get("Project", "default", "shop")
    assert held.generation < 10 and held.deleted_at is None and held.status == {}
    assert "forged.example/never" not in held.finalizers
    assert str(held.uid) != FORGED["uid"] and held.created_at.year > 2000


def test_attack_23_for_no_kind_does_a_status_come_in_by_a_create() -> None:
    """The store's own door: a document with a status is admitted without it, whatever the kind."""
    taken = []
    for model in KINDS:
        metadata = {"name": "forged-status", **({"namespace": "default"} if model.namespaced else {})}
        document = {
            "apiVersion": model.api_version,
            "kind": model.kind,
            "metadata": metadata,
            "spec": {},
            "status": STATUS,
        }
        try:
            held = store.create({**document, "status": STATUS}, TESTER)
        except store.StoreError:
            continue
        if held.status != {} or held.ready:
            taken.append(model.kind)
    assert taken == []


def test_attack_23_the_path_names_the_object_and_not_the_body(root: Any) -> None:
    for namespace in ("acme", "globex"):
        NamespaceFactory.create(name=namespace)
        ProjectFactory.create(name="shop", namespace=namespace)
    body = project()
    body["metadata"] = {"name": "shop", "namespace": "globex", "annotations": {"openchoreo.dev/description": "forged"}}
    root("PUT", "/api/v1/namespaces/acme/projects/shop", body)
    assert store.get("Project", "globex", "shop").annotations == {}
    root("POST", "/api/v1/namespaces/acme/projects", {**body, "metadata": {"name": "new", "namespace": "globex"}})
    assert store.get_or_none("Project", "globex", "new") is None


def test_attack_23_an_owner_cannot_be_changed(root: Any) -> None:
    NamespaceFactory.create(name="acme")
    for name in ("shop", "bank"):
        ProjectFactory.create(name=name, namespace="acme")
    ComponentFactory.create(name="web", namespace="acme", project="shop")
    held = store.to_document(store.get("Component", "acme", "web"), with_status=False)
    held["spec"]["owner"] = {"projectName": "bank"}
    held["metadata"]["labels"] = {"openchoreo.dev/project": "bank"}
    reply = root("PUT", "/api/v1/namespaces/acme/components/web", held)
    assert store.get("Component", "acme", "web").spec["owner"] == {"projectName": "shop"}, reply.content


@pytest.mark.parametrize("label", ["openchoreo.io/system"])
def test_attack_23_the_platforms_own_label_makes_nothing_the_platforms(label: str) -> None:
    """Who may write roles cannot mark one as the system's, nor take the mark away."""
    NamespaceFactory.create(name="acme")
    role("role-writer", "authzrole:*", "project:view")
    bind("b", "groups:writers", "role-writer", namespace="acme")
    ann = person("ann", "writers")
    body = {"metadata": {"name": "mine", "labels": {label: "true"}}, "spec": {"actions": ["project:view"]}}
    reply = Client().post(
        "/api/v1/namespaces/acme/authzroles", json.dumps(body), "application/json",
        headers={"Authorization": f"Bearer {token_of(ann)}"},
    )  # fmt: skip
    assert reply.status_code == 403, reply.content


def test_attack_23_a_token_is_made_for_oneself_and_within_limits(root: Any) -> None:
    NamespaceFactory.create(name="acme")
    ann = person("ann", "writers")
    victim = User.objects.get(username="root")
    body = {
        "name": "mine", "user": "root", "user_id": victim.pk, "owner": "root", "is_superuser": True, "digest": "forged",
        "created_at": "1999-01-01T00:00:00Z", "last_used_at": "1999-01-01T00:00:00Z",
    }  # fmt: skip
    before = AccessToken.objects.filter(user=victim).count()
    for path in ("/api/stagecraft/v1/tokens", "/api/stagecraft/v1/me/tokens", "/api/stagecraft/v1/access/tokens"):
        Client().post(path, json.dumps(body), "application/json", headers={"Authorization": f"Bearer {token_of(ann)}"})
    assert AccessToken.objects.filter(user=victim).count() == before
    assert not User.objects.get(username="ann").is_superuser


def test_attack_23_annotations_that_controllers_read_are_checked_when_they_are_used() -> None:
    """Delivery reads a plane's annotations; what they may name is attack 13's, and the kinds of a place are its own."""
    from catalog.delivery.drivers import location_of

    plane = apply(
        "ClusterDataPlane", "here", {"planeID": "x", "clusterAgent": {"clientCA": {"value": "x"}}},
        annotations={"stagecraft.dev/git-branch": "x", "stagecraft.dev/other": "forged", "other/git-remote": "forged"},
    )  # fmt: skip
    assert location_of(plane).settings == {"git-branch": "x"}


def test_attack_23_the_admins_forms_have_no_field_for_what_is_the_platforms(client: Client) -> None:
    ProjectFactory.create(name="shop", namespace="default")
    client.force_login(User.objects.create_superuser("root", password="x"))
    held: Any = store.get("Project", "default", "shop")
    page = client.get(f"/admin/catalog/project/{held.pk}/change/").content.decode()
    for field in ("uid", "generation", "finalizers", "status", "created_at", "deleted_at", "last_applied", "ready"):
        assert f'name="{field}"' not in page, field
    client.post(f"/admin/catalog/project/{held.pk}/change/", {"generation": 4711, "status": "{}", "ready": "True"})
    assert_untouched("Project", "default", "shop")
