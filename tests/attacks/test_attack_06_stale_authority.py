"""Attack 6: authority that is gone. Whatever ends it, the next request does not have it any more."""

from __future__ import annotations

import inspect
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from guardian.shortcuts import assign_perm

from catalog import store
from catalog.kinds.project import Project
from portal.access.engine import Access
from portal.access.place import Place
from portal.accounts.models import AccessToken, User, issue_token
from portal.accounts.principals import make_agent, make_person, make_service_account, set_active
from portal.accounts.tokens import revoke
from tests.catalog.access.conftest import bind, person, role, unbind
from tests.catalog.api.conftest import ApiClient
from tests.factories import TESTER, ComponentFactory, ProjectFactory
from tests.portal.accounts.outside_issuer import OutsideIssuer

pytestmark = pytest.mark.django_db
COMPONENTS = "/api/v1/namespaces/acme/components"
WEB = Place("acme", "shop", component="shop-web")
PASSWORD = "correct horse battery"


@pytest.fixture
def ada(tenants: None) -> User:
    """Somebody with everything in one project of acme, through a group."""
    role("owner", "*")
    bind("ada", "groups:shop", "owner", namespace="acme", scope={"project": "shop"})
    return person("ada", "shop")


def api_of(user: User, **more: Any) -> ApiClient:
    return ApiClient(Client(), issue_token(user, "tests", **more))


def seen(api: ApiClient) -> int:
    reply = api.get(COMPONENTS)
    return len(reply.json()["items"]) if reply.status_code == 200 else -reply.status_code


# Tokens ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["revoked", "expired", "deleted", "disabled", "account expired", "account deleted"])
def test_attack_06_a_token_ends_with_the_next_request(ada: User, end: str) -> None:
    api = api_of(ada)
    assert seen(api) == 2
    past = timezone.now() - timedelta(seconds=1)

    match end:
        case "revoked":
            revoke(AccessToken.objects.all())
        case "expired":
            AccessToken.objects.update(expires_at=past)
        case "deleted":
            AccessToken.objects.all().delete()
        case "disabled":
            set_active(ada, False)
        case "account expired":
            User.objects.filter(pk=ada.pk).update(expires_at=past)
        case "account deleted":
            ada.delete()

    assert seen(api) == -401


def test_attack_06_a_deleted_agents_token_is_dead_and_a_namesake_does_not_get_it(ada: User) -> None:
    bot = make_agent("bot", owner=ada)
    bind("bot", "sub:bot", "owner", namespace="acme")
    api = api_of(bot)
    assert seen(api) == 4
    bot.delete()

    make_agent("bot", owner=ada)

    assert seen(api) == -401


def test_attack_06_an_agent_ends_with_its_owner_and_with_whom_it_acts_for(ada: User) -> None:
    olga = make_person("olga")
    bot = make_agent("bot", owner=olga)
    bind("bot", "sub:bot", "owner", namespace="acme")
    own, acting = api_of(bot), api_of(bot, on_behalf_of=ada)
    assert (seen(own), seen(acting)) == (4, 2)

    set_active(ada, False)
    assert (seen(own), seen(acting)) == (4, -401)
    set_active(ada, True)
    set_active(olga, False)
    assert (seen(own), seen(acting)) == (-401, -401)
    set_active(olga, True)
    ada.delete()
    assert (seen(own), seen(acting)) == (4, -401)


def test_attack_06_an_owner_who_becomes_a_machine_answers_for_nobody(ada: User) -> None:
    olga = make_person("olga")
    api = api_of(make_agent("bot", owner=olga))
    assert seen(api) == 0

    User.objects.filter(pk=olga.pk).update(principal_kind="service_account", password="!")

    assert seen(api) == -401


def test_attack_06_a_person_for_whom_an_agent_acts_and_who_loses_a_right_takes_it_from_the_agent(ada: User) -> None:
    bind("bot", "sub:bot", "owner", namespace="acme")
    acting = api_of(make_agent("bot", owner=ada), on_behalf_of=ada)
    assert seen(acting) == 2

    ada.groups.clear()

    assert seen(acting) == 0


# Rights ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change", ["unbound", "out of the group", "role narrowed", "role deleted", "denied", "expired"]
)
def test_attack_06_a_right_that_is_taken_is_gone_from_lists_objects_and_profile_at_once(ada: User, change: str) -> None:
    api = api_of(ada)
    profile = "/api/v1/authz/profile?namespace=acme"
    assert seen(api) == 2 and "component:view" in api.get(profile).json()["capabilities"]

    match change:
        case "unbound":
            unbind("ada", "acme")
        case "out of the group":
            ada.groups.clear()
        case "role narrowed":
            role("owner", "logs:view")
        case "role deleted":
            store.delete("ClusterAuthzRole", "", "owner", TESTER)
        case "denied":
            role("seer", "component:view")
            bind("no", "sub:ada", "seer", effect="deny")
        case "expired":
            bind(
                "ada", "groups:shop", "owner", namespace="acme", scope={"project": "shop"},
                annotations={"stagecraft.dev/expires-at": "2020-01-01T00:00:00Z"},
            )  # fmt: skip

    assert seen(api) == 0
    assert api.get(f"{COMPONENTS}/shop-web").status_code == 404
    capability = api.get(profile).json()["capabilities"].get("component:view", {"allowed": []})
    assert capability["allowed"] == [] or change == "denied"
    question = [{"action": "component:view", "resource": {"type": "component", "hierarchy": _hierarchy(WEB)}}]
    assert api.send("POST", "/api/v1/authz/evaluates", question).json()[0]["decision"] is False


