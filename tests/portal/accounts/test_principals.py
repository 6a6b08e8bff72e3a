"""People, service accounts and agents: what each must have, may not have, and when it may not act."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from portal.access.engine import Access
from portal.access.place import Place
from portal.accounts.models import AccessToken, BadToken, User, issue_token, user_of_token
from portal.accounts.principals import make_agent, make_person, make_service_account, set_active

pytestmark = pytest.mark.django_db
MACHINES = ("agent", "service_account")


@pytest.fixture
def ada() -> User:
    return make_person("ada", password="correct horse battery")


def test_an_agent_needs_an_owner_in_forms_and_in_the_database() -> None:
    with pytest.raises(ValidationError, match="needs an owner"):
        make_agent("bot", owner=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.bulk_create([User(username="bot", principal_kind="agent", password="!")])


def test_an_owner_is_a_person(ada: User) -> None:
    ci = make_service_account("ci")

    with pytest.raises(ValidationError, match="a person's"):
        make_agent("bot", owner=ci)


@pytest.mark.parametrize("kind", MACHINES)
@pytest.mark.parametrize("change", [{"is_staff": True}, {"is_superuser": True}, {"password": "pbkdf2_sha256$1$x$y"}])
def test_the_database_refuses_machines_with_staff_rights_or_passwords(ada: User, kind: str, change: dict) -> None:
    machine = User.objects.create(username="m", principal_kind=kind, owner=ada)

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=machine.pk).update(**change)


@pytest.mark.parametrize("kind", MACHINES)
def test_a_machine_never_gets_a_password_and_never_signs_in(ada: User, kind: str, client: Client) -> None:
    machine = User.objects.create(username="m", principal_kind=kind, owner=ada, password="typed")

    assert not machine.has_usable_password()
    with pytest.raises(ValueError, match="no password"):
        machine.set_password("typed")
    assert authenticate(username="m", password="typed") is None
    client.post("/admin/login/", {"username": "m", "password": "typed", "next": "/admin/"})
    assert client.get("/admin/").status_code == 302


def test_a_person_who_becomes_an_agent_in_the_admin_loses_password_and_sessions(ada: User, client: Client) -> None:
    eve = User.objects.create_user("eve", password="correct horse battery", is_staff=True)
    hers = Client()
    assert hers.login(username="eve", password="correct horse battery")
    assert hers.get("/admin/").status_code == 200
    client.force_login(User.objects.create_superuser("root", password="x"))
    form = {
        "username": "eve",
        "principal_kind": "agent",
        "owner": ada.pk,
        "is_active": "on",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00",
    }

    reply = client.post(f"/admin/accounts/user/{eve.pk}/change/", form)

    eve.refresh_from_db()
    assert reply.status_code == 302 and eve.principal_kind == "agent" and not eve.has_usable_password()
    assert hers.get("/admin/").status_code == 302


def test_the_admin_says_that_an_agent_needs_an_owner_and_changes_no_password_of_one(ada: User, client: Client) -> None:
    client.force_login(User.objects.create_superuser("root", password="x"))
    form = {"username": "bot", "principal_kind": "agent", "usable_password": "true"}

    page = client.post("/admin/accounts/user/add/", form).content.decode()

    assert "needs an owner" in page and not User.objects.filter(username="bot").exists()
    assert client.post("/admin/accounts/user/add/", {**form, "owner": ada.pk}).status_code == 302
    bot = User.objects.get(username="bot")
    assert not bot.has_usable_password()
    reply = client.post(f"/admin/accounts/user/{bot.pk}/password/", {"password1": "x" * 20, "password2": "x" * 20})
    assert reply.status_code == 302
    assert not User.objects.get(username="bot").has_usable_password()


def test_an_agent_ends_with_its_owner(ada: User) -> None:
    bot = make_agent("bot", owner=ada)
    token = issue_token(bot, "work")
    assert user_of_token(token) == bot

    set_active(ada, False)
    assert user_of_token(token) is None
    assert Access.of(User.objects.get(username="bot")).check("component:view", Place()).because == "inactive"

    set_active(ada, True)
    assert user_of_token(token) == bot
    ada.delete()
    assert user_of_token(token) is None and not AccessToken.objects.exists()


def test_an_account_ends_when_it_expires(ada: User) -> None:
    ci = make_service_account("ci", expires_at=timezone.now() + timedelta(hours=1))
    token = issue_token(ci, "work")
    assert user_of_token(token) == ci

    User.objects.filter(pk=ci.pk).update(expires_at=timezone.now() - timedelta(seconds=1))

    assert user_of_token(token) is None


def test_a_token_lasts_ninety_days_unless_told_and_never_longer_than_the_setting(ada: User, settings: object) -> None:
    issue_token(ada, "default")
    lasts = AccessToken.objects.get().expires_at - timezone.now()

    assert timedelta(days=89, hours=23) < lasts <= timedelta(days=90)
    with pytest.raises(BadToken, match="365 days"):
        issue_token(ada, "long", timezone.now() + timedelta(days=366))


def test_only_an_agent_acts_for_somebody_and_only_for_a_person(ada: User) -> None:
    bot = make_agent("bot", owner=ada)

    with pytest.raises(BadToken):
        issue_token(make_service_account("ci"), "x", on_behalf_of=ada)
    with pytest.raises(BadToken):
        issue_token(bot, "x", on_behalf_of=make_service_account("cd"))
    assert user_of_token(issue_token(bot, "x", on_behalf_of=ada)) == bot


def said(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_a_platform_engineer_makes_accounts_and_tokens_on_the_command_line(db: None) -> None:
    said("account", "create-person", "ada")
    said("account", "create-agent", "bot", "--owner", "ada")
    said("account", "create-service-account", "ci", "--days", "30")
    text = said(
        "token", "issue", "bot", "--name", "work", "--on-behalf-of", "ada", "--action", "component:view"
    ).strip()

    bot = user_of_token(text)
    assert bot is not None and bot.username == "bot" and bot.owner is not None and bot.owner.username == "ada"
    assert "component:view" in said("token", "list", "bot") and text not in said("token", "list")
    assert "agent" in said("account", "list")

    said("account", "disable", "ada")
    assert user_of_token(text) is None
    said("account", "enable", "ada")
    assert user_of_token(text) == bot
    assert said("token", "revoke", "--user", "ada") == "1 tokens were revoked\n"
    assert user_of_token(text) is None


def test_a_new_account_of_a_name_that_bindings_hold_is_told_of(ada: User) -> None:
    assert "without any right" in said("account", "create-agent", "bot", "--owner", "ada")
    Group.objects.create(name="sub:old-bot")

    assert "bindings name it already" in said("account", "create-agent", "old-bot", "--owner", "ada")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("account", "create-agent", "bot", "--owner", "nobody"), "no account 'nobody'"),
        (("account", "create-agent", "bad name", "--owner", "ada"), "valid username"),
        (("token", "issue", "ada", "--name", "x", "--action", "component:fly"), "no action 'component:fly'"),
        (("token", "issue", "ada", "--name", "x", "--namespace", "nowhere"), "no 'nowhere'"),
        (("token", "issue", "ada", "--name", "x", "--days", "999"), "365 days"),
        (("token", "revoke"), "by their numbers"),
        (("token", "revoke", "99"), "no token 99"),
    ],
)
def test_mistakes_on_the_command_line_are_told(ada: User, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        said(*arguments)
