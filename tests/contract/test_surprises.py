"""What clients of OpenChoreo stumble over when a server is only almost the same: texts by kind, shapes, tolerance.

The facts are OpenChoreo's: each label and each shape here was seen in its answers or read in its code.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from portal.accounts.models import User, issue_token
from tests.contract.conftest import Send
from tests.contract.document import Document
from tests.contract.plan import KINDS, Plan, walk

pytestmark = pytest.mark.django_db

SPACED = {
    "ComponentType": "Component type",
    "ProjectType": "Project type",
    "ResourceType": "Resource type",
    "ClusterRole": "Cluster role",
    "ClusterRoleBinding": "Cluster role binding",
    "NamespaceRole": "Namespace role",
    "NamespaceRoleBinding": "Namespace role binding",
}
"""Kinds whose words are apart in both texts."""
APART_WHEN_TAKEN = SPACED | {
    "ClusterComponentType": "Cluster component type",
    "ClusterProjectType": "Cluster project type",
    "ClusterResourceType": "Cluster resource type",
    "ClusterTrait": "Cluster trait",
    "ClusterWorkflow": "Cluster workflow",
    "DeploymentPipeline": "Deployment pipeline",
    "SecretReference": "Secret reference",
    "ObservabilityAlertsNotificationChannel": "Observability alerts notification channel",
}
"""Those of `already exists`, which are more."""
ROLES = ("ClusterRole", "ClusterRoleBinding", "NamespaceRole", "NamespaceRoleBinding")
WITHOUT_EMPTY_STATUS = frozenset({"Workflow", "WorkflowRun", *ROLES})


@pytest.fixture
def plan(contract: Document, as_admin: Send) -> Plan:
    """Objects of every kind are there; no controller has looked at them."""
    found = Plan(contract)
    assert {reply.status for _, reply in walk(found.standing(), as_admin)} == {201}
    return found


@pytest.fixture
def raw(as_admin: Send) -> Any:
    """Sends bytes as they are, as an administrator; there is a namespace `acme`."""
    token = issue_token(User.objects.get(username="admin"), "tests")

    def send(method: str, path: str, body: bytes = b"", content_type: str = "application/json", **headers: str) -> Any:
        given = {"Authorization": f"Bearer {token}", **headers}
        return Client().generic(method, path, body, content_type=content_type, headers=given)

    send("POST", "/api/v1/namespaces", b'{"metadata":{"name":"acme"}}')
    return send


def test_what_is_missing_and_what_is_taken_is_named_as_clients_know_it(plan: Plan, as_admin: Send) -> None:
    missing, taken = {}, {}
    for kind in KINDS:
        missing[kind] = as_admin(plan.step(f"get{kind}", "absent")).json["error"]
        body = plan.body(kind, "full", is_full=True)
        taken[kind] = as_admin(plan.step(f"create{kind}", body=body)).json["error"]

    assert missing == {kind: f"{SPACED.get(kind, kind)} not found" for kind in KINDS}
    assert taken == {kind: f"{APART_WHEN_TAKEN.get(kind, kind)} already exists" for kind in KINDS}


def test_a_status_is_there_though_empty_but_for_workflows_and_roles(plan: Plan, as_admin: Send) -> None:
    found = {
        kind: as_admin(plan.step(f"create{kind}", body=plan.body(kind, "new", is_full=True))).json for kind in KINDS
    }

    assert {kind for kind, made in found.items() if "status" not in made} == WITHOUT_EMPTY_STATUS
    assert {made["apiVersion"] for made in found.values()} == {"openchoreo.dev/v1alpha1"}


def test_a_namespace_has_neither_kind_nor_version_and_a_phase(plan: Plan, as_admin: Send) -> None:
    found = as_admin(plan.step("getNamespace", "acme")).json

    assert set(found) == {"metadata", "status"}
    assert found["status"] == {"phase": "Active"}


def test_what_is_empty_is_left_out(plan: Plan, as_admin: Send) -> None:
    for kind in KINDS:
        listed = as_admin(plan.step(f"list{kind}s")).json
        assert "nextCursor" not in listed["pagination"], kind
        for item in listed["items"]:
            assert "" not in item["metadata"].values(), (kind, item)
    assert as_admin(plan.step("listTraits", query={"labelSelector": "absent"})).json == {"items": [], "pagination": {}}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"metadata":{"name":"t"}}', "text/plain"),
        (b'{"metadata":{"name":"t"}}', ""),
        (b'{"metadata":{"name":"t"}} and more', "application/json"),
        (b'{"metadata":{"name":"x"},"metadata":{"name":"t"}}', "application/json"),
        (b'{"metadata":{"name":"t","uid":"1","generation":7,"finalizers":["x"]}}', "application/json"),
        (b'{"kind":"Other","apiVersion":"v9","metadata":{"name":"t"},"status":{"x":1},"y":{}}', "application/json"),
    ],
)  # fmt: skip
def test_a_create_is_read_as_go_reads_it(raw: Any, body: bytes, content_type: str) -> None:
    reply = raw("POST", "/api/v1/namespaces/acme/traits", body, content_type)

    assert reply.status_code == 201, reply.content
    assert reply.json()["metadata"]["name"] == "t"
    assert set(reply.json()["metadata"]) == {"name", "namespace", "uid", "creationTimestamp"}


@pytest.mark.parametrize("body", [b"[]", b"null"])
def test_nothing_to_evaluate_is_a_bad_request(raw: Any, body: bytes) -> None:
    assert raw("POST", "/api/v1/authz/evaluates", body).status_code == 400


def test_a_release_is_generated_of_an_empty_object_and_not_of_nothing(plan: Plan, raw: Any) -> None:
    path = "/api/v1/namespaces/acme/components/full/generate-release"

    assert raw("POST", path, b"{}").status_code == 201
    assert (raw("POST", path).status_code, raw("POST", path)["Content-Type"]) == (400, "text/plain; charset=utf-8")


def test_the_browser_is_not_invited_and_head_is_where_get_is(raw: Any) -> None:
    asked = raw("OPTIONS", "/api/v1/namespaces", Origin="https://portal.example")
    assert (asked.status_code, asked["Allow"]) == (405, "GET, HEAD, POST")
    assert "Access-Control-Allow-Origin" not in asked.headers

    head, got = raw("HEAD", "/api/v1/namespaces/acme/traits"), raw("GET", "/api/v1/namespaces/acme/traits")
    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Type"] == got["Content-Type"] == "application/json"


def test_the_name_of_a_request_is_for_the_log_only(raw: Any) -> None:
    reply = raw("GET", "/api/v1/namespaces", **{"X-Request-ID": "mine"})

    assert "X-Request-ID" not in reply.headers


def test_json_is_written_as_go_writes_it(raw: Any) -> None:
    body = {"metadata": {"name": "t", "annotations": {"a": "<b> & c"}}}
    reply = raw("POST", "/api/v1/namespaces/acme/traits", json.dumps(body).encode())

    assert rb"\u003cb\u003e \u0026 c" in reply.content
    assert reply.content.endswith(b"}\n")
