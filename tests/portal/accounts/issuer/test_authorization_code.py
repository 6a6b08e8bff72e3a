"""People sign in with a program: authorization code with PKCE, through the pages."""

from __future__ import annotations

import time
from urllib.parse import quote

import jwt
import pytest
from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import get_access_token_model, get_refresh_token_model

from portal.accounts.issuer import clients, keys
from portal.accounts.issuer.models import Client
from tests.portal.accounts.issuer.conftest import HOME, OCC_CALLBACK, PASSWORD, Program, answer_of, visit

pytestmark = pytest.mark.django_db
PROFILE = "/api/v1/authz/profile"


def claims_of(token):
    key = jwt.PyJWK(keys.key_set()["keys"][0])
    audience = jwt.decode(token, options={"verify_signature": False})["aud"]
    return jwt.decode(token, key, algorithms=["RS256"], audience=audience)


def test_a_person_signs_in_through_the_pages_and_the_program_gets_a_token(occ, ada):
    browser = Browser()
    to_sign_in = browser.get(occ.authorize_path)
    assert to_sign_in.status_code == 302 and to_sign_in["Location"].startswith("/oauth/sign-in?next=/oauth/authorize")
    page = browser.get(to_sign_in["Location"])
    assert b"Command line (occ)" in page.content
    form = {"username": "ada", "password": PASSWORD, "next": page.context["next"]}
    back = browser.post(to_sign_in["Location"], form)
    answer = answer_of(browser.get(back["Location"]))
    assert answer["state"] == "a-state" and answer["iss"] == HOME
    reply = occ.redeem(answer["code"])
    assert reply.status_code == 200 and reply["Cache-Control"] == "no-store"
    assert visit(PROFILE, reply.json()["access_token"]).json()["user"]["entitlement_values"] == ["shop-team"]


def test_the_access_token_says_who_for_whom_and_until_when(occ, ada):
    said = claims_of(occ.sign_in(ada)["access_token"])
    assert said.pop("jti")
    assert said.pop("exp") - said.pop("iat") == 12 * 3600
    assert said == {
        "iss": HOME,
        "sub": "ada",
        "aud": HOME,
        "client_id": "openchoreo-cli",
        "scope": "openid profile email",
        "kind": "human",
        "groups": ["shop-team"],
        "preferred_username": "ada",
        "name": "Ada",
        "email": "ada@example.org",
        "email_verified": False,
    }


def test_the_header_names_the_key_and_the_sort_of_token(occ, ada):
    header = jwt.get_unverified_header(occ.sign_in(ada)["access_token"])
    assert header == {"alg": "RS256", "typ": "at+jwt", "kid": keys.signing_row().kid}


def test_the_id_token_is_for_the_client_and_does_not_open_the_api(occ, ada):
    id_token = occ.sign_in(ada)["id_token"]
    said = claims_of(id_token)
    assert (said["aud"], said["sub"], said["iss"], said["groups"]) == ("openchoreo-cli", "ada", HOME, ["shop-team"])
    assert visit(PROFILE, id_token).json() == {"error": "INVALID_CLAIMS", "message": "token claims validation failed"}


def test_no_token_is_kept_in_the_database(editor, ada):
    reply = editor.sign_in(ada)
    rows = [*get_access_token_model().objects.values(), *get_refresh_token_model().objects.values()]
    assert reply["access_token"] not in str(rows) and reply["refresh_token"] not in str(rows)
    assert reply["access_token"].split(".")[2] not in str(rows)


@pytest.mark.parametrize("changed", [{"code_challenge_method": "plain"}, {"code_challenge_method": ""}])
def test_pkce_takes_s256_only(occ, ada, changed):
    browser = Browser()
    browser.force_login(ada)
    answer = answer_of(browser.get("/oauth/authorize", occ.question(**changed)))
    assert answer["error"] == "invalid_request" and "code" not in answer


def test_pkce_is_needed(occ, ada):
    browser = Browser()
    browser.force_login(ada)
    answer = answer_of(browser.get("/oauth/authorize", occ.question(code_challenge="", code_challenge_method="")))
    assert (answer["error"], answer["error_description"]) == ("invalid_request", "Code challenge required.")


def test_another_verifier_gets_no_token_and_the_code_is_good_once(occ, ada):
    browser = Browser()
    browser.force_login(ada)
    code = answer_of(browser.get(occ.authorize_path))["code"]
    assert occ.redeem(code, code_verifier="x" * 43).json()["error"] == "invalid_grant"
    assert occ.redeem(code).status_code == 200
    assert occ.redeem(code).json()["error"] == "invalid_grant"


