"""Access tokens with limits: never more than the user and the token both give, on every question and every surface."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from catalog import store
from catalog.kinds.component import Component
from catalog.kinds.project import Project
from portal.access.engine import Access
from portal.access.limited import contains, limits_for
from portal.access.place import Place
from portal.access.subject import subject_of_identity
from portal.accounts.identity import Identity
from portal.accounts.limits import Limits
from portal.accounts.models import AccessToken, User, issue_token, valid_token
from portal.accounts.principals import make_agent, make_service_account
from portal.audit.models import AuditEvent
from tests.catalog.access.conftest import bind, person, role
from tests.catalog.api.conftest import ApiClient
from tests.factories import TESTER, ProjectFactory

pytestmark = pytest.mark.django_db
TOKENS = "/api/stagecraft/v1/access/tokens"
COMPONENTS = "/api/v1/namespaces/acme/components"
WEB, BANK = Place("acme", "shop", component="shop-web"), Place("acme", "bank", component="bank-web")


@pytest.fixture
def ada(tenants: None) -> User:
    """Somebody with everything in acme."""
    role("owner", "*")
    bind("ada", "groups:acme", "owner", namespace="acme")
    return person("ada", "acme")


def access_with(user: User, *actions: str, namespace: str = "", project: str = "", **more: Any) -> Access:
    identity = Identity(user, limits=limits_for(actions, namespace, project), **more)
    return Access(subject_of_identity(identity))


def api_with(user: User, *actions: str, namespace: str = "", project: str = "", **more: Any) -> ApiClient:
    return ApiClient(Client(), issue_token(user, "tests", limits=limits_for(actions, namespace, project), **more))


def names(access: Access, queryset: Any) -> list[str]:
    return list(access.visible(queryset).order_by("name").values_list("name", flat=True))


def test_actions_and_place_bound_every_question(ada: User) -> None:
    access = access_with(ada, "component:view", "project:*", namespace="acme", project="shop")

    assert access.allows("component:view", WEB)
    assert access.check("component:update", WEB).because == "token"
    assert access.check("component:view", BANK).because == "token"
    assert access.allows("project:delete", Place("acme", "shop"))
    assert names(access, Component.objects.all()) == ["shop-api", "shop-web"]
    assert names(access, Project.objects.all()) == ["shop"]
    assert access.reaches("component:view") and not access.reaches("component:update")
    profile = access.profile(Place())
    assert set(profile) == {"component:view", "project:create", "project:view", "project:update", "project:delete"}
    assert set(profile["component:view"].allowed) == {"ns/acme/project/shop"}


@pytest.mark.parametrize("actions", [(), ("component:view",), ("component:*",), ("project:*",), ("*",)])
@pytest.mark.parametrize("within", [{}, {"namespace": "acme"}, {"namespace": "acme", "project": "shop"}])
def test_a_list_is_what_single_checks_allow(ada: User, actions: tuple[str, ...], within: dict[str, str]) -> None:
    bot = make_agent("bot", owner=ada)
    bind("bot", "sub:bot", "owner", namespace="acme", scope={"project": "bank"})
    role("seer", "component:view")
    bind("no", "sub:ada", "seer", namespace="acme", scope={"project": "shop", "component": "shop-api"}, effect="deny")
    root = User.objects.create_superuser("root")
    everything = list(Component.objects.system("test").all())
    for user, behind in ((ada, None), (root, None), (bot, None), (bot, Identity(ada)), (bot, Identity(root))):
        access = access_with(user, *actions, **within, acting_for=behind)
        for verb in ("view", "update"):
            listed = {row.pk for row in access.filter(Component.objects.all(), f"component:{verb}")}
            assert listed == {row.pk for row in everything if access.may(verb, row)}, (user, behind, verb)
            anywhere = access.reaches(f"component:{verb}")
            assert anywhere or not listed, "what is listed is reached"


def test_a_limit_gives_nothing(tenants: None) -> None:
    access = access_with(person("nobody"), namespace="acme")

    assert not access.allows("component:view", WEB)
    assert names(access, Component.objects.all()) == []
    assert access.profile(Place()) == {}


def test_a_superuser_with_a_limited_token_is_limited(tenants: None) -> None:
    access = access_with(User.objects.create_superuser("root"), "component:view", namespace="globex")

    assert not access.subject.breaks_glass
    assert access.allows("component:view", Place("globex", "shop", component="shop-web"))
    assert not access.allows("component:view", WEB) and not access.allows("clusterauthzrolebinding:create", Place())
    assert names(access, Component.objects.filter(namespace_id="acme")) == []
    assert set(access.profile(Place())) == {"component:view"}


def test_a_superusers_limited_token_reads_no_log_writes_no_role_and_sees_no_audit(tenants: None) -> None:
    api = api_with(User.objects.create_superuser("root"), "component:view", namespace="acme")

    changes = api.get("/api/stagecraft/v1/changes?since=0&limit=500").json()["items"]
    assert {item["kind"] for item in changes} == {"Component"}
    assert {item["namespace"] for item in changes} == {"acme"}
    body = {"metadata": {"name": "all"}, "spec": {"actions": ["*"]}}
    assert api.send("POST", "/api/v1/clusterauthzroles", body).status_code == 403
    AuditEvent.objects.system("test").exists()
    assert api.get("/api/stagecraft/v1/audit").json()["items"] == []


def test_a_project_of_the_same_name_is_not_the_tokens_project(ada: User) -> None:
    api = api_with(ada, namespace="acme", project="bank")
    assert api.get("/api/v1/namespaces/acme/projects/bank").status_code == 200
    for name in ("bank-web", "bank-api"):
        store.delete("Component", "acme", name, TESTER)
    Project.objects.system("test").filter(name="bank", namespace_id="acme").delete()
    ProjectFactory.create(name="bank", namespace="acme")

    assert api.get("/api/v1/namespaces/acme/projects/bank").status_code == 404
    assert api.get("/api/v1/namespaces/acme/projects").json()["items"] == []


def test_one_makes_a_token_that_is_shown_once_and_recorded(ada: User) -> None:
    api = api_with(ada)

    reply = api.send("POST", TOKENS, {"name": "ci", "days": 7, "actions": ["component:view"], "namespace": "acme"})

    made = reply.json()
    assert reply.status_code == 201 and reply.headers["Cache-Control"] == "no-store"
    ci = ApiClient(Client(), made["token"])
    assert ci.get(COMPONENTS).status_code == 200 and len(ci.get(COMPONENTS).json()["items"]) == 4
    assert ci.send("DELETE", f"{COMPONENTS}/shop-web").status_code == 403
    listed = api.get(TOKENS)
    assert made["token"] not in listed.content.decode()
    assert [item["name"] for item in listed.json()["items"]] == ["ci", "tests"]
    event = AuditEvent.objects.system("test").get(action="accesstoken:create", surface="rest")
    assert (event.actor, event.outcome) == ("ada", "success") and event.credential.startswith("token:")
    assert made["token"] not in event.details


def test_one_revokes_ones_own_token_and_nobody_elses(ada: User) -> None:
    api, other = api_with(ada), api_with(person("eve"))
    made = api.send("POST", TOKENS, {"name": "ci"}).json()

    assert other.send("DELETE", f"{TOKENS}/{made['id']}").status_code == 404
    assert api.send("DELETE", f"{TOKENS}/{made['id']}").status_code == 204
    assert ApiClient(Client(), made["token"]).get(TOKENS).status_code == 401
    assert AuditEvent.objects.system("test").filter(action="accesstoken:revoke", outcome="success").count() == 1
    assert api.send("DELETE", f"{TOKENS}/{made['id']}").status_code == 204, "again is no mistake"


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "actions": ["component:update"]},
        {"name": "x", "actions": ["component:*"]},
        {"name": "x", "actions": ["*"]},
        {"name": "x", "namespace": "acme"},
        {"name": "x", "actions": ["component:view"]},
        {"name": "x", "actions": ["component:view"], "namespace": "acme"},
        {"name": "x", "actions": ["component:view"], "namespace": "acme", "project": "bank"},
    ],
)
def test_a_token_makes_none_with_more_than_it_has(ada: User, body: dict[str, Any]) -> None:
    api = api_with(ada, "component:view", "project:view", "namespace:view", namespace="acme", project="shop")

    assert api.send("POST", TOKENS, body).status_code in (400, 403)
    assert AccessToken.objects.count() == 1


def test_a_token_made_with_a_token_inherits_limits_and_ends_no_later(ada: User) -> None:
    ends = timezone.now() + timedelta(days=2)
    text = issue_token(ada, "short", ends, limits=limits_for(["component:view"], "acme", "shop"))
    api = ApiClient(Client(), text)

    made = api.send("POST", TOKENS, {"name": "child", "days": 300}).json()

    child = valid_token(made["token"])
    assert child is not None and child.expires_at == AccessToken.objects.get(name="short").expires_at
    assert child.limits == limits_for(["component:view"], "acme", "shop")


def test_a_limited_token_neither_sees_nor_revokes_wider_ones(ada: User) -> None:
    issue_token(ada, "wide")
    narrow = api_with(ada, "component:view")

    assert [item["name"] for item in narrow.get(TOKENS).json()["items"]] == ["tests"]
    wide = AccessToken.objects.get(name="wide")
    assert narrow.send("DELETE", f"{TOKENS}/{wide.pk}").status_code == 404
    assert AccessToken.objects.get(name="wide").revoked_at is None


def test_a_person_makes_a_token_by_which_their_agent_acts_for_them(ada: User) -> None:
    bot = make_agent("bot", owner=ada)
    bind("bot", "sub:bot", "owner", namespace="acme", scope={"project": "shop"})
    api = api_with(ada)

    text = api.send("POST", TOKENS, {"name": "work", "agent": "bot"}).json()["token"]

    agent = ApiClient(Client(), text)
    assert {item["metadata"]["name"] for item in agent.get(COMPONENTS).json()["items"]} == {"shop-api", "shop-web"}
    assert agent.send("DELETE", f"{COMPONENTS}/shop-web").status_code == 204
    event = AuditEvent.objects.system("test").filter(action="component:delete").latest("id")
    assert (event.actor, event.actor_kind, event.on_behalf_of) == ("bot", "agent", "ada")
    Group.objects.get(name="groups:acme").user_set.remove(ada)  # type: ignore[attr-defined]
    assert agent.get(COMPONENTS).json()["items"] == [], "what the person has lost, the agent has lost"
    User.objects.filter(pk=ada.pk).update(is_active=False)
    assert agent.get(COMPONENTS).status_code == 401
    assert bot.is_active


def test_nobody_makes_a_token_for_somebody_elses_agent(ada: User) -> None:
    make_agent("bot", owner=person("eve"))

    assert api_with(ada).send("POST", TOKENS, {"name": "x", "agent": "bot"}).status_code == 403
    assert api_with(make_service_account("ci")).send("POST", TOKENS, {"name": "x", "agent": "bot"}).status_code == 403


def test_people_of_an_outside_issuer_make_no_lasting_tokens(ada: User) -> None:
    outside = User.objects.create(username="zoe", issuer="https://id.example", subject="zoe", password="!")

    assert api_with(outside).send("POST", TOKENS, {"name": "x"}).status_code == 403


def test_a_service_account_may_narrow_its_own_token(tenants: None) -> None:
    reply = api_with(make_service_account("ci")).send("POST", TOKENS, {"name": "x", "actions": ["component:view"]})

    assert reply.status_code == 201


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "must be an object"),
        ({}, "name must say"),
        ({"name": "x", "scopes": []}, "no field 'scopes'"),
        ({"name": "x", "days": "7"}, "days must be"),
        ({"name": "x", "days": 0}, "days must be"),
        ({"name": "x", "expiresAt": "yesterday"}, "expiresAt must be"),
        ({"name": "x", "expiresAt": "2020-01-01T00:00:00Z"}, "expiresAt must be"),
        ({"name": "x", "actions": ["component:fly"]}, "actions: there is no action 'component:fly'"),
        ({"name": "x", "namespace": "globex"}, "namespace: there is no 'globex'"),
        ({"name": "x", "namespace": "nowhere"}, "namespace: there is no 'nowhere'"),
        ({"name": "x", "project": "shop"}, "namespace: "),
        ({"name": "x\n"}, "name must say"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(ada: User, body: Any, words: str) -> None:
    reply = api_with(ada).send("POST", TOKENS, body)

    assert reply.status_code == 400 and words in reply.json()["error"]


def test_using_a_token_is_noted_once_a_minute(ada: User) -> None:
    api = api_with(ada)
    api.get(COMPONENTS)
    first = AccessToken.objects.get().last_used_at
    assert first is not None
    api.get(COMPONENTS)
    assert AccessToken.objects.get().last_used_at == first

    AccessToken.objects.update(last_used_at=first - timedelta(minutes=2))
    api.get(COMPONENTS)

    assert AccessToken.objects.get().last_used_at > first - timedelta(minutes=2)


def test_containment_of_limits() -> None:
    some = Limits(("component:*",))

    assert contains(None, None) and contains(None, some) and not contains(some, None)
    assert contains(some, Limits(("component:view",))) and not contains(some, Limits(("component:view", "logs:view")))
    assert not contains(Limits((), "acme"), Limits((), "acmes")) and not contains(Limits((), "acme"), Limits())
