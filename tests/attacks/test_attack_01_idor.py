"""Attack 1: every name, number, cursor and nested child of one tenant, tried as another.

The routes come from the list of URLs, the objects are one of every kind (`two_tenants`). Whatever the attacker sends,
what is not theirs must be answered as if it were not there, must stay as it is, and its canary must never come back.
Commands are the operator's own: they act for no tenant and are no way in. The MCP endpoint comes later.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as limits

from catalog.access.hierarchy import attributes_of, place_of
from catalog.kinds.registry import BY_KIND, KINDS
from portal.accounts.models import AccessToken, User
from tests.attacks.two_tenants import CANARY, NAMESPACED, SPECS, make_cluster_objects, make_tenant, name_of, state_of
from tests.catalog.access import reference
from tests.catalog.access.conftest import bind, person, role, token_of
from tests.catalog.access.policies import RandomPolicy, applied, policies, world  # noqa: F401
from tests.catalog.access.test_against_reference import account_asker, lines_of
from tests.catalog.api.conftest import ApiClient
from tests.catalog.api.test_every_route import PUBLIC, routes

pytestmark = pytest.mark.django_db
BY_PLURAL = {model.plural: model for model in KINDS}
CALLS_BY_METHOD = {"GET": None, "PUT": {}, "POST": {}, "DELETE": None}


@pytest.fixture
def tenants_of_all_kinds(db: None) -> None:
    """`ours`, where the attacker may do everything, and `theirs`, where somebody else may."""
    make_tenant("ours")
    make_tenant("theirs", CANARY)
    make_cluster_objects(CANARY)
    role("owner", "*")
    bind("ours", "groups:ours", "owner", namespace="ours")
    bind("theirs", "groups:theirs", "owner", namespace="theirs")


@pytest.fixture
def attacker(tenants_of_all_kinds: None) -> User:
    return person("mallory", "ours", is_staff=True)


@pytest.fixture
def api(attacker: User) -> ApiClient:
    return ApiClient(Client(), token_of(attacker))


@pytest.fixture
def victim(tenants_of_all_kinds: None) -> ApiClient:
    return ApiClient(Client(), token_of(person("victim", "theirs")))


def calls(namespace: str, name: str = "") -> Iterator[tuple[str, str]]:
    """Every method and path that names an object or a collection of a namespace, made from the list of URLs."""
    for route, view in routes():
        if route in PUBLIC or "<str:namespace>" not in route or not hasattr(view, "handlers"):
            continue
        models = NAMESPACED if "<str:plural>" in route else [BY_KIND["Component"]]
        for model in models:
            here = BY_PLURAL.get(route.split("/")[-3] if "<str:name>/" in route else "", model)
            path = (
                route.replace("<str:namespace>", namespace)
                .replace("<str:plural>", model.plural)
                .replace("<str:name>", name or name_of(here))
            )
            for method in view.handlers:
                yield method, f"/{path}"


def is_like(found: Any, missing: Any, renamed: str) -> bool:
    """Whether two replies differ in nothing but the name that was asked for."""
    same = found.content.decode().replace(renamed, "missing")
    return found.status_code == missing.status_code and same == missing.content.decode()


def test_attack_01_every_route_answers_for_another_tenants_objects_as_for_missing_ones(
    api: ApiClient, settings: Any
) -> None:
    settings.SECRET_MANAGEMENT_ENABLED = True
    before = state_of("theirs")
    tried = 0
    for (method, path), (_, missing_path) in zip(calls("theirs"), calls("theirs", "missing"), strict=True):
        if missing_path == path:
            continue  # a collection: see below
        found = api.send(method, path, CALLS_BY_METHOD[method])
        missing = api.send(method, missing_path, CALLS_BY_METHOD[method])
        assert found.status_code in (400, 403, 404, 405), (method, path, found.status_code)
        named = path.split("/")[-1] if path.split("/")[-1] in ("object", "shop") else "object"
        assert is_like(found, missing, named), (method, path, found.content, missing.content)
        assert CANARY not in found.content.decode(), (method, path)
        tried += 1
    assert tried > 150
    assert state_of("theirs") == before


def test_attack_01_collections_of_another_tenant_are_empty_and_take_nothing(api: ApiClient) -> None:
    before = state_of("theirs")
    for method, path in calls("theirs"):
        if path.count("/") != 5 or not path.startswith("/api/v1/namespaces/theirs/"):
            continue
        model = BY_PLURAL.get(path.rsplit("/", 1)[1])
        if model is None:
            continue
        if method == "GET":
            reply = api.get(f"{path}?limit=100")
            assert reply.status_code in (200, 403, 404), (path, reply.content)
            assert CANARY not in reply.content.decode()
            assert reply.status_code == 404 or reply.json().get("items", []) == [], path
        else:
            spec = SPECS[model.kind]
            reply = api.post(path, {"metadata": {"name": "planted", "namespace": "theirs"}, "spec": spec})
            assert reply.status_code in (400, 403, 404), (path, reply.content)
    assert state_of("theirs") == before


def test_attack_01_cluster_objects_are_neither_seen_nor_changed_by_a_tenant(api: ApiClient) -> None:
    for model in KINDS:
        if model.namespaced or model.kind == "Namespace":
            continue
        listed = api.get(f"/api/v1/{model.plural}?limit=100")
        assert listed.status_code in (200, 403) and listed.json().get("items", []) == [], model.kind
        for method in ("GET", "PUT", "DELETE"):
            reply = api.send(method, f"/api/v1/{model.plural}/object", CALLS_BY_METHOD[method])
            assert reply.status_code in (403, 404), (method, model.kind, reply.content)
            assert CANARY not in reply.content.decode()
    named = [item["metadata"]["name"] for item in api.get("/api/v1/namespaces?limit=100").json()["items"]]
    assert named == ["ours"]


def test_attack_01_filters_of_ones_own_lists_reach_nothing_of_another_tenant(api: ApiClient) -> None:
    filters = (
        *("project=shop", "component=object", "workflow=build", "environment=object", "resource=object"),
        *("namespace=theirs", "labelSelector=openchoreo.dev/project%3Dshop", "labelSelector=x!%3Dy"),
        *("fieldSelector=metadata.namespace%3Dtheirs", "search=canary", "q=canary"),
    )
    for model in NAMESPACED:
        for asked in filters:
            reply = api.get(f"/api/v1/namespaces/ours/{model.plural}?{asked}")
            text = reply.content.decode()
            assert CANARY not in text and '"theirs"' not in text, (model.kind, asked, text)


def test_attack_01_a_cursor_of_another_tenant_shows_nothing_of_theirs(api: ApiClient, victim: ApiClient) -> None:
    for number in range(3):
        body = {"metadata": {"name": f"more-{number}"}, "spec": SPECS["Component"]}
        victim.create("/api/v1/namespaces/theirs/components", body)
    page = victim.get("/api/v1/namespaces/theirs/components?limit=2").json()
    cursor = page["pagination"]["nextCursor"]

    for path in ("namespaces/theirs/components", "namespaces/ours/components", "namespaces", "clustertraits"):
        reply = api.get(f"/api/v1/{path}?limit=100&cursor={cursor}")
        assert reply.status_code in (200, 400, 403)
        text = reply.content.decode()
        assert "more-" not in text and CANARY not in text and '"theirs"' not in text


def test_attack_01_the_feeds_and_the_audit_hold_nothing_of_another_tenant(api: ApiClient, victim: ApiClient) -> None:
    victim.put("/api/v1/namespaces/theirs/environments/object", {"metadata": {"name": "object"}, "spec": {}})
    for path in (
        *("changes?since=0&limit=100", "audit?limit=100", "audit?namespace=theirs", "audit?actor=victim"),
        *("access/grants?namespace=theirs", "access/grants"),
        *("access/who-can?action=component:view&namespace=theirs", "access/why?action=component:view&user=victim"),
    ):
        reply = api.get(f"/api/stagecraft/v1/{path}")
        text = reply.content.decode()
        assert reply.status_code in (200, 400, 403, 404), (path, reply.content)
        assert CANARY not in text and '"theirs"' not in text and "groups:theirs" not in text, (path, text)


def test_attack_01_documents_of_many_cannot_reach_into_another_tenants_namespace(api: ApiClient) -> None:
    before = state_of("theirs")
    for kind, spec in SPECS.items():
        document = {
            "apiVersion": "openchoreo.dev/v1alpha1",
            "kind": kind,
            "metadata": {"name": name_of(BY_KIND[kind]), "namespace": "theirs", "labels": {"mine": "now"}},
            "spec": spec,
        }
        for path in ("apply", "preview", "diff"):
            reply = api.send("POST", f"/api/stagecraft/v1/{path}", json.dumps(document).encode())
            assert CANARY not in reply.content.decode(), (path, kind)
            assert reply.status_code < 500, (path, kind, reply.content)
    assert state_of("theirs") == before


def test_attack_01_tokens_and_questions_of_others_are_not_ones_own(api: ApiClient, victim: ApiClient) -> None:
    number = AccessToken.objects.get(user__username="victim").pk
    own = [item["name"] for item in api.get("/api/stagecraft/v1/access/tokens").json()["items"]]
    assert own == ["tests"]
    assert api.delete(f"/api/stagecraft/v1/access/tokens/{number}").status_code == 404
    assert victim.get("/api/v1/namespaces/theirs").status_code == 200
    asked = {"action": "component:view", "resource": {"type": "component", "hierarchy": {"namespace": "theirs"}}}
    about = {**asked, "subject_context": {"entitlement_claim": "groups", "entitlement_values": ["theirs"]}}
    assert api.post("/api/v1/authz/evaluates", [asked]).json()[0]["decision"] is False
    assert api.post("/api/v1/authz/evaluates", [about]).status_code == 403
    profile = api.get("/api/v1/authz/profile?namespace=theirs").json()
    assert profile["capabilities"] == {}


def test_attack_01_the_admin_shows_a_tenant_only_their_own(attacker: User, api: ApiClient) -> None:
    before = state_of("theirs")
    client = Client()
    client.force_login(User.objects.get(pk=attacker.pk))
    tried = 0
    for model in (model for model in KINDS if model in admin.site._registry):
        base = f"/admin/catalog/{model._meta.model_name}"
        where = (
            {"namespace_id": "theirs"} if model.namespaced else {"name": "theirs"} if model.kind == "Namespace" else {}
        )
        for query in ("", "?q=canary", "?q=object", "?namespace=theirs", "?namespace__exact=theirs", "?all="):
            text = client.get(f"{base}/{query}").content.decode()
            assert CANARY not in text and ">theirs<" not in text, (base, query)
        for row in model.objects.system("ids of the other tenant").filter(**where):
            if not model.namespaced and model.kind != "Namespace" and row.name not in ("object", "theirs"):
                continue
            for page in ("change", "history", "delete"):
                for method in (client.get, client.post):
                    reply = method(f"{base}/{row.pk}/{page}/")
                    assert reply.status_code in (302, 403, 404), (base, page, reply.status_code)
                    assert CANARY not in reply.content.decode()
                    tried += 1
    assert tried > 150
    assert state_of("theirs") == before


def test_attack_01_another_project_of_ones_own_namespace_is_not_there_either(tenants: None) -> None:
    role("owner", "*")
    bind("ada", "groups:shop", "owner", namespace="acme", scope={"project": "shop"})
    api = ApiClient(Client(), token_of(person("ada", "shop")))

    for path in ("namespaces/globex/components/shop-web", "namespaces/acme/components/bank-web", "namespaces/globex"):
        for method, body in (("GET", None), ("PUT", {}), ("DELETE", None)):
            assert api.send(method, f"/api/v1/{path}", body).status_code == 404, (method, path)
    listed = [item["metadata"]["name"] for item in api.get("/api/v1/namespaces/acme/components").json()["items"]]
    assert listed == ["shop-api", "shop-web"]
    assert api.get("/api/v1/namespaces/globex/components").json()["items"] == []
    assert api.get("/api/stagecraft/v1/namespaces/acme/components/bank-web/history").status_code == 404
    changes = api.get("/api/stagecraft/v1/changes?since=0&limit=100").json()["items"]
    assert changes
    assert {item["name"] for item in changes} <= {"shop", "shop-web", "shop-api"}


def test_attack_01_what_rest_shows_is_what_was_granted(world: None) -> None:  # noqa: F811
    """Visible is a part of granted, and the whole of it: over random policies, lists and single objects."""
    ada = User.objects.get(username="ada")
    api = ApiClient(Client(), token_of(ada))
    models = [BY_KIND[kind] for kind in ("Project", "Component", "ReleaseBinding", "WorkflowRun", "Environment")]

    @limits(
        max_examples=15,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(policies(4))
    def each(policy: RandomPolicy) -> None:
        with applied(policy):
            lines = lines_of(policy)
            for model in models:
                for namespace in ("acme", "globex"):
                    path = f"/api/v1/namespaces/{namespace}/{model.plural}"
                    granted = set()
                    rows = model.objects.system("both opinions on each").filter(namespace_id=namespace)
                    for row in rows:
                        place = place_of(row.kind, namespace, row.name, row.spec, row.labels)
                        attributes = attributes_of(row.kind, namespace, row.spec)
                        action = f"{model.kind.lower()}:view"
                        if reference.is_allowed(lines, account_asker(ada), action, place.path, attributes):
                            granted.add(row.name)
                        single = api.get(f"{path}/{row.name}").status_code
                        assert single == (200 if row.name in granted else 404), (path, row.name)
                    listed = {item["metadata"]["name"] for item in api.get(f"{path}?limit=100").json()["items"]}
                    assert listed == granted, path

    each()
