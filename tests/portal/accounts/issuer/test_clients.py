"""Clients are made and ended on the command line and in the admin, by superusers; each change is an event."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.test import Client as Browser
from oauth2_provider.models import get_access_token_model

from portal.accounts.issuer import clients
from portal.accounts.issuer.models import Client
from portal.accounts.models import User
from portal.audit.models import AuditEvent
from tests.portal.accounts.issuer.conftest import Program, visit

pytestmark = pytest.mark.django_db
PROFILE = "/api/v1/authz/profile"


def run(*arguments):
    out = StringIO()
    call_command("oauth_client", *arguments, stdout=out)
    return out.getvalue()


def secret_in(text):
    return re.search(r"stgc_[\w-]+", text)[0]


@pytest.fixture
def browser():
    browser = Browser()
    browser.force_login(User.objects.create_superuser("root", password="x"))
    return browser


def test_a_client_of_a_service_account_is_made_and_signs_in(robot):
    secret = secret_in(run("add", "ci", "--account", "ci-robot"))
    program = Program(Client.objects.get(client_id="ci"), secret)
    assert program.ask(grant_type="client_credentials").status_code == 200
    assert secret not in str(list(Client.objects.values())) and secret not in run("list")
    assert "as ci-robot" in run("list")


def test_a_new_secret_ends_the_old_one(robot):
    old = secret_in(run("add", "ci", "--account", "ci-robot"))
    new = secret_in(run("new-secret", "ci"))
    client = Client.objects.get(client_id="ci")
    assert Program(client, old).ask(grant_type="client_credentials").status_code == 401
    assert Program(client, new).ask(grant_type="client_credentials").status_code == 200


def test_a_disabled_client_is_refused_at_once_and_can_be_enabled_again(robot):
    program = Program(*clients.machine_client("ci", "", robot))
    token = program.ask(grant_type="client_credentials").json()["access_token"]
    run("disable", "ci")
    assert visit(PROFILE, token).status_code == 401
    assert program.ask(grant_type="client_credentials").status_code == 401
    run("enable", "ci")
    assert program.ask(grant_type="client_credentials").status_code == 200


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["add", "x"], "name a --redirect-uri, or an --account"),
        (["add", "x", "--account", "nobody"], "there is no account nobody"),
        (["add", "x", "--account", "ada"], "never as a person"),
        (["add", "x", "--redirect-uri", "http://example.org/"], "use https"),
        (["add", "x", "--redirect-uri", "no address"], "redirect_uris"),
        (["disable", "x"], "there is no client x"),
    ],
)
def test_mistakes_are_told(ada, arguments, text):
    with pytest.raises(CommandError, match=text):
        run(*arguments)


def test_the_quickstarts_clients_are_made_once(db):
    assert clients.known_clients() == ["openchoreo-cli", "user_mcp_client"]
    assert clients.known_clients() == []


def test_the_database_refuses_grants_that_we_do_not_offer(occ):
    for grant in ("implicit", "password", "openid-hybrid"):
        with pytest.raises(IntegrityError):
            from django.db import transaction

            with transaction.atomic():
                Client.objects.filter(pk=occ.client.pk).update(authorization_grant_type=grant)


def test_the_admin_shows_the_secret_once(browser, robot):
    form = {
        "client_id": "ci",
        "name": "CI",
        "client_type": "confidential",
        "authorization_grant_type": "client-credentials",
        "user": robot.pk,
        "redirect_uris": "",
        "issues_refresh_tokens": "on",
        "advertised_as": "",
    }
    page = browser.post("/admin/issuer/client/add/", form)
    assert page.status_code == 200, page.headers
    secret = secret_in(page.content.decode())
    client = Client.objects.get(client_id="ci")
    assert Program(client, secret).ask(grant_type="client_credentials").status_code == 200
    for path in ("/admin/issuer/client/", f"/admin/issuer/client/{client.pk}/change/"):
        content = browser.get(path).content.decode()
        assert secret not in content and client.client_secret not in content
    event = AuditEvent.objects.system("test").get(action="client:create")
    assert (event.actor, event.name) == ("root", "ci") and secret not in event.details


def test_the_admin_ends_what_a_program_holds(browser, editor, ada):
    held = editor.sign_in(ada)
    row = get_access_token_model().objects.get()
    form = {"action": "sign_out", "_selected_action": [row.pk]}
    assert browser.post("/admin/oauth2_provider/accesstoken/", form).status_code == 302
    assert visit(PROFILE, held["access_token"]).status_code == 401
    assert editor.ask(grant_type="refresh_token", refresh_token=held["refresh_token"]).status_code == 400


def test_the_admin_disables_clients_and_renews_secrets(browser, robot_program):
    form = {"_selected_action": [robot_program.client.pk]}
    page = browser.post("/admin/issuer/client/", {**form, "action": "renew_secret"})
    robot_program.secret = secret_in(page.content.decode())
    assert robot_program.ask(grant_type="client_credentials").status_code == 200
    browser.post("/admin/issuer/client/", {**form, "action": "disable"})
    assert robot_program.ask(grant_type="client_credentials").status_code == 401
    browser.post("/admin/issuer/client/", {**form, "action": "enable"})
    assert robot_program.ask(grant_type="client_credentials").status_code == 200
    actions = AuditEvent.objects.system("test").filter(kind="Client", actor="root").values_list("action", flat=True)
    assert set(actions) == {"client:renew-secret", "client:disable", "client:enable"}


def test_staff_without_more_see_nothing_of_it(robot_program, django_user_model):
    staff = django_user_model.objects.create_user("clerk", password="x", is_staff=True)
    browser = Browser()
    browser.force_login(staff)
    for path in ("issuer/client/", "issuer/signingkey/", "oauth2_provider/accesstoken/"):
        assert browser.get(f"/admin/{path}").status_code == 403


def test_the_toolkits_own_pages_are_not_there(browser):
    for path in ("application", "grant", "refreshtoken", "idtoken"):
        assert browser.get(f"/admin/oauth2_provider/{path}/").status_code == 404


def test_keys_are_shown_without_the_private_part(browser, robot_program):
    robot_program.ask(grant_type="client_credentials")
    from portal.accounts.issuer.models import SigningKey

    row = SigningKey.objects.get()
    content = browser.get(f"/admin/issuer/signingkey/{row.pk}/change/").content.decode()
    assert row.kid in content and row.sealed not in content and "PRIVATE" not in content


def test_changes_on_the_command_line_are_events(robot):
    run("add", "ci", "--account", "ci-robot")
    run("disable", "ci")
    events = AuditEvent.objects.system("test").filter(kind="Client").order_by("id")
    assert [event.action for event in events] == ["client:create", "client:update"]