def test_a_code_that_is_shown_again_ends_the_tokens_that_came_of_it(editor, ada):
    browser = Browser()
    browser.force_login(ada)
    page = browser.get(editor.authorize_path)
    form = {key: value for key, value in page.context["form"].initial.items() if value}
    code = answer_of(browser.post("/oauth/authorize", {**form, "allow": "true"}))["code"]
    held = editor.redeem(code).json()
    assert visit(PROFILE, held["access_token"]).status_code == 200
    assert editor.redeem(code).json()["error"] == "invalid_grant"
    assert visit(PROFILE, held["access_token"]).status_code == 401
    refreshed = editor.ask(grant_type="refresh_token", refresh_token=held["refresh_token"])
    assert refreshed.json()["error"] == "invalid_grant"


def test_who_only_guesses_codes_ends_nothing(editor, occ, ada):
    held = editor.sign_in(ada)
    for code in ("guess", "", "used:x"):
        assert editor.redeem(code).status_code == 400
    assert visit(PROFILE, held["access_token"]).status_code == 200


def test_a_code_is_good_for_its_own_client_only(occ, editor, ada):
    browser = Browser()
    browser.force_login(ada)
    code = answer_of(browser.get(occ.authorize_path))["code"]
    thief = Program(editor.client, redirect_uri=occ.redirect_uri, verifier=occ.verifier)
    assert thief.redeem(code).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:55152/auth-callback/more",
        "http://127.0.0.1:55152/",
        "http://127.0.0.2:55152/auth-callback",
        "http://localhost:55152/auth-callback",
        "https://127.0.0.1:55152/auth-callback",
        "http://127.0.0.1:55152/auth-callback?x=1",
        "http://127.0.0.1:55152/auth-callback#x",
        "http://ada@127.0.0.1:55152/auth-callback",
        "http://127.0.0.1.evil.example/auth-callback",
        "javascript:alert(1)",
        "http://127.0.0.1:1;script-src-elem 'unsafe-inline'/auth-callback",
        "http://127.0.0.1:0/auth-callback",
        "http://127.0.0.1:99999/auth-callback",
    ],
)
def test_no_code_goes_to_another_address(occ, ada, uri):
    browser = Browser()
    browser.force_login(ada)
    response = browser.get("/oauth/authorize", occ.question(redirect_uri=uri))
    assert response.status_code == 400 and b"cannot go on" in response.content


def test_the_port_of_this_machine_is_free(occ, ada):
    browser = Browser()
    browser.force_login(ada)
    for port in (1, 40000, 65535):
        uri = f"http://127.0.0.1:{port}/auth-callback"
        assert browser.get("/oauth/authorize", occ.question(redirect_uri=uri))["Location"].startswith(uri + "?code=")


@pytest.mark.parametrize("sort", ["token", "id_token", "id_token token", "code token", "code id_token", "none"])
def test_there_is_no_implicit_and_no_hybrid_grant(occ, ada, sort):
    browser = Browser()
    browser.force_login(ada)
    answer = answer_of(browser.get("/oauth/authorize", occ.question(response_type=sort)))
    assert answer["error"] in ("unsupported_response_type", "unauthorized_client") and "access_token" not in answer


def test_there_is_no_password_grant(occ, ada):
    reply = occ.ask(grant_type="password", username="ada", password=PASSWORD)
    assert (reply.status_code, reply.json()["error"]) == (400, "unsupported_grant_type")


def test_a_program_of_strangers_needs_consent(editor, ada):
    browser = Browser()
    browser.force_login(ada)
    page = browser.get(editor.authorize_path)
    assert page.status_code == 200 and b"Let An editor act for you?" in page.content
    form = {key: value for key, value in page.context["form"].initial.items() if value}
    refused = answer_of(browser.post("/oauth/authorize", form))
    assert refused["error"] == "access_denied" and refused["state"] == "a-state"
    assert "code" in answer_of(browser.post("/oauth/authorize", {**form, "allow": "true"}))


def test_a_program_does_not_decide_whether_consent_is_asked_for(editor, ada):
    editor.sign_in(ada)
    browser = Browser()
    browser.force_login(ada)
    page = browser.get("/oauth/authorize", editor.question(approval_prompt="auto"))
    assert page.status_code == 200 and b"act for you?" in page.content


def test_consent_is_no_link_that_a_stranger_can_make_a_person_follow(editor, ada):
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(ada)
    form = {**editor.question(), "allow": "true"}
    assert browser.post("/oauth/authorize", form).status_code == 403