def _hierarchy(place: Place) -> dict[str, str]:
    return {"namespace": place.namespace, "project": place.project, "component": place.component}


def test_attack_06_an_inactive_subject_has_nothing_however_it_is_asked(ada: User) -> None:
    root = User.objects.create_superuser("root")
    for user in (ada, root):
        set_active(user, False)
        access = Access.of(User.objects.get(pk=user.pk))
        assert not access.allows("component:view", WEB) and not access.reaches("component:view")
        assert access.profile(Place()) == {} and not access.subject.breaks_glass
        assert not access.visible(Project.objects.all()).exists()


# The identity provider ------------------------------------------------------------------------------------------------


def test_attack_06_a_group_removed_at_the_provider_is_gone_with_the_next_token(
    ada: User, issuer: OutsideIssuer
) -> None:
    assert seen(ApiClient(Client(), issuer.token(sub="eve", groups=["shop"]))) == 2
    assert seen(ApiClient(Client(), issuer.token(sub="eve", groups=[]))) == 0


def test_attack_06_whoever_is_shut_out_here_is_out_whatever_the_provider_says(ada: User, issuer: OutsideIssuer) -> None:
    api = ApiClient(Client(), issuer.token(sub="eve", groups=["shop"]))
    assert seen(api) == 2

    set_active(User.objects.get(username="eve"), False)

    assert seen(api) == -401
    assert seen(ApiClient(Client(), issuer.token(sub="eve", groups=["shop"]))) == -401


def test_attack_06_an_outsider_who_was_deleted_comes_back_with_nothing_of_before(
    ada: User, issuer: OutsideIssuer
) -> None:
    api = ApiClient(Client(), issuer.token(sub="eve", groups=[]))
    assert seen(api) == 0
    eve = User.objects.get(username="eve")
    assign_perm("project|component:view", eve, Project.objects.system("test").get(namespace_id="acme", name="bank"))
    assert seen(api) == 2

    eve.delete()

    assert seen(api) == 0


def test_attack_06_a_key_that_the_provider_withdrew_is_forgotten_with_the_next_fetch(
    ada: User, issuer: OutsideIssuer
) -> None:
    api = ApiClient(Client(), issuer.token(sub="eve", groups=["shop"]))
    assert seen(api) == 2
    issuer.keys = issuer.keys[1:]

    cache.clear()  # as after ten minutes; tests/portal/accounts/test_jwks.py has the times

    assert seen(api) == -401


# Sessions of the admin ------------------------------------------------------------------------------------------------


@pytest.fixture
def browser(ada: User) -> Client:
    """Ada, signed in to the admin."""
    ada.is_staff = True
    ada.set_password(PASSWORD)
    ada.save()
    client = Client()
    assert client.login(username="ada", password=PASSWORD)
    assert client.get("/admin/").status_code == 200
    return client


@pytest.mark.parametrize(
    "change",
    [
        {"is_active": False},
        {"is_staff": False},
        {"expires_at": timezone.now() - timedelta(days=1)},
        {"password": "!changed"},
    ],
)
def test_attack_06_a_session_ends_with_the_account(browser: Client, ada: User, change: dict[str, Any]) -> None:
    User.objects.filter(pk=ada.pk).update(**change)

    assert browser.get("/admin/").status_code == 302
    assert browser.get("/admin/catalog/component/").status_code == 302


def test_attack_06_a_revoked_session_is_over(browser: Client) -> None:
    Session.objects.all().delete()

    assert browser.get("/admin/").status_code == 302


def test_attack_06_the_admin_forgets_a_right_with_the_next_page(browser: Client, ada: User) -> None:
    assert "shop-web" in browser.get("/admin/catalog/component/").content.decode()

    ada.groups.clear()

    reply = browser.get("/admin/catalog/component/")
    assert reply.status_code in (200, 403) and "shop-web" not in reply.content.decode()


# Old names ------------------------------------------------------------------------------------------------------------


def test_attack_06_a_new_project_of_an_old_name_has_none_of_its_grants(ada: User) -> None:
    bank = Project.objects.system("test").get(namespace_id="acme", name="bank")
    leo = person("leo")
    assign_perm("project|component:view", leo, bank)
    api = api_of(leo)
    assert seen(api) == 2
    for name in ("bank-web", "bank-api"):
        store.delete("Component", "acme", name, TESTER)
    bank.delete()

    ProjectFactory.create(name="bank", namespace="acme")
    ComponentFactory.create(name="bank-web", namespace="acme", project="bank")

    assert seen(api) == 0


def test_attack_06_a_new_account_of_an_old_name_has_no_groups_tokens_or_grants_of_the_old_one(ada: User) -> None:
    assign_perm("project|component:view", ada, Project.objects.system("test").get(namespace_id="acme", name="bank"))
    token = api_of(ada)
    assert seen(token) == 4
    ada.delete()

    new = make_service_account("ada")

    assert seen(token) == -401
    assert seen(api_of(new)) == 0
    assert not Group.objects.filter(user=new).exists()


# Queues ---------------------------------------------------------------------------------------------------------------


def test_attack_06_no_queued_task_carries_anybodys_authority() -> None:
    from portal.celery import app

    app.loader.import_default_modules()
    ours = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}

    assert "catalog.drain" in ours
    for name, task in ours.items():
        # Messages wake workers up. What is to be done is rows, and was permitted when it was written; a controller acts
        # as the platform. A task with arguments would have to say whose right it uses, and ask for it again.
        assert list(inspect.signature(task.run).parameters) == [], name
