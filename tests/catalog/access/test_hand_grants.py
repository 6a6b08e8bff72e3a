"""Grants by hand and grants by bindings are the same rows, seen from guardian, from the engine and from REST."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from guardian.shortcuts import assign_perm, get_objects_for_user, get_perms, remove_perm
from pytest_django import DjangoAssertNumQueries

from catalog import store
from catalog.access.compile import snapshot
from catalog.access.models import CompiledMapping, ProjectGroupGrant, ProjectUserGrant
from catalog.kinds.project import Project
from portal.access.place import Place
from portal.accounts.models import User, issue_token
from portal.audit.models import AuditEvent
from tests.catalog.access.conftest import access_of, bind, person, role, unbind
from tests.factories import TESTER, ProjectFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("tenants")]
SHOP = Place("acme", "shop")
URL = "/api/stagecraft/v1/access/grants"


@pytest.fixture
def shop(tenants: None) -> Project:
    found: Project = store.get("Project", "acme", "shop")  # type: ignore[assignment]
    return found


def events(**wanted: Any) -> Any:
    return AuditEvent.objects.system("test").filter(**wanted)


class Caller:
    """Somebody with a token."""

    def __init__(self, client: Client, user: User) -> None:
        self.client, self.headers = client, {"Authorization": f"Bearer {issue_token(user, 'test')}"}

    def __call__(self, method: str, url: str = URL, body: Any = None, **query: Any) -> Any:
        data = json.dumps(body) if body is not None else ""
        return self.client.generic(
            method, url, data, content_type="application/json", headers=self.headers, query_params=query
        )


@pytest.fixture
def root(client: Client) -> Caller:
    return Caller(client, User.objects.create_superuser("root", "", "x"))


@pytest.fixture
def lead(client: Client) -> Caller:
    """Somebody who may write bindings in acme, and see and change components there."""
    role("lead", "authzrolebinding:*", "component:*", "project:view", "clusterauthzrole:view")
    bind("leads", "groups:leads", "lead", namespace="acme")
    return Caller(client, person("lena", "leads", is_staff=True))


def given(caller: Caller, **body: Any) -> Any:
    return caller("POST", body={"scope": {"namespace": "acme", "project": "shop"}, **body})


def test_what_guardian_gives_the_engine_counts_and_rest_shows(shop: Project, root: Caller) -> None:
    ann = person("ann")
    assign_perm("project|component:view", ann, shop)

    assert access_of(ann).allows("component:view", SHOP)
    assert get_perms(ann, shop) == ["project|component:view"]
    (shown,) = root("GET", namespace="acme", project="shop").json()["items"]
    assert (shown["origin"], shown["user"], shown["action"], shown["path"]) == (
        "manual", "ann", "component:view", "ns/acme/project/shop",
    )  # fmt: skip
    remove_perm("project|component:view", ann, shop)
    assert not access_of(ann).allows("component:view", SHOP)
    assert [event.action for event in events(kind="Grant").order_by("id")] == [
        "authzrolebinding:create", "authzrolebinding:delete",
    ]  # fmt: skip


def test_what_rest_gives_guardian_finds(shop: Project, root: Caller) -> None:
    ann = person("ann")
    made = role("viewer", "component:view")

    reply = given(root, user="ann", role={"kind": "ClusterAuthzRole", "name": "viewer"})

    assert reply.status_code == 201, reply.content
    codename = f"project|clusterauthzrole#{made.pk}"
    assert codename in get_perms(ann, shop)
    assert list(get_objects_for_user(ann, f"catalog.{codename}", Project.objects.system("test"),
                                     accept_global_perms=False)) == [shop]  # fmt: skip
    assert reply.json()["grantedBy"] == "root"
    event = events(kind="Grant").get()
    assert (event.actor, event.surface, event.decision, event.project) == ("root", "rest", "allow", "shop")


def test_a_binding_and_a_hand_may_give_the_same_row_and_each_takes_only_its_own(shop: Project, root: Caller) -> None:
    role("viewer", "component:view")
    bind("viewers", "groups:crew", "viewer", namespace="acme", scope={"project": "shop"})
    ann, before = person("ann", "crew"), snapshot()

    reply = given(root, group="groups:crew", role={"name": "viewer"})
    assert (reply.status_code, reply.json()["origin"]) == (201, "both")
    assert ProjectGroupGrant.objects.count() == 1
    assert root("DELETE", f"{URL}/{reply.json()['id']}").status_code == 204
    assert access_of(ann).allows("component:view", SHOP)
    assert snapshot() == before

    key = given(root, group="groups:crew", role={"name": "viewer"}).json()["id"]
    unbind("viewers", "acme")
    assert access_of(ann).allows("component:view", SHOP)
    assert root("GET", namespace="acme", project="shop").json()["items"][0]["origin"] == "manual"
    assert root("DELETE", f"{URL}/{key}").status_code == 204
    assert not access_of(ann).allows("component:view", SHOP)


def test_a_shared_row_lasts_as_long_as_the_longest(shop: Project, root: Caller) -> None:
    role("viewer", "component:view")
    soon, later = timezone.now() + timedelta(days=1), timezone.now() + timedelta(days=9)
    bind("viewers", "groups:crew", "viewer", namespace="acme", scope={"project": "shop"},
         annotations={"stagecraft.dev/expires-at": soon.isoformat()})  # fmt: skip

    reply = given(root, group="groups:crew", role={"name": "viewer"}, expiresAt=later.isoformat())
    assert ProjectGroupGrant.objects.get().expires_at == later
    changed = root("PUT", f"{URL}/{reply.json()['id']}", {"expiresAt": None})
    assert changed.status_code == 200
    assert ProjectGroupGrant.objects.get().expires_at is None
    assert root("DELETE", f"{URL}/{reply.json()['id']}").status_code == 204
    assert ProjectGroupGrant.objects.get().expires_at == soon


def test_a_grant_by_hand_ends(shop: Project, root: Caller) -> None:
    ann = person("ann")
    later = (timezone.now() + timedelta(hours=1)).isoformat()
    assert given(root, user="ann", action="component:view", expiresAt=later).status_code == 201
    assert access_of(ann).allows("component:view", SHOP)

    ProjectUserGrant.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert not access_of(ann).allows("component:view", SHOP)
    assert root("GET", namespace="acme", project="shop").json()["items"][0]["expired"] is True


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"user": "nobody", "action": "component:view"}, "user"),
        ({"user": "ann", "group": "groups:a", "action": "component:view"}, "user"),
        ({"user": "ann"}, "role"),
        ({"user": "ann", "action": "no:such"}, "action"),
        ({"user": "ann", "action": "namespace:create"}, "action"),
        ({"user": "ann", "role": {"name": "absent"}}, "role"),
        ({"group": "nogroup", "action": "component:view"}, "group"),
        ({"user": "ann", "action": "component:view", "expiresAt": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"user": "ann", "action": "component:view", "expiresAt": "soon"}, "expiresAt"),
        ({"user": "ann", "action": "component:view", "scope": {"namespace": "acme", "project": "none"}}, "scope"),
    ],
)
def test_what_cannot_be_given_is_refused_with_its_field(root: Caller, body: dict[str, Any], field: str) -> None:
    person("ann")
    reply = given(root, **body)

    assert reply.status_code == 400
    assert reply.json()["error"].startswith(field)
    assert not ProjectUserGrant.objects.exists()


def test_nobody_gives_what_they_do_not_hold_nor_to_themselves(lead: Caller) -> None:
    ann = person("ann")
    role("powerful", "component:*", "environment:delete")
    assert given(lead, user="ann", action="component:update").status_code == 201
    refused = given(lead, user="ann", role={"name": "powerful"})
    assert (refused.status_code, "environment:delete" in refused.json()["error"]) == (403, True)
    assert given(lead, user="lena", action="component:update").status_code == 403
    assert given(lead, user="ann", action="component:update", scope={"namespace": "globex"}).status_code == 403
    assert given(lead, user="ann", action="component:update", scope={}).status_code == 403
    assert not access_of(ann).allows("environment:delete", Place("acme"))
    assert events(kind="Grant", outcome="denied").count() == 4


def test_groups_are_not_made_by_refused_requests(lead: Caller) -> None:
    assert given(lead, group="groups:brand-new", action="environment:delete").status_code in (400, 403)
    assert given(lead, group="groups:brand-new", action="project:delete").status_code == 403
    assert not Group.objects.filter(name="groups:brand-new").exists()


def test_only_who_may_see_bindings_sees_grants(client: Client, lead: Caller, shop: Project) -> None:
    stranger = Caller(client, person("sam"))
    ann = person("ann")
    assign_perm("project|component:view", ann, shop)
    row = ProjectUserGrant.objects.get()

    assert stranger("GET", namespace="acme", project="shop").status_code == 403
    assert stranger("DELETE", f"{URL}/user:project:{row.pk}").status_code == 404
    assert lead("GET", namespace="acme").status_code == 200
    assert lead("GET").status_code == 403
    assert lead("GET", namespace="globex").status_code == 403
    bind("everyone", "groups:all", "lead")
    listed = lead("GET", namespace="acme", project="shop", above="true").json()["items"]
    assert {item["path"] for item in listed} == {"ns/acme", "ns/acme/project/shop"}


def test_the_last_way_to_everything_is_not_taken_while_there_is_no_superuser(client: Client, shop: Project) -> None:
    role("admin", "*")
    bind("admins", "groups:admins", "admin")
    boss, _ = Caller(client, person("boss", "admins")), person("other")
    everywhere = {"user": "other", "role": {"name": "admin"}}
    key = boss("POST", body=everywhere).json()["id"]
    assert boss("DELETE", f"{URL}/{key}").status_code == 204

    key = boss("POST", body=everywhere).json()["id"]
    unbind("admins")
    person("deputy", "deputies")
    bind("deputies", "groups:deputies", "deputy-role")
    role("deputy-role", "clusterauthzrolebinding:*", "authz:bind")
    deputy = Caller(client, User.objects.get(username="deputy"))
    refused = deputy("DELETE", f"{URL}/{key}")
    assert (refused.status_code, "last way" in refused.json()["error"]) == (403, True)
    User.objects.create_superuser("root", "", "x")
    assert deputy("DELETE", f"{URL}/{key}").status_code == 204


@pytest.mark.parametrize("key", ["user:project:999", "group:x:1", "exception:project:1", "nonsense", "user:project:-1"])
def test_keys_that_mean_no_grant_by_hand_are_not_found(root: Caller, key: str) -> None:
    assert root("DELETE", f"{URL}/{key}").status_code == 404


def test_what_a_binding_gives_cannot_be_taken_by_hand(root: Caller) -> None:
    role("viewer", "component:view")
    bind("viewers", "groups:crew", "viewer", namespace="acme", scope={"project": "shop"})

    reply = root("DELETE", f"{URL}/group:project:{ProjectGroupGrant.objects.get().pk}")

    assert reply.status_code == 404
    assert ProjectGroupGrant.objects.exists()


def test_the_list_has_pages_origins_and_conditions(root: Caller) -> None:
    role("viewer", "component:view", "releasebinding:*")
    only_dev = {"actions": ["releasebinding:*"], "expression": 'resource.environment == "acme/dev"'}
    bind("a", "groups:a", "viewer", namespace="acme", scope={"project": "shop"}, conditions=[only_dev])
    bind("b", "groups:b", "viewer", namespace="acme", scope={"project": "shop"}, effect="deny")
    bind("c", "sub:carl", "viewer", namespace="acme", scope={"project": "shop"})
    person("ann")
    given(root, user="ann", action="component:view")
    shop = {"namespace": "acme", "project": "shop"}

    first = root("GET", **shop, limit=3).json()
    second = root("GET", **shop, limit=3, cursor=first["pagination"]["nextCursor"]).json()
    items = first["items"] + second["items"]

    assert len({item["id"] for item in items}) == 4
    assert sorted((item.get("group") or item["user"], item["effect"], item["origin"]) for item in items) == [
        ("ann", "allow", "manual"), ("groups:a", "allow", "binding"),
        ("groups:b", "deny", "binding"), ("sub:carl", "allow", "binding"),
    ]  # fmt: skip
    conditional = next(item for item in items if item.get("group") == "groups:a")
    assert conditional["conditions"] == [only_dev]
    assert conditional["bindings"] == [{"kind": "AuthzRoleBinding", "namespace": "acme", "name": "a", "index": 0}]
    assert [item["user"] for item in root("GET", **shop, origin="manual").json()["items"]] == ["ann"]
    assert [item["group"] for item in root("GET", **shop, group="sub:carl").json()["items"]] == ["sub:carl"]


def test_a_page_of_many_grants_takes_as_many_queries_as_one_of_few(
    root: Caller, django_assert_max_num_queries: DjangoAssertNumQueries, shop: Project
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    role("viewer", "component:view")
    root("GET", namespace="acme")  # notes that the token is in use, once a minute
    counts = []
    for number in range(3):
        for one in range(number * 10, number * 10 + 10):
            assign_perm("project|component:view", person(f"p{one}"), shop)
            bind(f"b{one}", f"groups:g{one}", "viewer", namespace="acme", scope={"project": "shop"})
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert root("GET", namespace="acme", project="shop", limit=100).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] == counts[2] <= 20, counts


def test_a_project_that_goes_takes_its_grants_along(shop: Project) -> None:
    ann = person("ann")
    assign_perm("project|component:view", ann, shop)
    store.delete("Project", "acme", "shop", TESTER)
    gone = store.get_or_none("Project", "acme", "shop")
    if gone is not None:  # its controller has a finalizer to take off
        Project.objects.system("test").filter(pk=gone.pk).delete()
    ProjectFactory.create(name="shop", namespace="acme")
    assert not access_of(ann).allows("component:view", SHOP)
    assert not CompiledMapping.objects.system("test").exists()
