"""Attack 16: a SecretReference to another tenant's key of the store, which one operator reads for all tenants."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from catalog import store
from catalog.access import writing
from catalog.kinds.secret_reference import SecretReference
from catalog.secrets.remote_keys import is_own
from portal.access.guard import Forbidden
from portal.accounts.models import User
from tests.catalog.access.conftest import access_of, apply, bind, person, role, token_of
from tests.factories import TESTER

pytestmark = pytest.mark.django_db
COLLECTION = "/api/v1/namespaces/acme/secretreferences"


def document(*keys: str, name: str = "db", **metadata: Any) -> dict[str, Any]:
    return {
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "SecretReference",
        "metadata": {"name": name, "namespace": "acme", **metadata},
        "spec": {
            "template": {"type": "Opaque"},
            "data": [{"secretKey": f"k{index}", "remoteRef": {"key": key}} for index, key in enumerate(keys)],
        },
    }


@pytest.fixture
def ann(db: None) -> User:
    """May write SecretReferences in acme, and only there."""
    for namespace in ("acme", "globex"):
        apply("Namespace", namespace, {})
    role("secrets", "secretreference:*")
    bind("secrets-of-acme", "groups:acme", "secrets", namespace="acme")
    return person("ann", "acme")


def send(user: User, method: str, path: str, body: Any) -> Any:
    return Client().generic(
        method, path, json.dumps(body), content_type="application/json",
        headers={"Authorization": f"Bearer {token_of(user)}"},
    )  # fmt: skip


FOREIGN = [
    "secret/globex/generic/db",
    "secret/acme/../globex/generic/db",
    "secret/acme/./../globex/db",
    "secret/acme/..",
    "secret/acme//globex",
    "secret/acme/",
    "secret/acme",
    "secret/acme-prod/generic/db",
    "secret/acmex",
    "/secret/acme/db",
    "../secret/acme/db",
    "secret//acme/db",
    "secret/%61cme/../globex/db",
    "secret/acme/%2e%2e/globex/db",
    "secret/acme/..%2fglobex/db",
    "secret\\acme\\db",
    "secret/acme/\u2024\u2024/globex/db",
    "secret/acme/db\n",
    "secret/acme/ db",
    "SECRET/acme/db",
    "secret/ACME/db",
    "kv/data/globex",
    "globex",
    "",
]


@pytest.mark.parametrize("key", FOREIGN)
def test_attack_16_a_key_of_others_is_not_ones_own(key: str) -> None:
    assert not is_own("acme", key)


@pytest.mark.parametrize(
    "key", ["secret/acme/generic/db", "secret/acme/git/github", "secret/acme/a.b_c-d/x@1", "secret/acme/db"]
)
def test_attack_16_ones_own_keys_are(key: str) -> None:
    assert is_own("acme", key)


@pytest.mark.parametrize("key", [key for key in FOREIGN if key])
def test_attack_16_a_tenant_may_not_refer_to_keys_of_others(ann: User, key: str) -> None:
    with pytest.raises(Forbidden, match="may refer to keys below secret/acme/ only"):
        writing.require_create(access_of(ann), SecretReference, document("secret/acme/ok", key))


def test_attack_16_over_rest_it_is_403_and_says_whom_to_ask(ann: User) -> None:
    reply = send(ann, "POST", COLLECTION, document("secret/globex/generic/db"))
    assert reply.status_code == 403
    assert "ask somebody who has secretreference:create everywhere" in reply.json()["error"]
    assert send(ann, "POST", COLLECTION, document("secret/acme/generic/db")).status_code == 201


def test_attack_16_a_reference_cannot_be_turned_to_others_afterwards(ann: User) -> None:
    store.create(document("secret/acme/generic/db"), TESTER)
    for body in (document("secret/globex/generic/db"), document("secret/acme/generic/db", "secret/globex/db")):
        assert send(ann, "PUT", f"{COLLECTION}/db", body).status_code == 403
        apply_body = send(ann, "POST", "/api/stagecraft/v1/apply", body)
        assert "may refer to keys below secret/acme/ only" in apply_body.content.decode()
    held = store.get("SecretReference", "acme", "db").spec["data"]
    assert [entry["remoteRef"]["key"] for entry in held] == ["secret/acme/generic/db"]


def test_attack_16_what_the_platform_team_has_given_can_be_edited_around(ann: User) -> None:
    store.create(document("shared/registry"), TESTER)
    assert send(ann, "PUT", f"{COLLECTION}/db", document("shared/registry", labels={"a": "b"})).status_code == 200
    assert send(ann, "PUT", f"{COLLECTION}/db", document("shared/other")).status_code == 403


def test_attack_16_whoever_holds_it_everywhere_may(ann: User) -> None:
    bind("secrets-everywhere", "groups:platform", "secrets")
    assert send(person("pat", "platform"), "POST", COLLECTION, document("shared/registry")).status_code == 201


@pytest.mark.parametrize("target", ["DataPlane", "ClusterDataPlane"])
def test_attack_16_no_store_of_ones_own_choosing_can_be_named(ann: User, target: str) -> None:
    """A reference names a plane, never a store: which store that is, the plane says."""
    body = document("secret/acme/db")
    body["spec"] |= {"secretStoreRef": {"kind": "ClusterSecretStore", "name": "theirs"}}
    body["spec"]["targetPlane"] = {"kind": target, "name": "default"}
    body["spec"]["data"][0]["remoteRef"]["secretStoreRef"] = {"name": "theirs"}
    assert send(ann, "POST", COLLECTION, body).status_code == 201
    assert "theirs" not in str(store.get("SecretReference", "acme", "db").spec)
