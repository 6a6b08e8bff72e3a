"""A device without a browser is signed in by a person on another one."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import get_device_grant_model

from portal.accounts.issuer import clients, limits
from portal.accounts.issuer.device import GRANT_DEVICE
from portal.audit.models import AuditEvent
from tests.portal.accounts.issuer.conftest import HOME, Program, visit

pytestmark = pytest.mark.django_db
PROFILE = "/api/v1/authz/profile"


def begin(program, **form):
    return Browser().post("/oauth/device_authorization", {"client_id": program.client.client_id, **form})


def poll(program, codes, *, after=5):
    rows = get_device_grant_model().objects
    rows.update(last_checked=timezone.now() - timedelta(seconds=after))
    return program.ask(grant_type=GRANT_DEVICE, device_code=codes["device_code"])


def browser_of(user):
    browser = Browser()
    browser.force_login(user)
    return browser


def decide(user, codes, decision="allow"):
    return browser_of(user).post("/oauth/device", {"user_code": codes["user_code"], "decision": decision})


def test_a_person_types_the_code_and_the_device_gets_a_token(occ, ada):
    codes = begin(occ).json()
    assert codes["verification_uri"] == f"{HOME}/oauth/device" and codes["interval"] == 5
    waits = poll(occ, codes)
    assert (waits.status_code, waits.json()["error"]) == (400, "authorization_pending")
    page = browser_of(ada).get("/oauth/device", {"user_code": codes["user_code"].lower().replace("-", " ")})
    assert b"Command line (occ)" in page.content and codes["user_code"].encode() in page.content
    assert poll(occ, codes).json()["error"] == "authorization_pending"
    assert b"is signed in as ada" in decide(ada, codes).content
    token = poll(occ, codes).json()["access_token"]
    assert visit(PROFILE, token).json()["user"]["entitlement_values"] == ["shop-team"]


def test_the_codes_are_good_once(occ, ada):
    codes = begin(occ).json()
    decide(ada, codes)
    assert poll(occ, codes).status_code == 200
    assert poll(occ, codes).json()["error"] == "invalid_grant"
    assert decide(ada, codes).status_code == 400


def test_a_refused_device_gets_nothing(occ, ada):
    codes = begin(occ).json()
    decide(ada, codes, "deny")
    assert poll(occ, codes).json()["error"] == "access_denied"


def test_a_code_ends_after_ten_minutes(occ, ada):
    codes = begin(occ).json()
    get_device_grant_model().objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert decide(ada, codes).status_code == 400
    assert poll(occ, codes).json()["error"] == "expired_token"


def test_a_device_that_asks_too_often_is_told_to_slow_down(occ):
    codes = begin(occ).json()
    assert poll(occ, codes, after=1).json()["error"] == "slow_down"
    assert poll(occ, codes, after=6).json()["error"] == "authorization_pending"


def test_waiting_devices_do_not_fill_the_audit(occ):
    codes = begin(occ).json()
    before = AuditEvent.objects.system("test").count()
    poll(occ, codes)
    assert AuditEvent.objects.system("test").count() == before


def test_another_client_cannot_use_the_codes(occ, ada):
    codes = begin(occ).json()
    decide(ada, codes)
    other = Program(clients.public_client("tv", "TV", ["http://127.0.0.1/"], uses_device_flow=True))
    assert poll(other, codes).json()["error"] == "invalid_grant"
    assert poll(occ, codes).status_code == 200


def test_a_client_without_the_grant_gets_no_codes(editor, robot_program):
    assert begin(editor).json()["error"] == "unauthorized_client"
    assert begin(robot_program).status_code == 401
    assert Browser().post("/oauth/device_authorization", {"client_id": "nobody"}).status_code == 401
    assert Browser().post("/oauth/device_authorization", {}).status_code == 401


def test_codes_are_not_asked_for_without_end(occ, monkeypatch):
    monkeypatch.setattr(limits, "CODES_PER_ADDRESS", 3)
    assert [begin(occ).status_code for _ in range(5)] == [200, 200, 200, 429, 429]


def test_the_page_wants_a_signed_in_person(occ):
    codes = begin(occ).json()
    page = Browser().get(codes["verification_uri_complete"].removeprefix(HOME))
    assert page.status_code == 302 and page["Location"].startswith("/oauth/sign-in?next=/oauth/device%3Fuser_code%3D")


def test_following_a_link_decides_nothing(occ, ada):
    codes = begin(occ).json()
    browser_of(ada).get("/oauth/device", {"user_code": codes["user_code"], "decision": "allow"})
    assert poll(occ, codes).json()["error"] == "authorization_pending"
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(ada)
    form = {"user_code": codes["user_code"], "decision": "allow"}
    assert strict.post("/oauth/device", form).status_code == 403


def test_codes_are_not_guessed(occ, ada):
    codes = begin(occ).json()
    browser = browser_of(ada)
    for _ in range(10):
        assert browser.post("/oauth/device", {"user_code": "BBBB-BBBB"}).status_code == 400
    assert decide(ada, codes).status_code == 429


def test_the_database_does_not_hold_the_device_code(occ):
    codes = begin(occ).json()
    assert codes["device_code"] not in str(list(get_device_grant_model().objects.values()))


def test_who_decided_is_in_the_audit(occ, ada):
    decide(ada, begin(occ).json())
    event = AuditEvent.objects.system("test").filter(action="oauth:device-consent").get()
    assert (event.actor, event.name, event.outcome) == ("ada", "openchoreo-cli", "success")
