"""Refresh tokens: each is good once, and a stolen one ends the whole family."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import get_access_token_model

from portal.audit.models import AuditEvent
from tests.portal.accounts.issuer.conftest import visit

pytestmark = pytest.mark.django_db
PROFILE = "/api/v1/authz/profile"


def refreshed(program, token):
    return program.ask(grant_type="refresh_token", refresh_token=token)


def test_a_refresh_token_is_exchanged_for_a_new_pair_and_the_old_pair_ends(editor, ada):
    first = editor.sign_in(ada)
    second = refreshed(editor, first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"] and second["refresh_token"].startswith("stgr_")
    assert visit(PROFILE, second["access_token"]).status_code == 200
    assert visit(PROFILE, first["access_token"]).status_code == 401
    assert second["scope"] == "openid profile email"


def test_a_refresh_token_used_twice_ends_all_that_came_of_it(editor, ada):
    first = editor.sign_in(ada)
    second = refreshed(editor, first["refresh_token"]).json()
    assert refreshed(editor, first["refresh_token"]).json()["error"] == "invalid_grant"
    assert visit(PROFILE, second["access_token"]).status_code == 401
    assert refreshed(editor, second["refresh_token"]).json()["error"] == "invalid_grant"
    event = AuditEvent.objects.system("test").filter(action="oauth:token", outcome="denied").order_by("id").first()
    assert "used a second time" in event.details


def test_another_sign_in_of_the_same_person_goes_on(editor, ada):
    first, other = editor.sign_in(ada), editor.sign_in(ada)
    refreshed(editor, first["refresh_token"])
    refreshed(editor, first["refresh_token"])
    assert visit(PROFILE, other["access_token"]).status_code == 200
    assert refreshed(editor, other["refresh_token"]).status_code == 200


def test_a_refresh_token_is_good_for_its_own_client_only(editor, occ, ada):
    held = editor.sign_in(ada)
    assert refreshed(occ, held["refresh_token"]).json()["error"] == "invalid_grant"


def test_an_inactive_person_gets_no_further_token(editor, ada):
    held = editor.sign_in(ada)
    ada.is_active = False
    ada.save()
    assert refreshed(editor, held["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_refresh_token_that_was_not_used_for_long_has_ended(editor, ada):
    held = editor.sign_in(ada)
    get_access_token_model().objects.update(expires=timezone.now() - timedelta(days=8))
    assert refreshed(editor, held["refresh_token"]).json()["error"] == "invalid_grant"


def test_scopes_can_be_fewer_and_never_more(editor, ada):
    held = editor.sign_in(ada)
    fewer = editor.ask(grant_type="refresh_token", refresh_token=held["refresh_token"], scope="openid").json()
    assert fewer["scope"] == "openid"
    more = editor.ask(grant_type="refresh_token", refresh_token=fewer["refresh_token"], scope="openid email")
    assert more.json()["error"] == "invalid_scope"


def test_revoking_the_refresh_token_ends_the_access_token_at_once(editor, ada):
    held = editor.sign_in(ada)
    Browser().post("/oauth/revoke", {"client_id": "editor", "token": held["refresh_token"]})
    assert visit(PROFILE, held["access_token"]).status_code == 401


def test_revoking_the_access_token_ends_the_refresh_token_too(editor, ada):
    held = editor.sign_in(ada)
    Browser().post("/oauth/revoke", {"client_id": "editor", "token": held["access_token"]})
    assert refreshed(editor, held["refresh_token"]).json()["error"] == "invalid_grant"


def test_what_a_program_makes_with_its_token_does_not_outlive_it(editor, ada):
    held = editor.sign_in(ada)
    headers = {"Authorization": f"Bearer {held['access_token']}"}
    path = "/api/stagecraft/v1/access/tokens"
    made = Browser().post(path, {"name": "longer", "days": 90}, content_type="application/json", headers=headers)
    assert made.status_code == 201
    assert datetime.fromisoformat(made.json()["expiresAt"]) <= timezone.now() + timedelta(hours=1)


def test_a_new_password_ends_what_the_old_one_signed_in(editor, ada, bob):
    held, others = editor.sign_in(ada), editor.sign_in(bob)
    ada.set_password("another one, quite long")
    ada.save()
    assert visit(PROFILE, held["access_token"]).status_code == 401
    assert refreshed(editor, held["refresh_token"]).json()["error"] == "invalid_grant"
    assert visit(PROFILE, others["access_token"]).status_code == 200


def test_other_changes_of_an_account_end_nothing(editor, ada):
    held = editor.sign_in(ada)
    ada.first_name = "Augusta"
    ada.save()
    assert visit(PROFILE, held["access_token"]).status_code == 200


def test_occ_gets_no_refresh_token_for_it_would_use_one_twice(occ, ada):
    held = occ.sign_in(ada)
    assert "refresh_token" not in held and held["expires_in"] == 12 * 3600


def test_groups_are_those_of_now_not_those_of_the_token(editor, ada):
    held = editor.sign_in(ada)
    ada.groups.clear()
    assert visit(PROFILE, held["access_token"]).json()["user"]["entitlement_values"] == []
