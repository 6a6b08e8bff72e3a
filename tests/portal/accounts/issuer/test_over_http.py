"""The issuer as programs meet it: a real server, real cookies, a client library's own checks of tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
import requests

from tests.portal.accounts.issuer.conftest import challenge_of
from tests.real.server import Server

MAKE_PEOPLE = """
from portal.accounts.models import User
from portal.accounts.issuer import clients
ada = User.objects.create_superuser("ada", password="correct horse battery")
User.objects.create(username="helper", principal_kind="agent", owner=ada)
clients.known_clients()
clients.public_client("editor", "", ["http://127.0.0.1/callback"], skip_authorization=True)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("issuer"), before=(("shell", "-c", MAKE_PEOPLE),)) as server:
        yield server


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]* value="([^"]*)"', page)
    assert found, page
    return unescape(found[1])


def sign_in(server: Server, browser: requests.Session, path: str) -> requests.Response:
    """Follow the way through the sign-in page; the last reply before the program's own address."""
    page = browser.get(server.url + path)
    form = {
        "csrfmiddlewaretoken": hidden(page.text, "csrfmiddlewaretoken"),
        "next": hidden(page.text, "next"),
        "username": "ada",
        "password": "correct horse battery",
    }
    reply = browser.post(page.url, form, headers={"Origin": server.url}, allow_redirects=False)
    return browser.get(server.url + reply.headers["Location"], allow_redirects=False)


def test_occ_signs_a_person_in(server):
    """As occ does: two documents, a browser, a code, a token, the API."""
    resource = requests.get(f"{server.url}/.well-known/oauth-protected-resource", timeout=30).json()
    (issuer,) = resource["authorization_servers"]
    (cli,) = resource["openchoreo_clients"]
    provider = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=30).json()
    verifier, callback = "v" * 43, "http://127.0.0.1:55152/auth-callback"
    question = {
        "client_id": cli["client_id"],
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
        "redirect_uri": callback,
        "response_type": "code",
        "scope": " ".join(cli["scopes"]),
        "state": "s",
    }
    browser = requests.Session()
    prepared = requests.Request("GET", provider["authorization_endpoint"], params=question).prepare()
    reply = sign_in(server, browser, prepared.path_url)
    assert reply.status_code == 302 and reply.headers["Location"].startswith(callback)
    answer = parse_qs(urlsplit(reply.headers["Location"]).query)
    assert answer["state"] == ["s"] and answer["iss"] == [issuer]
    form = {
        "grant_type": "authorization_code",
        "client_id": cli["client_id"],
        "code": answer["code"][0],
        "redirect_uri": callback,
        "code_verifier": verifier,
    }
    token = requests.post(provider["token_endpoint"], form, timeout=30).json()["access_token"]
    key = jwt.PyJWKClient(provider["jwks_uri"]).get_signing_key_from_jwt(token)
    assert jwt.decode(token, key, ["RS256"], audience=server.url, issuer=issuer)["sub"] == "ada"
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{server.url}/api/v1/namespaces", headers=headers, timeout=30).status_code == 200


def test_a_program_signs_in_by_itself_and_its_token_ends_at_once(server):
    out = server.manage("oauth_client", "add", "helper-client", "--account", "helper")
    form = {
        "grant_type": "client_credentials",
        "client_id": "helper-client",
        "client_secret": re.search(r"stgc_[\w-]+", out)[0],
    }
    token = requests.post(f"{server.url}/oauth/token", form, timeout=30).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{server.url}/api/v1/authz/profile", headers=headers, timeout=30).status_code == 200
    server.manage("oauth_client", "disable", "helper-client")
    refused = requests.get(f"{server.url}/api/v1/authz/profile", headers=headers, timeout=30)
    assert refused.json() == {"error": "INVALID_TOKEN", "message": "invalid or expired token"}


def test_a_key_that_was_rotated_elsewhere_is_known_to_the_running_server(server):
    before = requests.get(f"{server.url}/oauth/jwks", timeout=30).json()["keys"]
    server.manage("rotate_signing_key")
    after = requests.get(f"{server.url}/oauth/jwks", timeout=30).json()["keys"]
    assert {key["kid"] for key in before} < {key["kid"] for key in after}


def test_of_requests_at_the_same_time_one_gets_the_token(server):
    """A code and a refresh token are good once, also for two processes or threads that look at the same moment."""
    assert [reply.status_code for reply in at_once(server, form_with_a_code(server))].count(200) == 1
    # Another code: whoever came too late with the first one has ended what came of it.
    won = requests.post(f"{server.url}/oauth/token", form_with_a_code(server), timeout=60)
    again = {"grant_type": "refresh_token", "client_id": "editor", "refresh_token": won.json()["refresh_token"]}
    replies = at_once(server, again)
    assert [reply.json()["error"] for reply in replies if reply.status_code != 200] == ["invalid_grant"] * 3


def form_with_a_code(server: Server) -> dict[str, str]:
    """What redeems the code of a person who has just signed in."""
    verifier, callback = "w" * 43, "http://127.0.0.1:41999/callback"
    question = {
        "client_id": "editor",
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
        "redirect_uri": callback,
        "response_type": "code",
        "scope": "openid",
    }
    prepared = requests.Request("GET", f"{server.url}/oauth/authorize", params=question).prepare()
    reply = sign_in(server, requests.Session(), prepared.path_url)
    return {
        "grant_type": "authorization_code",
        "client_id": "editor",
        "code": parse_qs(urlsplit(reply.headers["Location"]).query)["code"][0],
        "redirect_uri": callback,
        "code_verifier": verifier,
    }


def at_once(server: Server, form: dict[str, str]) -> list[requests.Response]:
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda _: requests.post(f"{server.url}/oauth/token", form, timeout=60), range(4)))


def test_a_device_is_signed_in(server):
    codes = requests.post(
        f"{server.url}/oauth/device_authorization", {"client_id": "openchoreo-cli"}, timeout=30
    ).json()
    browser = requests.Session()
    page = sign_in(server, browser, codes["verification_uri_complete"].removeprefix(server.url))
    assert page.status_code == 200 and codes["user_code"] in page.text
    form = {
        "csrfmiddlewaretoken": hidden(page.text, "csrfmiddlewaretoken"),
        "user_code": codes["user_code"],
        "decision": "allow",
    }
    assert "is signed in as ada" in browser.post(f"{server.url}/oauth/device", form).text
    asked = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "client_id": "openchoreo-cli",
        "device_code": codes["device_code"],
    }
    assert requests.post(f"{server.url}/oauth/token", asked, timeout=30).json()["token_type"] == "Bearer"
