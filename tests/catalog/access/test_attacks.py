"""Attacks on permissions that must fail; the numbers are those of the attack list."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.access.compile import rebuild
from catalog.access.models import ClusterGroupGrant, NamespaceGroupGrant, PolicyException
from catalog.kinds.component import Component
from portal.access.engine import Access
from portal.access.explanations import explain
from portal.access.place import Place
from portal.access.subject import entitled, entitlement, subject_of_identity
from portal.accounts.identity import Identity
from portal.accounts.models import User, issue_token
from tests.catalog.access.conftest import access_of, bind, person, role, unbind
from tests.catalog.api.conftest import ApiClient

pytestmark = pytest.mark.django_db
WEB = Place("acme", "shop", component="shop-web")
COMPONENTS = "/api/v1/namespaces/acme/components"


def api_of(user: User) -> ApiClient:
    return ApiClient(Client(), issue_token(user, "tests"))


@pytest.fixture
def ada(tenants: None) -> User:
    """Somebody with everything in one project of acme."""
    role("owner", "*")
    bind("ada", "groups:shop", "owner", namespace="acme", scope={"project": "shop"})
    return person("ada", "shop")


def test_attack_06_what_is_revoked_is_gone_with_the_next_request(ada: User) -> None:
    api = api_of(ada)
    assert api.get(f"{COMPONENTS}/shop-web").status_code == 200

    unbind("ada", "acme")
    assert api.get(f"{COMPONENTS}/shop-web").status_code == 404
    bind("ada", "groups:shop", "owner", namespace="acme", scope={"project": "shop"})
    assert api.get(f"{COMPONENTS}/shop-web").status_code == 200
    ada.groups.clear()
    assert api.get(f"{COMPONENTS}/shop-web").status_code == 404
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert api.get(f"{COMPONENTS}/shop-web").status_code == 401


def test_attack_08_a_claim_cannot_pose_as_another(tenants: None) -> None:
    role("admin", "*")
    bind("a", "groups:x:y", "admin")

    assert entitlement("groups:x", "y") != entitlement("groups", "x:y")
    assert not Access(entitled("groups:x", ["y"])).allows("component:view", WEB)
    assert Access(entitled("groups", ["x:y"])).allows("component:view", WEB)
    assert entitlement("groups", "a" * 200) != entitlement("groups", "a" * 199 + "b")


def test_attack_09_an_agent_reads_through_groups_and_writes_only_by_its_own_name(tenants: None) -> None:
    role("owner", "*")
    bind("team", "groups:team", "owner", namespace="acme")
    bot = person("bot", "team", kind="agent")
    assert access_of(bot).allows("component:view", WEB)
    assert not access_of(bot).allows("component:update", WEB)

    bind("bot", "sub:bot", "owner", namespace="acme")

    assert access_of(bot).allows("component:update", WEB)
    assert not access_of(bot).allows("authzrolebinding:create", Place("acme")), "no agent ever gives rights"


def test_attack_09_on_behalf_of_somebody_an_agent_may_do_what_both_may(tenants: None) -> None:
    role("owner", "*")
    bind("bot", "sub:bot", "owner", namespace="acme")
    bind("ada", "groups:shop", "owner", namespace="acme", scope={"project": "shop"})
    bot = User.objects.get(pk=person("bot", kind="agent").pk)
    ada = person("ada", "shop")
    access = Access(subject_of_identity(Identity(bot, acting_for=Identity(ada))))

    assert access.allows("component:update", WEB)
    assert not access.allows("component:update", Place("acme", "bank", component="bank-web"))
    names = access.visible(Component.objects.system("test")).order_by("name").values_list("name", flat=True)
    assert list(names) == ["shop-api", "shop-web"]
    assert set(access.profile(Place())["component:view"].allowed) == {"ns/acme/project/shop"}


def test_attack_20_a_name_with_slashes_is_no_place(ada: User) -> None:
    access = access_of(ada)

    for place in (Place("acme/project/shop"), Place("acme", "shop/component/x"), Place("acme", "shop ")):
        assert not access.allows("component:view", place)


def test_attack_21_the_hidden_and_the_missing_are_answered_alike(ada: User) -> None:
    api = api_of(ada)

    for path in ("components/{}", "components/{}/schema", "projects/{}", "environments/{}"):
        kind = path.split("/", 1)[0]
        name = "bank" if kind == "projects" else "bank-web"
        hidden = api.get(f"/api/v1/namespaces/acme/{path.format(name)}")
        missing = api.get(f"/api/v1/namespaces/acme/{path.format('nothing')}")
        assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)
    hidden, missing = (api.get(f"{COMPONENTS}?project={name}") for name in ("bank", "nothing"))
    assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)


def test_attack_24_staff_without_grants_see_nothing_in_the_admin(ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get(pk=ada.pk))
    mine = Component.objects.system("test").get(namespace_id="acme", name="shop-web")
    other = Component.objects.system("test").get(namespace_id="globex", name="shop-web")

    assert client.get(f"/admin/catalog/component/{mine.pk}/change/").status_code == 200
    for page in ("change", "history", "delete"):
        assert client.get(f"/admin/catalog/component/{other.pk}/{page}/").status_code in (302, 403, 404)
    listed = client.get("/admin/catalog/component/").content.decode()
    assert "shop-api" in listed and "bank-web" not in listed and "globex" not in listed
    assert client.get("/admin/catalog/revision/").status_code == 403


def test_attack_24_staff_with_all_of_djangos_permissions_make_no_superuser_and_no_token(ada: User) -> None:
    User.objects.filter(pk=ada.pk).update(is_staff=True)
    ada.user_permissions.set(Permission.objects.filter(content_type__app_label__in=("accounts", "auth")))
    client = Client()
    client.force_login(User.objects.get(pk=ada.pk))

    everything = {"username": "ada", "is_superuser": "on", "is_staff": "on", "is_active": "on"}
    assert client.post(f"/admin/accounts/user/{ada.pk}/change/", everything).status_code == 403
    assert client.post("/admin/accounts/accesstoken/add/", {"user": ada.pk, "name": "x"}).status_code == 403
    assert client.get("/admin/auth/group/").status_code == 403
    assert not User.objects.get(pk=ada.pk).is_superuser


def test_attack_25_applying_many_documents_asks_for_each(ada: User) -> None:
    api = api_of(ada)
    body = b"".join(
        b"---\napiVersion: openchoreo.dev/v1alpha1\nkind: Workload\nmetadata: {name: w%d, namespace: acme}\n"
        b"spec: {owner: {projectName: %s, componentName: %s-web}, container: {image: x}}\n" % (number, project, project)
        for number, project in enumerate((b"shop", b"bank"))
    )

    assert api.send("POST", "/api/stagecraft/v1/apply", body).status_code == 403
    assert api.get("/api/v1/namespaces/acme/workloads").json()["items"] == []


def test_attack_27_a_batch_is_bounded_and_costs_one_query(ada: User, django_assert_num_queries: Any) -> None:
    api = api_of(ada)
    question = {"action": "component:view", "resource": {"type": "component", "hierarchy": {"namespace": "acme"}}}

    api.post("/api/v1/authz/evaluates", [question])  # the roles are read once for all requests
    with CaptureQueriesContext(connection) as of_one:
        api.post("/api/v1/authz/evaluates", [question])
    with django_assert_num_queries(len(of_one)):
        assert api.post("/api/v1/authz/evaluates", [question] * 1000).status_code == 200
    assert api.post("/api/v1/authz/evaluates", [question] * 1001).status_code == 400
    other = {**question, "subject_context": {"entitlement_claim": "groups", "entitlement_values": ["admins"]}}
    assert api.post("/api/v1/authz/evaluates", [other]).status_code == 403


def test_attack_31_grants_leave_no_orphans_and_no_global_permission_counts(ada: User) -> None:
    stray = User.objects.create_user("stray")
    stray.user_permissions.add(*Permission.objects.filter(codename__endswith="component:view"))
    assert not access_of(stray).allows("component:view", WEB)
    Group.objects.get(name="groups:shop").delete()
    assert not ClusterGroupGrant.objects.exists() and not NamespaceGroupGrant.objects.exists()
    assert not access_of(ada).allows("component:view", WEB)
    rebuild()
    assert not PolicyException.objects.system("test").exists()


def test_a_list_costs_two_queries_beside_the_token(ada: User, django_assert_num_queries: Any) -> None:
    api = api_of(ada)
    api.get(COMPONENTS)

    with django_assert_num_queries(3):
        api.get(COMPONENTS)


def test_the_reason_names_binding_role_scope_and_the_smallest_grant_flips_a_refusal(ada: User) -> None:
    bank = Place("acme", "bank", component="bank-web")
    given = explain(access_of(ada), "component:update", WEB, {})
    assert given["allowed"]
    assert given["rule"]["bindings"] == ["AuthzRoleBinding acme/ada"]
    assert (given["rule"]["role"]["name"], given["rule"]["scope"]) == ("owner", "ns/acme/project/shop")

    refused = explain(access_of(ada), "component:update", bank, {})
    grant = refused["wouldAllow"]["grants"][0]
    assert (refused["allowed"], grant["scope"]) == (False, "ns/acme/project/bank/component/bank-web")
    role("least", grant["action"])
    bind("least", "sub:ada", "least", namespace="acme", scope={"project": "bank", "component": "bank-web"})
    assert explain(access_of(ada), "component:update", bank, {})["allowed"]
    unbind("ada", "acme")
    assert not explain(access_of(ada), "component:update", WEB, {})["allowed"]


def test_the_commands_answer_in_the_same_words(ada: User) -> None:
    said = StringIO()
    call_command("why", "ada", "component:update", "--namespace=acme", "--project=shop", stdout=said)
    assert "yes: AuthzRoleBinding acme/ada gives owner at ns/acme/project/shop to groups:shop" in said.getvalue()
    with pytest.raises(SystemExit):
        call_command("can-i", "ada", "component:update", "--namespace=globex", stdout=said)
    assert said.getvalue().endswith("no\n")
    call_command("rebuild_grants", "--check", stdout=said)
    assert "0 differences" in said.getvalue()
