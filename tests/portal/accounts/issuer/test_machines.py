"""Programs sign in by themselves: client credentials, and what ends their tokens."""

from __future__ import annotations

import base64

import jwt
import pytest
from django.test import Client as Browser
from django.test import RequestFactory
from oauth2_provider.models import get_access_token_model

from portal.access.bearer import authenticate
from portal.accounts.issuer import limits
from portal.audit.models import AuditEvent
from tests.portal.accounts.issuer.conftest import visit

pytestmark = pytest.mark.django_db
PROFILE = "/api/v1/authz/profile"


def token_of(program):
    reply = program.ask(grant_type="client_credentials")
    assert reply.status_code == 200, reply.content
    return reply.json()["access_token"]


def events():
    return AuditEvent.objects.system("test").filter(action="oauth:token").order_by("id")


def test_a_service_account_signs_in_with_id_and_secret_in_the_form(robot_program):
    reply = robot_program.ask(grant_type="client_credentials")
    body = reply.json()
    assert (body["token_type"], body["expires_in"], "refresh_token" in body) == ("Bearer", 3600, False)
    said = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert (said["sub"], said["kind"], said["client_id"], "groups" in said) == (
        "ci-robot",
        "service_account",
        "ci",
        False,
    )
    user = visit(PROFILE, body["access_token"]).json()["user"]
    assert user == {"type": "service_account", "entitlement_claim": "sub", "entitlement_values": ["ci-robot"]}


def test_the_secret_may_come_in_a_basic_header_too(robot_program):
    given = base64.b64encode(f"ci:{robot_program.secret}".encode()).decode()
    reply = Browser().post(
        "/oauth/token", {"grant_type": "client_credentials"}, headers={"Authorization": f"Basic {given}"}
    )
    assert reply.status_code == 200 and visit(PROFILE, reply.json()["access_token"]).status_code == 200


def test_an_agent_signs_in_as_itself(agent_program):
    said = jwt.decode(token_of(agent_program), options={"verify_signature": False})
    assert (said["sub"], said["kind"]) == ("helper", "agent")


@pytest.mark.parametrize("secret", ["", "wrong", "stgc_"])
def test_a_wrong_secret_gets_nothing_and_is_an_event(robot_program, secret):
    robot_program.secret = secret
    reply = robot_program.ask(grant_type="client_credentials")
    assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")
    event = events().last()
    assert (event.actor, event.outcome, event.name, event.status) == ("anonymous", "denied", "ci", 401)


def test_the_digest_of_the_secret_is_not_the_secret(robot_program):
    robot_program.secret = robot_program.client.client_secret
    assert robot_program.ask(grant_type="client_credentials").status_code == 401


def test_a_public_client_has_no_credentials_to_sign_in_with(occ, editor):
    for program in (occ, editor):
        for secret in ("", "anything"):
            program.secret = secret
            assert program.ask(grant_type="client_credentials").status_code in (400, 401)


def test_a_machine_does_not_use_the_grants_of_people(robot_program):
    assert robot_program.redeem("code").json()["error"] == "unauthorized_client"
    question = {"client_id": "ci", "response_type": "code", "redirect_uri": "http://127.0.0.1/x"}
    assert Browser().get("/oauth/authorize", question).status_code in (302, 400)


def test_every_token_is_an_event_without_the_token(robot_program):
    token = token_of(robot_program)
    event = events().last()
    assert (event.actor, event.actor_kind, event.outcome, event.kind, event.name, event.credential) == (
        "ci-robot",
        "service_account",
        "success",
        "Client",
        "ci",
        "client:ci",
    )
    assert '"grant":"client_credentials"' in event.details and token not in str(vars(event))
    assert robot_program.secret not in str(vars(event))
    assert events().count() == 1


@pytest.mark.parametrize("what", ["account", "client", "row", "account deleted"])
def test_a_token_ends_with_its_account_its_client_or_its_row(robot_program, robot, what):
    from django.utils import timezone

    token = token_of(robot_program)
    assert visit(PROFILE, token).status_code == 200
    if what == "account":
        robot.is_active = False
        robot.save()
    elif what == "client":
        robot_program.client.disabled_at = timezone.now()
        robot_program.client.save()
    elif what == "row":
        get_access_token_model().objects.all().delete()
    else:
        robot.delete()
    assert visit(PROFILE, token).json() == {"error": "INVALID_TOKEN", "message": "invalid or expired token"}
    assert robot_program.ask(grant_type="client_credentials").status_code in ((401,) if what != "row" else (200,))


