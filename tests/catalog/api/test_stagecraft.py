"""Our own additions: history, as-of reads, the changes feed, applying and comparing many documents, manifests."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from catalog import store
from catalog.compiler.yaml import load_documents
from catalog.kinds.trait import Trait
from catalog.releases.rendered import put_rendered_release
from catalog.store.models import LogHorizon
from portal.accounts.actor import system
from portal.audit.models import AuditEvent
from tests.catalog.api.conftest import ApiClient
from tests.catalog.manifests.conftest import project, trait

pytestmark = pytest.mark.django_db
OURS = "/api/stagecraft/v1"
TRAITS = "/api/v1/namespaces/acme/traits"


@pytest.fixture
def edited(api: ApiClient, namespace: str) -> str:
    """A trait with two changes behind it."""
    api.create(TRAITS, {"metadata": {"name": "t", "labels": {"v": "1"}}})
    api.put(f"{TRAITS}/t", {"metadata": {"labels": {"v": "2"}}})
    return "t"


def test_history_shows_every_revision_with_its_author(api: ApiClient, edited: str) -> None:
    items = api.get(f"{OURS}/namespaces/acme/traits/t/history?documents=true").json()["items"]

    assert [item["action"] for item in items] == ["created", "changed"]
    assert {item["actor"]["name"] for item in items} == {"admin"}
    assert items[1]["before"]["metadata"]["labels"] == {"v": "1"}
    assert items[1]["after"]["metadata"]["labels"] == {"v": "2"}


def test_history_outlives_the_object_and_has_pages(api: ApiClient, edited: str) -> None:
    api.delete(f"{TRAITS}/t")

    first = api.get(f"{OURS}/namespaces/acme/traits/t/history?limit=2").json()
    rest = api.get(f"{OURS}/namespaces/acme/traits/t/history?after={first['pagination']['nextAfter']}").json()

    assert [item["action"] for item in first["items"] + rest["items"]] == ["created", "changed", "deleted"]
    assert rest["pagination"] == {}
    assert api.get(f"{OURS}/namespaces/acme/traits/never/history").status_code == 404
    assert api.get(f"{OURS}/namespaces/acme/nonsense/t/history").status_code == 404


def test_an_object_is_read_as_it_stood(api: ApiClient, edited: str) -> None:
    created, changed = api.get(f"{OURS}/namespaces/acme/traits/t/history").json()["items"]

    def labels(query: str) -> Any:
        return api.get(f"{OURS}/namespaces/acme/traits/t/as-of?{query}").json()["metadata"]["labels"]

    assert labels(f"sequence={created['sequence']}") == {"v": "1"}
    assert labels(f"sequence={changed['sequence']}") == {"v": "2"}
    assert labels("time=2999-01-01T00:00:00Z") == {"v": "2"}
    assert api.get(f"{OURS}/namespaces/acme/traits/t/as-of?time=2000-01-01T00:00:00Z").status_code == 404
    for bad in ("", "sequence=1&time=2000-01-01T00:00:00Z", "time=yesterday", "time=2000-01-01T00:00:00"):
        assert api.get(f"{OURS}/namespaces/acme/traits/t/as-of?{bad}").status_code == 400


def test_the_feed_gives_each_change_once_and_in_order(api: ApiClient, namespace: str) -> None:
    start = api.get(f"{OURS}/changes").json()
    assert start["items"] == []
    for name in ("a", "b", "c"):
        api.create(TRAITS, {"metadata": {"name": name}})

    first = api.get(f"{OURS}/changes?since={start['position']}&limit=2").json()
    second = api.get(f"{OURS}/changes?since={first['position']}&limit=2").json()
    third = api.get(f"{OURS}/changes?since={second['position']}").json()

    assert [item["name"] for item in first["items"] + second["items"]] == ["a", "b", "c"]
    assert third == {"items": [], "position": second["position"]}


def test_the_feed_can_be_narrowed_and_still_moves_on(api: ApiClient, namespace: str) -> None:
    start = api.get(f"{OURS}/changes").json()["position"]
    api.create(TRAITS, {"metadata": {"name": "a"}})
    api.create("/api/v1/clustertraits", {"metadata": {"name": "b"}})

    reply = api.get(f"{OURS}/changes?since={start}&kinds=ClusterTrait,Project").json()
    assert [item["kind"] for item in reply["items"]] == ["ClusterTrait"]
    nothing = api.get(f"{OURS}/changes?since={start}&kinds=Project").json()
    assert nothing == {"items": [], "position": reply["position"]}


def test_a_position_older_than_the_log_is_gone(api: ApiClient, edited: str) -> None:
    LogHorizon.objects.create(id=1, oldest_sequence=store.position())

    reply = api.get(f"{OURS}/changes?since=0")

    assert (reply.status_code, reply.json()["code"]) == (410, "GONE")


def test_many_documents_are_applied_each_with_its_outcome(api: ApiClient, namespace: str) -> None:
    body = "---\n".join([trait("a"), "kind: Secret\napiVersion: v1\nmetadata: {name: s}\n", project("shop")])

    reply = api.post(f"{OURS}/apply?namespace=acme", body.encode())

    assert reply.status_code == 200
    assert [item["result"] for item in reply.json()["items"]] == ["created", "skipped", "created"]
    assert reply.json()["counts"] == {"created": 2, "skipped": 1}
    assert Trait.objects.system("test").get().namespace_id == "acme"


def test_a_document_that_fails_says_where_and_the_others_are_stored(api: ApiClient, namespace: str) -> None:
    body = trait("a") + "---\n" + trait("b").replace("spec: {", "spec: {creates: 5, ")

    reply = api.post(f"{OURS}/apply?namespace=acme", body.encode())

    assert reply.status_code == 422
    assert reply.json()["error"] == "1 of 2 documents failed"
    problem = reply.json()["items"][1]["problems"][0]
    assert (problem["path"], problem["line"]) == ("spec.creates", 9)
    assert list(Trait.objects.system("test").values_list("name", flat=True)) == ["a"]


def test_json_is_accepted_and_a_dry_run_stores_nothing(api: ApiClient, namespace: str) -> None:
    document = {
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "Trait",
        "metadata": {"name": "a", "namespace": "acme"},
    }

    reply = api.post(f"{OURS}/apply?dryRun=true", orjson.dumps(document))

    assert reply.json()["items"][0]["result"] == "created"
    assert not Trait.objects.system("test").exists()
    assert api.post(f"{OURS}/apply", b"").status_code == 400


def test_a_diff_shows_what_apply_would_change(api: ApiClient, edited: str) -> None:
    reply = api.post(f"{OURS}/diff?namespace=acme", trait("t", v="3").encode()).json()

    assert "+    v: '3'" in reply["items"][0]["diff"] or '+    v: "3"' in reply["items"][0]["diff"]
    assert Trait.objects.system("test").get().labels == {"v": "2"}


def test_who_may_only_read_may_not_apply(reader_api: ApiClient, db: None) -> None:
    assert reader_api.post(f"{OURS}/apply", trait("a").encode()).status_code == 403
    assert reader_api.get(f"{OURS}/changes").status_code == 200


def test_the_rendered_manifests_of_a_binding_are_shown(api: ApiClient, namespace: str) -> None:
    body = {
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "ReleaseBinding",
        "metadata": {"name": "web-dev", "namespace": namespace},
        "spec": {"owner": {"projectName": "shop", "componentName": "web"}, "environment": "dev"},
    }
    actor = system("tests")
    binding = store.apply(body, actor).obj
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "c", "namespace": "x"},
        "data": {"k": "v"},
    }
    put_rendered_release(
        "web-dev", namespace, binding, {"projectName": "shop", "componentName": "web"}, "dev", "dataplane",
        [{"id": "config", "object": manifest}], {}, actor,
    )  # fmt: skip
    path = f"{OURS}/namespaces/acme/releasebindings/web-dev/manifests"

    shown = api.get(path).json()["renderedReleases"]
    assert [item["name"] for item in shown] == ["web-dev"]
    assert shown[0]["objects"][0]["object"] == manifest
    assert shown[0]["objects"][0]["isApplied"] is False

    as_text = api.get(f"{path}?format=yaml")
    assert [item.value for item in load_documents(as_text.content)] == [manifest]
    assert api.get(f"{OURS}/namespaces/acme/traits/x/manifests").status_code == 404


# Together, and only if ------------------------------------------------------------------------------------------------


def results(reply: Any) -> list[str]:
    return [item["result"] for item in reply.json()["items"]]


def test_documents_that_are_applied_together_are_stored_all_or_none(api: ApiClient, namespace: str) -> None:
    wrong = trait("b").replace("spec: {", "spec: {creates: 5, ")
    reply = api.post(
        f"{OURS}/apply?namespace=acme&atomic=true", "---\n".join([trait("a"), wrong, project("shop")]).encode()
    )
    assert (reply.status_code, results(reply)) == (422, ["undone", "failed", "undone"])
    assert (reply.json()["items"][1]["problems"][0]["path"], reply.json()["counts"]["undone"]) == ("spec.creates", 2)
    assert not Trait.objects.system("test").exists()
    reply = api.post(f"{OURS}/apply?namespace=acme&atomic=true", "---\n".join([trait("a"), project("shop")]).encode())
    assert (reply.status_code, results(reply)) == (200, ["created", "created"])


def test_every_document_that_fails_is_told_though_nothing_is_stored(api: ApiClient, namespace: str) -> None:
    taken = "---\n".join([trait("a"), trait("a").replace("spec: {", "spec: {creates: 5, "), "a: [", trait("c")])
    reply = api.post(f"{OURS}/apply?namespace=acme&atomic=true", taken.encode())
    assert results(reply).count("failed") >= 2
    assert not Trait.objects.system("test").exists()


def test_an_attempt_that_was_undone_is_one_event(api: ApiClient, namespace: str) -> None:
    before = AuditEvent.objects.system("test").count()
    wrong = trait("b").replace("spec: {", "spec: {creates: 5, ")
    api.post(f"{OURS}/apply?namespace=acme&atomic=true", "---\n".join([trait("a"), wrong]).encode())
    event = AuditEvent.objects.system("test").order_by("-pk").first()
    assert AuditEvent.objects.system("test").count() == before + 1
    assert (event.action, event.outcome, event.actor) == ("document:apply", "invalid", "admin")


def test_a_dry_run_of_documents_together_says_the_same_and_stores_nothing(api: ApiClient, namespace: str) -> None:
    body = "---\n".join([trait("a"), project("shop")]).encode()
    reply = api.post(f"{OURS}/apply?namespace=acme&atomic=true&dryRun=true", body)
    assert (reply.status_code, results(reply)) == (200, ["created", "created"])
    assert not Trait.objects.system("test").exists()


def conditional(name: str, condition: str, **labels: str) -> str:
    annotation = f"metadata: {{annotations: {{stagecraft.dev/if-match: '{condition}'}}, "
    return trait(name, **labels).replace("metadata: {", annotation, 1)


def test_a_document_can_be_for_one_version_of_its_object_only(api: ApiClient, edited: str) -> None:
    tag = api.get(f"{TRAITS}/t")["ETag"].strip('"')
    first = api.post(f"{OURS}/apply?namespace=acme", conditional("t", tag, v="3").encode())
    assert (first.status_code, results(first)) == (200, ["changed"])
    late = api.post(f"{OURS}/apply?namespace=acme", conditional("t", tag, v="4").encode())
    assert (late.status_code, late.json()["code"], results(late)) == (412, "PRECONDITION_FAILED", ["failed"])
    assert "read it again" in late.json()["items"][0]["problems"][0]["message"]
    # An outcome names the version that it has made.
    version = first.json()["items"][0]["version"]
    again = api.post(f"{OURS}/apply?namespace=acme", conditional("t", version, v="4").encode())
    assert results(again) == ["changed"]
    held = api.get(f"{TRAITS}/t").json()["metadata"]
    assert (held["labels"], held.get("annotations", {})) == ({"v": "4"}, {})


@pytest.mark.parametrize(("name", "condition", "result"), [
    ("t", "none", "failed"), ("new", "none", "created"), ("t", "*", "changed"), ("new", "*", "failed"),
    ("new", "0a-0b", "failed"), ("t", "nonsense", "failed"),
])  # fmt: skip
def test_a_document_can_ask_that_its_object_be_there_or_not(
    api: ApiClient, edited: str, name: str, condition: str, result: str
) -> None:
    reply = api.post(f"{OURS}/apply?namespace=acme", conditional(name, condition, v="9").encode())
    assert results(reply) == [result]


def test_if_match_is_the_condition_of_a_single_document(api: ApiClient, edited: str) -> None:
    tag = api.get(f"{TRAITS}/t")["ETag"]
    path = f"{OURS}/apply?namespace=acme"
    assert api.post(path, trait("t", v="3").encode(), **{"If-Match": tag}).status_code == 200
    assert api.post(path, trait("t", v="4").encode(), **{"If-Match": tag}).status_code == 412
    two = "---\n".join([trait("t"), trait("u")]).encode()
    assert api.post(path, two, **{"If-Match": tag}).status_code == 400


def test_who_may_not_change_an_object_learns_nothing_by_a_condition(reader_api: ApiClient, db: None) -> None:
    for condition in ("none", "*", "1-2"):
        assert reader_api.post(f"{OURS}/apply", conditional("a", condition).encode()).status_code == 403
