"""Attack 3: more rights by way of roles, bindings and grants. Nobody gives what they do not hold, on any surface."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from catalog import store
from catalog.access.models import GRANTS
from portal.access.place import Place
from portal.accounts.models import User
from tests.catalog.access.conftest import access_of, bind, person, role, token_of
from tests.catalog.api.conftest import ApiClient
from tests.factories import TESTER

pytestmark = pytest.mark.django_db
BINDINGS, ROLES = "/api/v1/namespaces/acme/authzrolebindings", "/api/v1/namespaces/acme/authzroles"
CLUSTER_BINDINGS, CLUSTER_ROLES = "/api/v1/clusterauthzrolebindings", "/api/v1/clusterauthzroles"
WEB = Place("acme", "shop", component="shop-web")
SYSTEM = {"openchoreo.io/system": "true"}


def binding(name: str, claim: str, value: str, to: str, scope: Any = None, kind: str = "ClusterAuthzRole") -> Any:
    mapping: dict[str, Any] = {"roleRef": {"kind": kind, "name": to}}
    if scope:
        mapping["scope"] = scope
    return {
        "metadata": {"name": name},
        "spec": {"entitlement": {"claim": claim, "value": value}, "roleMappings": [mapping]},
    }


@pytest.fixture
def eve(tenants: None) -> User:
    """Somebody who may write roles and bindings in acme, and see components there."""
    role("giver", "authzrole:*", "authzrolebinding:*", "component:view")
    role("admin", "*")
    bind("giver", "groups:givers", "giver", namespace="acme")
    return person("eve", "givers", is_staff=True)


@pytest.fixture
def api(eve: User) -> ApiClient:
    return ApiClient(Client(), token_of(eve))


@pytest.fixture(autouse=True)
def unchanged(request: pytest.FixtureRequest) -> Any:
    """Whatever was tried, the attacker may do no more than before."""
    eve = request.getfixturevalue("eve") if "eve" in request.fixturenames else None
    yield
    if eve is not None:
        access = access_of(eve)
        assert not access.allows("component:update", WEB)
        assert not access.allows("component:view", Place("globex", "shop", component="shop-web"))
        assert not access.allows("namespace:create", Place())


def test_attack_03_a_stronger_role_is_not_given(api: ApiClient) -> None:
    assert api.post(BINDINGS, binding("a", "groups", "givers", "admin")).status_code == 403
    assert api.post(BINDINGS, binding("b", "groups", "others", "admin")).status_code == 403
    assert api.post(BINDINGS, binding("c", "groups", "others", "giver")).status_code == 201
    assert api.put(f"{BINDINGS}/c", binding("c", "groups", "others", "admin")).status_code == 403


def test_attack_03_nobody_binds_themselves(api: ApiClient) -> None:
    assert api.post(BINDINGS, binding("a", "sub", "eve", "giver")).status_code == 403
    assert api.post(BINDINGS, binding("b", "groups", "others", "giver")).status_code == 201
    assert api.put(f"{BINDINGS}/b", binding("b", "sub", "eve", "giver")).status_code == 403
    bind("mine", "sub:eve", "giver", namespace="acme")
    assert api.delete(f"{BINDINGS}/mine").status_code == 403


def test_attack_03_a_role_that_does_not_exist_yet_is_not_given_in_advance(api: ApiClient) -> None:
    assert api.post(BINDINGS, binding("a", "groups", "givers", "later")).status_code == 403
    assert api.post(BINDINGS, binding("b", "groups", "givers", "later", kind="AuthzRole")).status_code == 403


def test_attack_03_a_role_that_one_holds_does_not_grow(api: ApiClient) -> None:
    assert api.post(ROLES, {"metadata": {"name": "own"}, "spec": {"actions": ["component:view"]}}).status_code == 201
    assert api.post(BINDINGS, binding("a", "groups", "givers", "own", kind="AuthzRole")).status_code == 201
    for actions in (
        ["component:*"],
        ["*"],
        ["component:view", "component:update"],
        ["component:view", "secret:reveal"],
    ):
        assert api.put(f"{ROLES}/own", {"metadata": {"name": "own"}, "spec": {"actions": actions}}).status_code == 403
    assert api.put(f"{CLUSTER_ROLES}/giver", {"spec": {"actions": ["*"]}}).status_code in (403, 404)


@pytest.mark.parametrize("actions", [["*"], ["component:*"], ["authzrole:*", "component:update"], ["authz:bind"]])
def test_attack_03_a_new_role_holds_no_more_than_its_author(api: ApiClient, actions: list[str]) -> None:
    assert api.post(ROLES, {"metadata": {"name": "r"}, "spec": {"actions": actions}}).status_code == 403


def test_attack_03_a_scope_is_not_widened(tenants: None) -> None:
    role("giver", "authzrole:*", "authzrolebinding:*", "component:view")
    bind("lead", "groups:leads", "giver", namespace="acme", scope={"project": "shop"})
    role("binder", "authzrolebinding:*")
    bind("may-bind", "groups:leads", "binder", namespace="acme")
    lead = person("lead", "leads")
    api = ApiClient(Client(), token_of(lead))

    assert api.post(BINDINGS, binding("a", "groups", "x", "giver", {"project": "shop"})).status_code == 201
    assert api.put(f"{BINDINGS}/a", binding("a", "groups", "x", "giver")).status_code == 403
    assert api.put(f"{BINDINGS}/a", binding("a", "groups", "x", "giver", {"project": "bank"})).status_code == 403
    assert api.post(BINDINGS, binding("b", "groups", "x", "giver", {"namespace": "globex"})).status_code in (
        400,
        403,
        422,
    )
    assert api.post(CLUSTER_BINDINGS, binding("c", "groups", "x", "giver")).status_code == 403
    assert not access_of(person("x", "x")).allows("component:view", Place("acme", "bank", component="bank-web"))


def test_attack_03_a_condition_is_not_taken_away(tenants: None) -> None:
    condition = {"actions": ["releasebinding:*"], "expression": 'resource.environment == "acme/dev"'}
    role("deployer", "releasebinding:*", "authzrolebinding:*")
    bind("d", "groups:dev", "deployer", namespace="acme", conditions=[condition])
    api = ApiClient(Client(), token_of(person("d", "dev")))
    free = binding("free", "groups", "dev", "deployer")

    assert api.post(BINDINGS, free).status_code == 403
    assert api.put(f"{BINDINGS}/d", {**free, "metadata": {"name": "d"}}).status_code == 403
    narrowed = binding("same", "groups", "others", "deployer")
    narrowed["spec"]["roleMappings"][0]["conditions"] = [condition]
    assert api.post(BINDINGS, narrowed).status_code == 403, "what one holds under a condition one does not hold"


def test_attack_03_a_deny_of_oneself_is_not_ended(api: ApiClient) -> None:
    bind("deny", "groups:givers", "admin", namespace="acme", effect="deny", scope={"project": "shop"})
    bind("me", "sub:eve", "admin", namespace="acme", effect="deny", scope={"project": "bank"})

    for name in ("deny", "me"):
        assert api.delete(f"{BINDINGS}/{name}").status_code == 403
        assert api.put(f"{BINDINGS}/{name}", binding(name, "groups", "others", "giver")).status_code == 403


def test_attack_03_what_the_system_marks_is_the_platforms(api: ApiClient) -> None:
    role("platform", "component:view", namespace="acme")
    store.apply(
        {
            "apiVersion": "openchoreo.dev/v1alpha1",
            "kind": "AuthzRole",
            "metadata": {"name": "platform", "namespace": "acme", "labels": SYSTEM},
            "spec": {"actions": ["component:view"]},
        },
        TESTER,
    )
    body = {"metadata": {"name": "platform"}, "spec": {"actions": ["component:view", "authzrole:view"]}}
    assert api.put(f"{ROLES}/platform", body).status_code == 403
    assert api.put(f"{ROLES}/platform", {**body, "metadata": {"name": "platform", "labels": {}}}).status_code == 403
    assert api.delete(f"{ROLES}/platform").status_code == 403
    marked = {"metadata": {"name": "s", "labels": SYSTEM}, "spec": {"actions": ["component:view"]}}
    assert api.post(ROLES, marked).status_code == 403


def test_attack_03_the_last_way_to_everything_stays(tenants: None) -> None:
    role("admin", "*")
    bind("admins", "groups:admins", "admin")
    api = ApiClient(Client(), token_of(person("root", "admins")))
    narrow = binding("admins", "groups", "admins", "admin", {"namespace": "acme"})

    assert api.delete(f"{CLUSTER_BINDINGS}/admins").status_code == 403
    assert api.put(f"{CLUSTER_BINDINGS}/admins", narrow).status_code == 403
    assert api.put(f"{CLUSTER_ROLES}/admin", {"spec": {"actions": ["component:view"]}}).status_code == 403
    assert api.delete(f"{CLUSTER_ROLES}/admin").status_code == 403
    assert access_of(User.objects.get(username="root")).allows("namespace:create", Place())


def test_attack_03_grants_by_hand_are_guarded_as_bindings_are(eve: User, api: ApiClient) -> None:
    grants = "/api/stagecraft/v1/access/grants"
    for body in (
        {"user": "eve", "action": "component:update", "namespace": "acme"},
        {"group": "groups:givers", "action": "component:update", "namespace": "acme"},
        {"user": "eve", "action": "component:view", "namespace": "acme"},
        {"user": "eve", "role": {"kind": "ClusterAuthzRole", "name": "admin"}},
        {"user": "eve", "action": "component:view"},
    ):
        reply = api.post(grants, body)
        assert reply.status_code in (400, 403, 404, 422), (body, reply.content)
    for pair in GRANTS.values():
        for model in pair:
            assert not model.objects.filter(is_manual=True).exists()


def test_attack_03_bindings_among_applied_documents_are_guarded_too(api: ApiClient) -> None:
    documents = [
        {
            "apiVersion": "openchoreo.dev/v1alpha1",
            "kind": "AuthzRole",
            "metadata": {"name": "own", "namespace": "acme"},
            "spec": {"actions": ["component:view"]},
        },
        {
            "apiVersion": "openchoreo.dev/v1alpha1",
            "kind": "AuthzRoleBinding",
            "metadata": {"name": "x", "namespace": "acme"},
            "spec": binding("x", "groups", "givers", "admin")["spec"],
        },
    ]
    body = b"\n---\n".join(json.dumps(document).encode() for document in documents)

    assert api.send("POST", "/api/stagecraft/v1/apply", body).status_code == 403
    assert store.get_or_none("AuthzRoleBinding", "acme", "x") is None


def test_attack_03_the_admin_asks_the_same_guard(eve: User) -> None:
    client = Client()
    client.force_login(User.objects.get(pk=eve.pk))
    document = {
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "AuthzRoleBinding",
        "metadata": {"name": "x", "namespace": "acme"},
        "spec": binding("x", "groups", "givers", "admin")["spec"],
    }
    reply = client.post("/admin/catalog/authzrolebinding/add/", {"document": json.dumps(document)})

    assert reply.status_code in (200, 403)
    assert store.get_or_none("AuthzRoleBinding", "acme", "x") is None


def test_attack_03_an_agent_never_gives_rights_whatever_it_holds(tenants: None) -> None:
    role("admin", "*")
    bind("bot", "sub:bot", "admin")
    role("small", "component:view", namespace="acme")
    api = ApiClient(Client(), token_of(person("bot", kind="agent")))

    assert api.post(BINDINGS, binding("a", "groups", "x", "small", kind="AuthzRole")).status_code == 403
    assert api.post(ROLES, {"metadata": {"name": "r"}, "spec": {"actions": ["component:view"]}}).status_code == 403
    assert api.delete(f"{ROLES}/small").status_code == 403
    body = {"user": "bot", "action": "component:view", "namespace": "acme"}
    assert api.post("/api/stagecraft/v1/access/grants", body).status_code in (400, 403)


def test_attack_03_no_right_to_view_the_access_of_others_comes_with_rights_to_objects(api: ApiClient) -> None:
    assert api.get("/api/stagecraft/v1/access/who-can?action=component:view&namespace=acme").status_code == 403