def test_an_agents_token_ends_with_its_owner(agent_program, ada):
    token = token_of(agent_program)
    ada.is_active = False
    ada.save()
    assert visit(PROFILE, token).status_code == 401
    assert agent_program.ask(grant_type="client_credentials").status_code == 401


def test_who_takes_over_a_name_takes_over_no_token(robot_program, robot, django_user_model):
    token = token_of(robot_program)
    robot.username = "renamed"
    robot.save()
    django_user_model.objects.create_superuser("ci-robot", password="x")
    assert visit(PROFILE, token).json()["user"]["entitlement_values"] == ["renamed"]


def test_a_program_ends_its_own_token_and_no_other(robot_program, agent_program):
    mine, other = token_of(robot_program), token_of(agent_program)
    form = {"client_id": "ci", "client_secret": robot_program.secret}
    assert Browser().post("/oauth/revoke", {**form, "token": other}).status_code == 200
    assert visit(PROFILE, other).status_code == 200
    assert Browser().post("/oauth/revoke", {**form, "token": mine}).status_code == 200
    assert visit(PROFILE, mine).status_code == 401
    assert Browser().post("/oauth/revoke", {**form, "client_secret": "x", "token": other}).status_code == 401


def test_after_too_many_wrong_secrets_an_address_waits(robot_program):
    right = robot_program.secret
    robot_program.secret = "wrong"
    for _ in range(limits.FAILURES_PER_CLIENT_AND_ADDRESS):
        assert robot_program.ask(grant_type="client_credentials").status_code == 401
    robot_program.secret = right
    reply = robot_program.ask(grant_type="client_credentials")
    assert (reply.status_code, reply.json()["error"], reply["Retry-After"]) == (429, "slow_down", "900")


def test_a_program_that_asks_without_end_is_slowed_down(robot_program, monkeypatch):
    monkeypatch.setattr(limits, "TOKENS_PER_MINUTE", 3)
    replies = [robot_program.ask(grant_type="client_credentials").status_code for _ in range(5)]
    assert replies == [200, 200, 200, 429, 429]


def test_tokens_that_have_ended_leave_no_heap(robot_program):
    from datetime import timedelta

    from django.utils import timezone

    for _ in range(3):
        token_of(robot_program)
    rows = get_access_token_model().objects
    rows.update(expires=timezone.now() - timedelta(seconds=1))
    token_of(robot_program)
    assert rows.count() == 1


@pytest.mark.parametrize("form", [{}, {"grant_type": ""}, {"grant_type": "implicit"}, {"grant_type": "password"}])
def test_a_grant_that_is_not_offered_is_refused(robot_program, form):
    reply = robot_program.ask(**form)
    assert reply.status_code == 400 and reply.json()["error"] in ("invalid_request", "unsupported_grant_type")


def test_the_token_endpoint_takes_post_only(robot_program):
    assert Browser().get("/oauth/token").status_code == 405
    reply = Browser().post("/oauth/token?grant_type=client_credentials", {"client_id": "ci"})
    assert reply.status_code == 400


def test_no_endpoint_answers_while_the_built_in_issuer_is_off(robot_program, settings):
    token = token_of(robot_program)
    settings.BUILT_IN_ISSUER = False
    assert robot_program.ask(grant_type="client_credentials").status_code == 404
    assert visit(PROFILE, token).json()["error"] == "INVALID_CLAIMS"
    for path in ("/oauth/authorize", "/oauth/sign-in", "/oauth/device", "/oauth/jwks"):
        assert Browser().get(path).status_code == 404


def test_a_signed_token_costs_one_query(robot_program, django_assert_num_queries):
    request = RequestFactory().get("/", headers={"Authorization": f"Bearer {token_of(robot_program)}"})
    authenticate(request)
    with django_assert_num_queries(1):
        assert authenticate(request).user.username == "ci-robot"
