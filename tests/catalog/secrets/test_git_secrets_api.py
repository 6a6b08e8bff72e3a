"""Git credentials over REST: never shown, for workflow planes only."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from catalog import store
from portal.secrets.models import HeldSecret
from tests.catalog.api.conftest import ApiClient
from tests.catalog.secrets.conftest import CANARY, GIT_SECRETS, SECRETS, Vault, opaque

pytestmark = pytest.mark.django_db


def basic(**change: Any) -> dict[str, Any]:
    return {
        "secretName": "github",
        "secretType": "basic-auth",
        "workflowPlaneKind": "ClusterWorkflowPlane",
        "workflowPlaneName": "default",
        "username": "bot",
        "token": CANARY,
        **change,
    }


def test_a_git_secret_is_named_and_never_shown(api: ApiClient, settings: Any) -> None:
    settings.SECRETS_SHOW_VALUES = True  # not even then
    shown = {
        "name": "github",
        "namespace": "acme",
        "workflowPlaneKind": "ClusterWorkflowPlane",
        "workflowPlaneName": "default",
    }
    assert api.create(GIT_SECRETS, basic()) == shown
    assert api.get(GIT_SECRETS).json() == {"items": [shown], "totalCount": 1}
    assert CANARY not in HeldSecret.objects.get().sealed
    reference = store.get("SecretReference", "acme", "github")
    assert reference.labels == {
        "openchoreo.dev/secret-type": "git-credentials",
        "kubernetes.io/secret-type": "basic-auth",
        "openchoreo.dev/workflow-plane-kind": "ClusterWorkflowPlane",
        "openchoreo.dev/workflow-plane-name": "default",
    }
    assert [entry["remoteRef"]["key"] for entry in reference.spec["data"]] == ["secret/acme/git/github"] * 2
    assert reference.spec["template"]["type"] == "kubernetes.io/basic-auth"
    # It is no secret of the other collection, and the other way round.
    assert api.get(f"{SECRETS}/github").status_code == 404
    api.create(SECRETS, opaque())
    assert api.delete(f"{GIT_SECRETS}/db").status_code == 404
    assert api.delete(f"{GIT_SECRETS}/github").status_code == 204
    assert api.delete(f"{GIT_SECRETS}/github").json() == {"code": "NOT_FOUND", "error": "git secret not found"}


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"secretType": "odd"}, 400, "unsupported secret type: odd"),
        ({"token": ""}, 400, "token is required for basic-auth type"),
        ({"secretType": "ssh-auth"}, 400, "sshKey is required for ssh-auth type"),
        ({"workflowPlaneKind": "DataPlane"}, 400, "unsupported workflow plane kind: DataPlane"),
        ({"workflowPlaneName": "absent"}, 400, "workflow plane not found"),
        ({"secretName": ""}, 400, "secretName is required"),
        ({"secretName": "../../x"}, 422, "metadata.name: Invalid value"),
    ],
)
def test_what_cannot_be_kept_is_refused(api: ApiClient, change: Any, status: int, words: str) -> None:
    reply = api.post(GIT_SECRETS, basic(**change))
    assert reply.status_code == status
    assert words in reply.json()["error"]
    assert CANARY not in reply.content.decode()


def test_its_rights_are_those_of_secret_references(api: ApiClient, client_with: Any) -> None:
    api.create(GIT_SECRETS, basic())
    secrets_only = client_with("secret:*", name="ann")
    assert secrets_only.get(GIT_SECRETS).json() == {"items": [], "totalCount": 0}
    assert secrets_only.post(GIT_SECRETS, basic(secretName="x")).status_code == 403
    assert secrets_only.delete(f"{GIT_SECRETS}/github").status_code == 404
    owner = client_with("secretreference:*", name="bob")
    assert owner.get(GIT_SECRETS).json()["totalCount"] == 1
    assert owner.delete(f"{GIT_SECRETS}/github").status_code == 204


def test_a_workflow_plane_in_a_cluster_gets_the_credentials(api: ApiClient, vault: Vault) -> None:
    key = {"secretType": "ssh-auth", "sshKey": f"{CANARY}\n", "sshKeyId": "k1", "token": "unused"}
    api.create(GIT_SECRETS, basic(workflowPlaneName="cluster", **key))
    secret, push = (document for found, document in vault.held.items() if found.kind != "Namespace")
    assert secret["metadata"] == {
        "name": "github",
        "namespace": "workflows-acme",
        "labels": {"openchoreo.dev/owner-namespace": "acme"},
    }
    assert secret["type"] == "kubernetes.io/ssh-auth"
    assert {key: base64.b64decode(value).decode() for key, value in secret["data"].items()} == {
        "ssh-key-id": "k1",
        "ssh-privatekey": f"{CANARY}\n",
    }
    assert CANARY not in str(push)
    assert push["spec"]["secretStoreRefs"] == [{"kind": "ClusterSecretStore", "name": "vault"}]
    assert HeldSecret.objects.get().sealed == ""
