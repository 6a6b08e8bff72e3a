"""An agent exchanges a person's token for one with which it acts for that person."""

from __future__ import annotations

import time

import jwt
import pytest
from django.test import RequestFactory

from portal.access.bearer import authenticate
from portal.accounts.issuer import clients
from portal.accounts.issuer.exchange import ACCESS_TOKEN, GRANT_EXCHANGE
from portal.audit.models import AuditEvent
from tests.portal.accounts.issuer.conftest import HOME, Program, visit

pytestmark = pytest.mark.django_db
PROFILE = "/api/v1/authz/profile"


def exchange(program, token, **form):
    return program.ask(
        **{
            "grant_type": GRANT_EXCHANGE,
            "subject_token": token,
            "subject_token_type": ACCESS_TOKEN,
            **form,
        }
    )


def said_by(reply):
    assert reply.status_code == 200, reply.content
    return jwt.decode(reply.json()["access_token"], options={"verify_signature": False})


def identity(token):
    return authenticate(RequestFactory().get("/", headers={"Authorization": f"Bearer {token}"}))


def test_an_agent_acts_for_its_owner(agent_program, editor, ada, agent):
    reply = exchange(agent_program, editor.sign_in(ada)["access_token"])
    said = said_by(reply)
    assert (said["sub"], said["act"], said["aud"]) == ("ada", {"sub": "helper", "client_id": "helper-client"}, HOME)
    assert reply.json()["issued_token_type"] == ACCESS_TOKEN and "refresh_token" not in reply.json()
    assert 14 * 60 < said["exp"] - time.time() <= 15 * 60
    found = identity(reply.json()["access_token"])
    assert found.user == agent and found.acting_for is not None and found.acting_for.user == ada


def test_the_audit_names_both(agent_program, editor, ada):
    token = exchange(agent_program, editor.sign_in(ada)["access_token"]).json()["access_token"]
    event = AuditEvent.objects.system("test").filter(action="oauth:token").order_by("id").last()
    assert (event.actor, event.actor_kind, event.on_behalf_of) == ("helper", "agent", "ada")
    assert visit(PROFILE, token).status_code == 200


def test_an_agent_does_not_act_for_others(agent_program, editor, bob):
    reply = exchange(agent_program, editor.sign_in(bob)["access_token"])
    assert (reply.status_code, reply.json()["error"]) == (403, "access_denied")


def test_a_client_that_is_trusted_with_everybody_acts_for_others(agent_program, editor, bob):
    agent_program.client.acts_for_anyone = True
    agent_program.client.save()
    assert said_by(exchange(agent_program, editor.sign_in(bob)["access_token"]))["sub"] == "bob"


def test_a_service_account_acts_for_people_only_if_it_is_trusted_to(robot_program, editor, ada):
    token = editor.sign_in(ada)["access_token"]
    assert exchange(robot_program, token).json()["error"] == "unauthorized_client"
    robot_program.client.acts_for_anyone = True
    robot_program.client.save()
    reply = exchange(robot_program, token)
    assert said_by(reply)["act"]["sub"] == "ci-robot"
    assert identity(reply.json()["access_token"]).acting_for.user == ada


def test_what_was_exchanged_is_not_exchanged_again(agent_program, editor, ada):
    token = exchange(agent_program, editor.sign_in(ada)["access_token"]).json()["access_token"]
    reply = exchange(agent_program, token)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_grant")


def test_a_machines_token_stands_for_no_person(agent_program, robot_program):
    token = robot_program.ask(grant_type="client_credentials").json()["access_token"]
    assert exchange(agent_program, token).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "stg_something"])
def test_what_is_no_token_of_ours_is_not_exchanged(agent_program, token):
    assert exchange(agent_program, token).status_code == 400


def test_a_withdrawn_token_and_an_id_token_are_not_exchanged(agent_program, editor, ada):
    held = editor.sign_in(ada)
    assert exchange(agent_program, held["id_token"]).json()["error"] == "invalid_grant"
    editor.ask(grant_type="refresh_token", refresh_token=held["refresh_token"])
    assert exchange(agent_program, held["access_token"]).json()["error"] == "invalid_grant"


def test_a_program_of_people_exchanges_nothing(occ, editor, ada):
    assert exchange(occ, editor.sign_in(ada)["access_token"]).json()["error"] == "unauthorized_client"


def test_the_new_token_is_for_one_audience_and_never_for_more(agent_program, editor, ada):
    token = editor.sign_in(ada)["access_token"]
    narrow = exchange(agent_program, token, audience=f"{HOME}/mcp")
    assert said_by(narrow)["aud"] == f"{HOME}/mcp"
    assert visit(PROFILE, narrow.json()["access_token"]).status_code == 401
    assert exchange(agent_program, token, audience="https://other.example").json()["error"] == "invalid_target"


def test_scopes_are_never_more_than_the_persons(agent_program, editor, ada):
    held = editor.sign_in(ada)
    few = editor.ask(grant_type="refresh_token", refresh_token=held["refresh_token"], scope="openid").json()
    assert said_by(exchange(agent_program, few["access_token"]))["scope"] == "openid"
    assert exchange(agent_program, few["access_token"], scope="openid email").json()["error"] == "invalid_scope"


def test_it_never_outlives_the_persons_token(agent_program, ada):
    short = Program(
        clients.public_client("short", "", ["http://127.0.0.1/auth-callback"], token_minutes=2, skip_authorization=True)
    )
    person = said_by_text(short.sign_in(ada)["access_token"])
    reply = exchange(agent_program, person["text"])
    assert said_by(reply)["exp"] <= person["exp"] + 1


def said_by_text(text):
    return {**jwt.decode(text, options={"verify_signature": False}), "text": text}


@pytest.mark.parametrize("who", ["person", "agent"])
def test_it_ends_with_either(agent_program, editor, ada, agent, who):
    token = exchange(agent_program, editor.sign_in(ada)["access_token"]).json()["access_token"]
    assert visit(PROFILE, token).status_code == 200
    gone = ada if who == "person" else agent
    gone.is_active = False
    gone.save()
    assert visit(PROFILE, token).status_code == 401


@pytest.mark.parametrize(
    "form",
    [
        {"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        {"subject_token_type": ""},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"actor_token": "x"},
    ],
)
def test_what_we_do_not_exchange_is_said(agent_program, editor, ada, form):
    reply = exchange(agent_program, editor.sign_in(ada)["access_token"], **form)
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")
