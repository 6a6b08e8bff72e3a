"""Every kind's collection: the operations that it has, in the shapes of the contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from catalog.api.routes import collections_by_route
from catalog.store.models import Revision
from tests.catalog.api.conftest import ApiClient

pytestmark = pytest.mark.django_db
TRAITS = "/api/v1/namespaces/acme/traits"


def test_the_collections_are_those_of_the_contract(conformance: Path) -> None:
    """Every path of the OpenAPI document that is plain CRUD has a collection with the same operations, and no other."""
    document = yaml.safe_load((conformance / "openapi" / "openchoreo-api.yaml").read_bytes())
    wanted = {}
    for path, operations in document["paths"].items():
        parts = path.removeprefix("/api/v1/").removeprefix("namespaces/{namespaceName}/").split("/")
        if path.startswith("/api/v1/") and len(parts) == 2 and parts[1].startswith("{") and "delete" in operations:
            namespaced = "/{namespaceName}/" in path and parts[0] != "namespaces"
            wanted[parts[0], namespaced] = "put" in operations

    ours = {route: collection.is_replaceable for route, collection in collections_by_route().items()}

    assert ours == wanted
    assert len(ours) == 36


def test_an_object_is_created_read_listed_replaced_and_deleted(api: ApiClient, namespace: str) -> None:
    created = api.create(TRAITS, {"metadata": {"name": "t", "labels": {"a": "b"}}, "spec": {}})
    assert created["kind"] == "Trait"
    assert created["status"] == {}
    assert api.get(f"{TRAITS}/t").json() == created
    assert api.get(TRAITS).json() == {"items": [created], "pagination": {}}

    replaced = api.put(f"{TRAITS}/t", {"metadata": {"name": "ignored", "annotations": {"x": "y"}}, "spec": {}})
    assert replaced.status_code == 200
    assert replaced.json()["metadata"]["name"] == "t"
    assert "labels" not in replaced.json()["metadata"]

    deleted = api.delete(f"{TRAITS}/t")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert api.get(f"{TRAITS}/t").json() == {"code": "NOT_FOUND", "error": "Trait not found"}


def test_metadata_is_cut_to_what_clients_may_see(api: ApiClient, namespace: str) -> None:
    created = api.create("/api/v1/namespaces/acme/projects", {"metadata": {"name": "shop"}})

    assert set(created["metadata"]) == {"name", "namespace", "uid", "creationTimestamp"}


def test_read_only_fields_and_unknown_ones_are_ignored(api: ApiClient, namespace: str) -> None:
    body = {
        "apiVersion": "x",
        "kind": "Whatever",
        "metadata": {"name": "t", "uid": "1", "creationTimestamp": "", "resourceVersion": "7", "namespace": "other"},
        "spec": {"nonsense": 1},
        "status": {"conditions": []},
        "extra": True,
    }

    created = api.create(TRAITS, body)

    assert created["metadata"]["namespace"] == "acme"
    assert (created["spec"], created["status"]) == ({}, {})


def test_the_log_names_user_surface_and_request(api: ApiClient, namespace: str) -> None:
    api.post(TRAITS, {"metadata": {"name": "t"}}, **{"X-Request-ID": "request-7"})

    row = Revision.objects.system("test").get(kind="Trait")
    assert (row.actor, row.actor_kind, row.surface, row.request_id) == ("admin", "human", "rest", "request-7")


def test_a_second_create_is_a_conflict_and_a_replace_never_creates(api: ApiClient, namespace: str) -> None:
    api.create("/api/v1/clustertraits", {"metadata": {"name": "t"}})

    again = api.post("/api/v1/clustertraits", {"metadata": {"name": "t"}})
    assert (again.status_code, again.json()["error"]) == (409, "Cluster trait already exists")
    assert api.put("/api/v1/clustertraits/other", {"metadata": {"name": "other"}}).status_code == 404


def test_snapshots_cannot_be_replaced(api: ApiClient, namespace: str) -> None:
    reply = api.put("/api/v1/namespaces/acme/componentreleases/r", {})

    assert reply.status_code == 405
    assert reply.headers["Allow"] == "DELETE, GET, HEAD"


def test_a_create_in_a_missing_or_terminating_namespace_is_refused(api: ApiClient, namespace: str) -> None:
    missing = api.post("/api/v1/namespaces/nowhere/traits", {"metadata": {"name": "t"}})
    assert (missing.status_code, missing.json()["error"]) == (404, "Namespace not found")

    api.delete("/api/v1/namespaces/acme")
    assert api.post(TRAITS, {"metadata": {"name": "t"}}).status_code == 409


def test_a_list_of_a_missing_namespace_is_empty(api: ApiClient) -> None:
    assert api.get("/api/v1/namespaces/nowhere/traits").json() == {"items": [], "pagination": {}}


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        5,
        {"metadata": []},
        {"metadata": {"name": 5}},
        {"metadata": {"name": "t", "labels": {"a": 1}}},
        {"spec": []},
    ],
)
def test_a_body_of_the_wrong_form_is_400_in_plain_text(api: ApiClient, namespace: str, body: Any) -> None:
    reply = api.post(TRAITS, body)

    assert reply.status_code == 400
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert reply.content.startswith(b"can't decode JSON body: json: cannot unmarshal")


def test_an_owner_must_exist_and_gives_its_labels(api: ApiClient, namespace: str) -> None:
    body = {
        "metadata": {"name": "web"},
        "spec": {"owner": {"projectName": "shop"}, "componentType": {"kind": "ComponentType", "name": "deployment/x"}},
    }
    refused = api.post("/api/v1/namespaces/acme/components", body)
    assert (refused.status_code, refused.json()["error"]) == (400, "Referenced project not found")

    api.create("/api/v1/namespaces/acme/projects", {"metadata": {"name": "shop"}})
    created = api.create("/api/v1/namespaces/acme/components", body)
    assert created["metadata"]["labels"] == {"openchoreo.dev/project": "shop"}

    body["spec"]["owner"] = {"projectName": "elsewhere"}  # type: ignore[index]
    moved = api.put("/api/v1/namespaces/acme/components/web", body)
    assert (moved.status_code, moved.json()["error"]) == (400, "spec.owner.projectName is immutable")


def test_a_list_costs_two_queries_however_long(
    api: ApiClient, namespace: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        api.create(TRAITS, {"metadata": {"name": f"t{number:02}", "labels": {"row": str(number)}}})

    with django_assert_num_queries(2):  # the token's user, and the page
        assert len(api.get(f"{TRAITS}?limit=100&labelSelector=row").json()["items"]) == 30
    with django_assert_num_queries(2):
        api.get(f"{TRAITS}/t00")


def test_reading_is_for_everybody_and_writing_for_staff(api: ApiClient, reader_api: ApiClient, namespace: str) -> None:
    api.create(TRAITS, {"metadata": {"name": "t"}})

    assert reader_api.get(TRAITS).json()["items"]
    for refused in (
        reader_api.post(TRAITS, {"metadata": {"name": "u"}}),
        reader_api.put(f"{TRAITS}/t", {}),
        reader_api.delete(f"{TRAITS}/t"),
    ):
        assert refused.status_code == 403
        assert refused.json() == {
            "code": "FORBIDDEN",
            "error": "You do not have permission to perform this operation",
        }
    assert reader_api.delete(f"{TRAITS}/absent").status_code == 404


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "MISSING_TOKEN"),
        ("Basic abc", "MISSING_TOKEN"),
        ("Bearer ", "MISSING_TOKEN"),
        ("bearer x", "INVALID_TOKEN"),
    ],
)
def test_without_a_good_token_the_answer_is_401_in_its_own_shape(
    client: Client, db: None, header: str, code: str
) -> None:
    reply = client.get("/api/v1/namespaces", headers={"Authorization": header} if header else {})

    assert reply.status_code == 401
    assert reply.json()["error"] == code
    assert "WWW-Authenticate" not in reply.headers


def test_a_bad_query_is_refused_before_the_token_is_looked_at(stranger_api: ApiClient) -> None:
    assert stranger_api.get("/api/v1/namespaces?limit=abc").status_code == 400
    assert stranger_api.send("DELETE", "/api/v1/namespaces").status_code == 405
    assert stranger_api.post("/api/v1/namespaces", b"{").status_code == 401


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 404),
        (f"{TRAITS}/", 404),
        ("/api/v1/namespaces/acme/renderedreleases", 404),
        ("/api/v1/components", 404),
        ("/api/v2/namespaces", 404),
    ],
)
def test_an_unknown_route_is_plain_text(api: ApiClient, path: str, status: int) -> None:
    reply = api.get(path)

    assert (reply.status_code, reply.content) == (status, b"404 page not found\n")


def test_a_doubled_slash_is_redirected_with_its_method(api: ApiClient) -> None:
    reply = api.post("/api/v1//namespaces?a=b", {})

    assert reply.status_code == 307
    assert reply.headers["Location"] == "/api/v1/namespaces?a=b"


def test_a_failure_of_ours_is_500_without_its_details(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("catalog.api.crud.page_of", fail)

    reply = api.get("/api/v1/namespaces")

    assert (reply.status_code, reply.json()) == (500, {"code": "INTERNAL_ERROR", "error": "Internal server error"})


def test_health_and_readiness_need_no_token(client: Client, db: None) -> None:
    assert client.get("/health").content == b"OK"
    assert client.get("/ready").content == b"Ready"
    assert set(client.get("/version").json()) == {
        "name", "version", "gitRevision", "buildTime", "goOS", "goArch", "goVersion",
    }  # fmt: skip
    assert client.post("/health").status_code == 405
