"""Users and access tokens in the admin: a token is shown once, works, and can be revoked."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from portal.accounts.models import AccessToken, User, user_of_token
from tests.factories import NamespaceFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", "root@example.com", "x"))
    return client


def issue(browser: Client, user: User) -> str:
    """Issue a token in the admin and read it off the page."""
    data = {"user": user.pk, "name": "laptop", "expires_at_0": "", "expires_at_1": ""}
    reply = browser.post(reverse("admin:accounts_accesstoken_add"), data)
    assert reply.status_code == 200
    assert "no-store" in reply.headers["Cache-Control"]
    found = re.search(r'value="(stg_[^"]+)"', reply.content.decode())
    assert found is not None
    return found[1]


def test_a_token_is_shown_once_and_signs_its_user_in(browser: Client) -> None:
    user = User.objects.create_user("dev", "dev@example.com", "x")

    token = issue(browser, user)

    assert user_of_token(token) == user
    assert AccessToken.objects.count() == 1
    for url in (
        reverse("admin:accounts_accesstoken_changelist"),
        reverse("admin:accounts_accesstoken_change", args=[AccessToken.objects.get().pk]),
    ):
        assert token not in browser.get(url).content.decode()
    assert not any(token in cookie.value for cookie in browser.cookies.values())


def test_a_token_can_be_revoked(browser: Client) -> None:
    token = issue(browser, User.objects.create_user("dev", "dev@example.com", "x"))

    data = {"action": "revoke", "_selected_action": [AccessToken.objects.get().pk]}
    browser.post(reverse("admin:accounts_accesstoken_changelist"), data)

    assert user_of_token(token) is None


def test_a_user_can_be_a_service_account_or_an_agent(browser: Client) -> None:
    data = {
        "username": "ci", "password1": "a-long-passphrase-1", "password2": "a-long-passphrase-1",
        "principal_kind": "service_account", "usable_password": "true",
    }  # fmt: skip

    browser.post(reverse("admin:accounts_user_add"), data)

    assert User.objects.get(username="ci").principal_kind == "service_account"
    assert browser.get(reverse("admin:accounts_user_changelist") + "?principal_kind__exact=agent").status_code == 200


def test_the_admin_makes_a_limited_token_for_an_agent_that_acts_for_somebody(browser: Client) -> None:
    ada = User.objects.create_user("ada")
    bot = User.objects.create_user("bot", principal_kind="agent", owner=ada)
    NamespaceFactory.create(name="acme")
    data = {
        "user": bot.pk, "on_behalf_of": ada.pk, "name": "work", "expires_at_0": "", "expires_at_1": "",
        "actions": "component:view, logs:view", "namespace": "acme", "project": "",
    }  # fmt: skip

    assert browser.post(reverse("admin:accounts_accesstoken_add"), data).status_code == 200

    token = AccessToken.objects.get()
    assert token.on_behalf_of == ada and token.limits is not None
    assert (token.limits.actions, token.limits.namespace) == (("component:view", "logs:view"), "acme")
    assert browser.get(reverse("admin:accounts_accesstoken_changelist")).status_code == 200


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"actions": "component:fly"}, "no action"),
        ({"namespace": "nowhere"}, "there is no"),
        ({"project": "shop"}, "a project is in a namespace"),
        ({"on_behalf_of": "self"}, "only an agent acts"),
        ({"expires_at_0": "2099-01-01", "expires_at_1": "00:00"}, "365 days"),
        ({"name": ""}, "required"),
    ],
)
def test_the_admin_says_what_is_wrong_with_a_token(browser: Client, change: dict[str, str], words: str) -> None:
    user = User.objects.create_user("dev")
    if "on_behalf_of" in change:
        change = {"on_behalf_of": str(User.objects.create_user("ada").pk)}
    data = {"user": user.pk, "name": "x", "expires_at_0": "", "expires_at_1": "", **change}

    page = browser.post(reverse("admin:accounts_accesstoken_add"), data)

    assert words in page.content.decode() and not AccessToken.objects.exists()
