"""Attack 25: many objects at once as the way past the judgement of each, and past the audit.

Whatever takes many documents or many rows asks about each of them, and leaves an event for each that it changes. What
would change rows without asking does not run at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog import store
from catalog.kinds.component import Component
from catalog.kinds.registry import KINDS
from catalog.store.models import Revision
from portal.access.doors import ClosedQuery
from portal.accounts.models import User, issue_token
from portal.audit.models import AuditEvent
from tests.catalog.access.conftest import bind, person, role
from tests.catalog.api.conftest import ApiClient

pytestmark = pytest.mark.django_db
APPLY = "/api/stagecraft/v1/apply"


@pytest.fixture
def eve(tenants: None) -> ApiClient:
    role("developer", "component:*", "project:view")
    bind("eve", "groups:eve", "developer", scope={"namespace": "acme", "project": "shop"})
    return ApiClient(Client(), issue_token(person("eve", "eve", is_staff=True), "tests"))


def component(name: str, project: str, namespace: str = "acme") -> dict[str, Any]:
    return {
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "Component",
        "metadata": {"name": name, "namespace": namespace, "labels": {"by": "eve"}},
        "spec": {
            "owner": {"projectName": project},
            "componentType": {"kind": "ClusterComponentType", "name": "deployment/worker"},
        },
    }


def stream(*documents: dict[str, Any]) -> bytes:
    return b"\n---\n".join(json.dumps(document).encode() for document in documents)


def marked() -> set[str]:
    return {str(row) for row in Component.objects.system("test") if row.labels.get("by") == "eve"}


# Documents ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize(
    "hidden", [("shop-web", "shop", "globex"), ("bank-web", "bank", "acme"), ("new", "bank", "acme")]
)
def test_one_document_that_is_not_permitted_stops_all_wherever_it_stands(
    eve: ApiClient, position: int, hidden: tuple[str, str, str]
) -> None:
    documents = [component("shop-web", "shop"), component("shop-api", "shop")]
    documents.insert(position, component(*hidden))
    assert eve.post(APPLY, stream(*documents)).status_code == 403
    assert marked() == set()


def test_all_that_are_permitted_are_stored_with_an_event_each(eve: ApiClient) -> None:
    reply = eve.post(
        APPLY, stream(component("shop-web", "shop"), component("shop-api", "shop"), component("new", "shop"))
    )
    assert reply.status_code == 200, reply.content
    assert marked() == {"acme/shop-web", "acme/shop-api", "acme/new"}
    events = AuditEvent.objects.system("test").filter(actor="eve", kind="Component", outcome="success")
    assert {"shop-web", "shop-api", "new"} <= set(events.values_list("name", flat=True))


@pytest.mark.parametrize("path", ["diff", "preview", "apply?dryRun=true"])
def test_what_only_shows_what_would_happen_asks_the_same(eve: ApiClient, path: str) -> None:
    reply = eve.post(f"/api/stagecraft/v1/{path}", stream(component("shop-web", "shop"), component("bank-web", "bank")))
    assert reply.status_code == 403 and b"componentType" not in reply.content
    assert marked() == set()


def test_the_same_object_twice_is_judged_each_time(eve: ApiClient) -> None:
    """The second document would move what the first has made into a project that is not eve's."""
    reply = eve.post(APPLY, stream(component("new", "shop"), component("new", "bank")))
    assert reply.status_code == 403 and marked() == set()


def test_aliases_and_lists_hide_no_document(eve: ApiClient) -> None:
    inner = component("bank-web", "bank")
    for body in (
        json.dumps({"apiVersion": "v1", "kind": "List", "items": [inner]}).encode(),
        json.dumps([inner]).encode(),
        b"- " + json.dumps(inner).encode(),
    ):
        eve.post(APPLY, body)
        assert marked() == set()


def test_many_documents_of_roles_are_guarded_each(eve: ApiClient) -> None:
    def written(actions: list[str], name: str) -> dict[str, Any]:
        metadata = {"name": name, "namespace": "acme"}
        found = {"apiVersion": "openchoreo.dev/v1alpha1", "kind": "AuthzRole", "metadata": metadata}
        return {**found, "spec": {"actions": actions}}

    role("roles", "authzrole:*")
    bind("lead", "groups:eve", "roles", scope={"namespace": "acme"})
    reply = eve.post(APPLY, stream(written(["authzrole:view"], "one"), written(["*"], "two")))
    assert reply.status_code == 403 and store.get_or_none("AuthzRole", "acme", "two") is None


# Rows in the admin ----------------------------------------------------------------------------------------------------


def test_deleting_many_in_the_admin_deletes_only_what_may_be_deleted(eve: ApiClient, client: Client) -> None:
    client.force_login(User.objects.get(username="eve"))
    rows = list(Component.objects.system("test").filter(namespace_id="acme"))
    chosen = {"action": "delete_selected", "_selected_action": [row.pk for row in rows], "post": "yes"}
    client.post(reverse("admin:catalog_component_changelist"), chosen)
    left = {row.name for row in Component.objects.system("test").filter(namespace_id="acme", deleted_at=None)}
    assert {"bank-web", "bank-api"} <= left


def test_choosing_all_across_pages_chooses_no_hidden_row(eve: ApiClient, client: Client) -> None:
    client.force_login(User.objects.get(username="eve"))
    chosen = {"action": "delete_selected", "_selected_action": ["1"], "select_across": "1", "post": "yes"}
    client.post(reverse("admin:catalog_component_changelist"), chosen)
    left = {str(row) for row in Component.objects.system("test").filter(deleted_at=None)}
    assert {name for name in left if "shop" not in name or name.startswith("globex")} == {
        "acme/bank-web", "acme/bank-api", "globex/bank-web", "globex/bank-api", "globex/shop-web", "globex/shop-api",
    }  # fmt: skip


# Rows in the code -----------------------------------------------------------------------------------------------------

BULK: dict[str, Callable[[Any], Any]] = {
    "update": lambda rows: rows.update(labels={"by": "eve"}),
    "delete": lambda rows: rows.delete(),
    "bulk_create": lambda rows: rows.bulk_create([rows.model(name="x")]),
    "bulk_update": lambda rows: rows.bulk_update([rows.model(pk=1, name="x")], ["name"]),
    "update_or_create": lambda rows: rows.update_or_create(name="x", defaults={"name": "y"}),
    "in_bulk": lambda rows: rows.in_bulk(),
    "iterator": lambda rows: list(rows.iterator(chunk_size=10)),
}


@pytest.mark.parametrize("model", KINDS, ids=lambda model: model.kind)
@pytest.mark.parametrize("operation", BULK.values(), ids=BULK.keys())
def test_no_kind_has_rows_that_can_be_had_or_changed_without_a_door(
    model: Any, operation: Callable[[Any], Any], django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0), pytest.raises(ClosedQuery):
        operation(model.objects.all())


def test_the_log_and_the_audit_cannot_be_rewritten_in_bulk_either() -> None:
    for model in (Revision, AuditEvent):
        with pytest.raises(ClosedQuery):
            model.objects.all().update(actor="somebody else")
        with pytest.raises(ClosedQuery):
            model.objects.all().delete()
