"""Attack 22: learning what others have from lists of what one may see: cursors, filters, order, counts and pages."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from catalog.kinds.component import Component
from portal.accounts.models import User, issue_token
from portal.wire.cursors import encode_cursor
from tests.catalog.access.conftest import bind, person, role
from tests.catalog.api.conftest import ApiClient
from tests.factories import ComponentFactory

pytestmark = pytest.mark.django_db
LIST = "/api/v1/namespaces/acme/components"
MINE = ["shop-api", "shop-web"]


@pytest.fixture
def clients(tenants: None) -> dict[str, ApiClient]:
    """Two people in one namespace, each with a project of their own."""
    role("viewer", "component:view", "project:view")
    for name, project in (("eve", "shop"), ("bob", "bank")):
        bind(name, f"groups:{name}", "viewer", scope={"namespace": "acme", "project": project})
    return {name: ApiClient(Client(), issue_token(person(name, name), "tests")) for name in ("eve", "bob")}


def names(reply: Any) -> list[str]:
    assert reply.status_code == 200, reply.content
    return [item["metadata"]["name"] for item in reply.json()["items"]]


def unsigned(after: Any, **more: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps({"after": after, **more}).encode()).rstrip(b"=").decode()


def test_a_cursor_that_was_made_up_is_refused(clients: dict[str, ApiClient]) -> None:
    for cursor in (
        unsigned("bank-web"),
        unsigned("a", **{"for": ""}),
        unsigned("a", **{"for": "0" * 32}),
        unsigned(""),
    ):
        reply = clients["eve"].get(f"{LIST}?cursor={cursor}")
        assert reply.status_code == 400 or names(reply) == MINE, cursor
    assert clients["eve"].get(f"{LIST}?cursor={unsigned('bank-web')}").status_code == 400


def test_a_cursor_of_somebody_else_is_refused(clients: dict[str, ApiClient]) -> None:
    """It names the last object that the other has seen."""
    moved = clients["bob"].get(f"{LIST}?limit=1").json()["pagination"]["nextCursor"]
    assert names(clients["bob"].get(f"{LIST}?cursor={moved}")) == ["bank-web"]
    assert clients["eve"].get(f"{LIST}?cursor={moved}").status_code == 400


def test_a_cursor_that_was_altered_is_refused(clients: dict[str, ApiClient]) -> None:
    mine = clients["eve"].get(f"{LIST}?limit=1").json()["pagination"]["nextCursor"]
    held = json.loads(base64.urlsafe_b64decode(mine + "=="))
    assert clients["eve"].get(f"{LIST}?cursor={unsigned(**{**held, 'after': 'bank-api'})}").status_code == 400
    assert names(clients["eve"].get(f"{LIST}?cursor={mine}")) == ["shop-web"]


def test_ones_own_cursor_shows_no_more_in_another_list(clients: dict[str, ApiClient]) -> None:
    mine = clients["eve"].get(f"{LIST}?limit=1").json()["pagination"]["nextCursor"]
    assert names(clients["eve"].get(f"/api/v1/namespaces/globex/components?cursor={mine}")) == []
    assert names(clients["eve"].get(f"/api/v1/namespaces/acme/projects?cursor={mine}")) == []


def test_cursors_outlast_a_change_of_the_servers_key(clients: dict[str, ApiClient], settings: Any) -> None:
    mine = clients["eve"].get(f"{LIST}?limit=1").json()["pagination"]["nextCursor"]
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    assert names(clients["eve"].get(f"{LIST}?cursor={mine}")) == ["shop-web"]
    settings.SECRET_KEY_FALLBACKS = []
    assert clients["eve"].get(f"{LIST}?cursor={mine}").status_code == 400


def test_pages_hold_only_what_is_seen_and_end_where_that_ends(clients: dict[str, ApiClient]) -> None:
    """A page is never shorter for what is hidden between its rows, and no cursor leads to nothing."""
    found, cursor, pages = [], "", 0
    while True:
        reply = clients["eve"].get(f"{LIST}?limit=1&cursor={cursor}")
        found += names(reply)
        pages += 1
        cursor = reply.json()["pagination"].get("nextCursor", "")
        if not cursor:
            break
    assert (found, pages) == (MINE, 2)
    assert set(reply.json()) == {"items", "pagination"} and reply.json()["pagination"] == {}, (
        "and no count of what remains"
    )


@pytest.mark.parametrize(
    "selector", ["canary=x", "canary", "!canary", "canary!=x", "canary in (x,y)", "size>3", "size<30"]
)
def test_filters_by_labels_look_at_no_hidden_row(clients: dict[str, ApiClient], selector: str) -> None:
    before = names(clients["eve"].get(f"{LIST}?labelSelector={selector}"))
    Component.objects.system("test").filter(name__startswith="bank").update(labels={"canary": "x", "size": "7"})
    after = names(clients["eve"].get(f"{LIST}?labelSelector={selector}"))
    assert before == after and not any(name.startswith("bank") for name in after)


def test_a_filter_by_an_owner_shows_nothing_of_a_hidden_one(clients: dict[str, ApiClient]) -> None:
    full = clients["eve"].get(f"{LIST}?project=bank")
    Component.objects.system("test").filter(name__startswith="bank").delete()
    empty = clients["eve"].get(f"{LIST}?project=bank")
    assert (full.status_code, full.content) == (empty.status_code, empty.content) == (404, full.content)


def test_what_is_hidden_changes_no_byte_of_a_list(clients: dict[str, ApiClient]) -> None:
    before = clients["eve"].get(f"{LIST}?limit=1")
    for name in ("aaa", "shop-b", "zzz"):
        ComponentFactory(name=name, namespace="acme", project="bank")
    after = clients["eve"].get(f"{LIST}?limit=1")
    assert before.content == after.content and before.headers.get("ETag") == after.headers.get("ETag")


def test_the_admin_counts_searches_and_sorts_only_what_is_seen(tenants: None, client: Client) -> None:
    role("viewer", "component:view")
    bind("eve", "groups:eve", "viewer", scope={"namespace": "acme", "project": "shop"})
    eve = person("eve", "eve", is_staff=True)
    client.force_login(User.objects.get(pk=eve.pk))
    url = reverse("admin:catalog_component_changelist")
    for query in ("", "?q=bank", "?o=-1", "?namespace=acme", "?all="):
        page = client.get(url + query)
        if page.status_code != 200:
            continue  # a question that the list does not know
        shown = page.context["cl"]
        assert {row.name for row in shown.result_list} <= set(MINE)
        assert shown.result_count <= 2 and shown.full_result_count in (None, 2), query
        assert b"bank-web" not in page.content


def test_no_lookup_of_a_hidden_column_narrows_a_list(tenants: None, client: Client) -> None:
    role("viewer", "component:view")
    bind("eve", "groups:eve", "viewer", scope={"namespace": "acme", "project": "shop"})
    client.force_login(person("eve", "eve", is_staff=True))
    url = reverse("admin:catalog_component_changelist")
    for lookup in ("spec__icontains=deployment", "project__annotations__contains=x", "namespace__uid__startswith=0"):
        page = client.get(f"{url}?{lookup}")
        assert page.status_code in (302, 400), lookup


def test_a_cursor_says_only_what_its_owner_has_seen(clients: dict[str, ApiClient]) -> None:
    cursor = clients["eve"].get(f"{LIST}?limit=1").json()["pagination"]["nextCursor"]
    held = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    assert held["after"] == "shop-api" and cursor == encode_cursor("shop-api", "eve")
