"""Pages, label selectors and owner filters: the same on every database."""

from __future__ import annotations

import pytest

from catalog import store
from portal.accounts.actor import system
from portal.wire.selectors import parse_selector
from tests.catalog.api.conftest import ApiClient

pytestmark = pytest.mark.django_db
TRAITS = "/api/v1/namespaces/acme/traits"
LABELS: dict[str, dict[str, str]] = {
    "plain": {},
    "one": {"row": "1", "app.kubernetes.io/name": "web"},
    "two": {"row": "2", "app.kubernetes.io/name": "db", "1": "digit"},
    "ten": {"row": "10", "empty": ""},
    "text": {"row": "ten", "empty": "x", "weird.key": "a_b.c-d"},
    "huge": {"row": "9" * 30},
}


@pytest.fixture
def traits(namespace: str) -> None:
    for name, labels in LABELS.items():
        document = {
            "apiVersion": "openchoreo.dev/v1alpha1",
            "kind": "Trait",
            "metadata": {"name": name, "namespace": namespace, "labels": labels},
        }
        store.apply(document, system("tests"))


def names(api: ApiClient, query: str, path: str = TRAITS) -> list[str]:
    reply = api.get(f"{path}?{query}")
    assert reply.status_code == 200, reply.content
    return [item["metadata"]["name"] for item in reply.json()["items"]]


@pytest.mark.parametrize(
    "selector",
    [
        "row", "!row", "row=1", "row==1", "row!=1", "row in (1,2)", "row notin (1,2)", "row>1", "row<10", "row>0",
        "app.kubernetes.io/name=web", "app.kubernetes.io/name", "!app.kubernetes.io/name", "1=digit", "1", "empty=",
        "empty!=", "empty", "weird.key=a_b.c-d", "row,app.kubernetes.io/name!=web", "row in (1),row notin (1)",
        "nothing=x", "nothing!=x",
    ],
)  # fmt: skip
def test_a_selector_keeps_what_kubernetes_would_keep(api: ApiClient, traits: None, selector: str) -> None:
    requirements = parse_selector(selector)
    wanted = sorted(name for name, labels in LABELS.items() if all(item.matches(labels) for item in requirements))

    assert names(api, "labelSelector=" + selector.replace(">", "%3E").replace("<", "%3C")) == wanted


def test_a_bad_selector_is_400_as_json(api: ApiClient, namespace: str) -> None:
    reply = api.get(f"{TRAITS}?labelSelector=a=b=c")

    assert reply.status_code == 400
    assert reply.json()["error"] == "invalid label selector: found '=', expected: ',' or 'end of string'"


def test_pages_follow_each_other_without_gap_or_repetition(api: ApiClient, traits: None) -> None:
    found, cursor, pages = [], "", 0
    while True:
        reply = api.get(f"{TRAITS}?limit=2&cursor={cursor}").json()
        found += [item["metadata"]["name"] for item in reply["items"]]
        pages += 1
        if "nextCursor" not in reply["pagination"]:
            break
        cursor = reply["pagination"]["nextCursor"]

    assert found == sorted(LABELS)
    assert pages == 3


def test_pages_stay_right_while_objects_come_and_go(api: ApiClient, traits: None) -> None:
    first = api.get(f"{TRAITS}?limit=2").json()
    api.delete(f"{TRAITS}/{first['items'][1]['metadata']['name']}")
    api.create(TRAITS, {"metadata": {"name": "aaa"}})

    assert names(api, f"limit=100&cursor={first['pagination']['nextCursor']}") == sorted(LABELS)[2:]


def test_order_is_that_of_bytes(api: ApiClient, namespace: str) -> None:
    for name in ("ab", "a-b", "a.b", "a0", "b"):
        api.create(TRAITS, {"metadata": {"name": name}})

    assert names(api, "") == ["a-b", "a.b", "a0", "ab", "b"]


@pytest.mark.parametrize("cursor", ["abc", "%00", "eyJhZnRlciI6NX0"])
def test_a_broken_cursor_is_400(api: ApiClient, namespace: str, cursor: str) -> None:
    reply = api.get(f"{TRAITS}?cursor={cursor}")

    assert (reply.status_code, reply.json()) == (400, {"code": "BAD_REQUEST", "error": "invalid cursor"})


def test_components_are_filtered_by_their_project(api: ApiClient, namespace: str) -> None:
    for project in ("shop", "bank"):
        api.create("/api/v1/namespaces/acme/projects", {"metadata": {"name": project}})
        spec = {"owner": {"projectName": project}, "componentType": {"kind": "ComponentType", "name": "deployment/x"}}
        api.create("/api/v1/namespaces/acme/components", {"metadata": {"name": f"{project}-web"}, "spec": spec})

    assert names(api, "project=shop", "/api/v1/namespaces/acme/components") == ["shop-web"]
    missing = api.get("/api/v1/namespaces/acme/components?project=gone")
    assert (missing.status_code, missing.json()["error"]) == (404, "Project not found")


def test_workloads_are_filtered_by_their_component_even_if_that_does_not_exist(api: ApiClient, namespace: str) -> None:
    for component in ("web", "db"):
        document = {
            "apiVersion": "openchoreo.dev/v1alpha1",
            "kind": "Workload",
            "metadata": {"name": component, "namespace": namespace},
            "spec": {"owner": {"projectName": "p", "componentName": component}, "container": {"image": "x"}},
        }
        store.apply(document, system("tests"))

    path = "/api/v1/namespaces/acme/workloads"
    assert names(api, "component=web", path) == ["web"]
    assert names(api, "component=gone", path) == []
    assert names(api, "project=ignored-here", path) == ["db", "web"]