def test_the_policy_of_the_pages_lets_the_form_lead_to_the_client_and_nowhere_else(occ, editor, ada):
    anonymous, browser = Browser(), Browser()
    browser.force_login(ada)
    sign_in = anonymous.get(anonymous.get(occ.authorize_path)["Location"])
    consent = browser.get(editor.authorize_path)
    assert "form-action 'self' http://127.0.0.1:55152;" in sign_in["Content-Security-Policy"]
    assert "form-action 'self' http://127.0.0.1:41999;" in consent["Content-Security-Policy"]
    for page in (sign_in, consent):
        assert "script" not in page.content.decode() and page["X-Frame-Options"] == "DENY"
        assert "no-store" in page["Cache-Control"]
    for uri in ("https://evil.example/", "http://127.0.0.1:1;script-src-elem */auth-callback"):
        asked = quote(f"/oauth/authorize?client_id=openchoreo-cli&redirect_uri={quote(uri)}")
        policy = anonymous.get(f"/oauth/sign-in?next={asked}")["Content-Security-Policy"]
        assert "form-action 'self';" in policy and "script-src-elem" not in policy


def test_sign_in_never_leads_to_another_site(ada):
    browser = Browser()
    form = {"username": "ada", "password": PASSWORD, "next": "https://evil.example/"}
    assert browser.post("/oauth/sign-in", form)["Location"] == "/oauth/device"


@pytest.mark.parametrize(
    ("field", "value"), [("is_active", False), ("principal_kind", "service_account"), ("expires_at", timezone.now())]
)
def test_only_active_people_sign_in(ada, field, value):
    setattr(ada, field, value)
    ada.save()
    browser = Browser()
    page = browser.post("/oauth/sign-in", {"username": "ada", "password": PASSWORD})
    assert page.status_code == 200 and b'role="alert"' in page.content
    assert browser.get("/oauth/device").status_code == 302  # to the sign-in page


def test_who_becomes_inactive_in_a_session_signs_no_program_in(occ, ada):
    browser = Browser()
    browser.force_login(ada)
    ada.expires_at = timezone.now()
    ada.save()
    assert browser.get(occ.authorize_path)["Location"].startswith("/oauth/sign-in")


def test_after_too_many_wrong_passwords_the_right_one_does_not_help(ada):
    browser = Browser()
    for _ in range(10):
        browser.post("/oauth/sign-in", {"username": "ada", "password": "wrong"})
    reply = browser.post("/oauth/sign-in", {"username": "ada", "password": PASSWORD})
    assert reply.status_code == 429 and int(reply["Retry-After"]) == 900


def test_a_token_for_the_mcp_endpoint_is_not_for_the_rest_api(editor, ada):
    browser = Browser()
    browser.force_login(ada)
    question = editor.question(resource=f"{HOME}/mcp")
    page = browser.get("/oauth/authorize", question)
    form = {key: value for key, value in page.context["form"].initial.items() if value}
    code = answer_of(browser.post("/oauth/authorize", {**form, "allow": "true"}))["code"]
    token = editor.redeem(code, resource=f"{HOME}/mcp").json()["access_token"]
    assert claims_of(token)["aud"] == f"{HOME}/mcp"
    assert visit(PROFILE, token).status_code == 401


def test_no_token_is_given_for_somebody_elses_resource(robot_program):
    reply = robot_program.ask(grant_type="client_credentials", resource="https://other.example/")
    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_target")


def test_parameters_of_a_request_cannot_lengthen_or_turn_a_token(robot_program, agent):
    before = time.time()
    reply = robot_program.ask(
        grant_type="client_credentials", seconds_left="99999999", expires_in="99999999", actor="ada", user="ada"
    )
    said = claims_of(reply.json()["access_token"])
    assert said["sub"] == "ci-robot" and "act" not in said and said["exp"] < before + 3700


def test_confidential_web_clients_need_their_secret_and_pkce(ada):
    client, secret = clients.web_client("backstage", "Backstage", ["https://backstage.example/api/auth/handler"])
    program = Program(client, secret, redirect_uri="https://backstage.example/api/auth/handler")
    browser = Browser()
    browser.force_login(ada)
    page = browser.get(program.authorize_path)
    form = {key: value for key, value in page.context["form"].initial.items() if value}
    code = answer_of(browser.post("/oauth/authorize", {**form, "allow": "true"}))["code"]
    without = Program(client, redirect_uri=program.redirect_uri, verifier=program.verifier)
    assert without.redeem(code).status_code == 401
    assert program.redeem(code).status_code == 200


def test_clients_that_could_not_work_are_refused_when_they_are_made(ada, robot):
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError, match="use https"):
        clients.public_client("a", "", ["http://example.org/callback"])
    with pytest.raises(ValidationError, match="never as a person"):
        clients.machine_client("b", "", ada)
    with pytest.raises(ValidationError, match="redirect_uris"):
        clients.public_client("c", "", [])
    assert Client.objects.filter(client_id__in="abc").count() == 0


def test_occ_calls_back_at_a_fixed_port(occ):
    assert occ.client.redirect_uri_allowed(OCC_CALLBACK)
