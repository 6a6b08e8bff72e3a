"""The documents that programs read first, against what OpenChoreo's own server answered."""

from __future__ import annotations

import json

import pytest
from django.test import Client as Browser
from django.urls import get_resolver

from portal.accounts.issuer import clients
from portal.accounts.issuer.discovery import challenged
from tests.portal.accounts.issuer.conftest import HOME

pytestmark = pytest.mark.django_db
METADATA = "/.well-known/oauth-protected-resource"


@pytest.fixture
def recorded(conformance):
    """The recorded exchanges of a path, in order."""
    lines = (conformance / "live" / "rest.jsonl").read_text().splitlines()
    exchanges = [json.loads(line) for line in lines]
    return lambda path: [item for item in exchanges if item["path"] == path and "status" in item]


@pytest.fixture
def as_recorded(settings):
    """The recorded server's settings: an identity provider beside it."""
    settings.OIDC_ISSUER, settings.BUILT_IN_ISSUER = "http://127.0.0.1:28090", False
    settings.PUBLIC_URL = "http://127.0.0.1:28080"
    return settings


@pytest.mark.parametrize("security", ["on", "off"])
def test_the_protected_resource_is_as_recorded(recorded, as_recorded, security):
    as_recorded.SECURITY_ENABLED = security == "on"
    (exchange,) = [item for item in recorded(METADATA) if item["security"] == security]
    reply = Browser().get(METADATA)
    assert reply.status_code == exchange["status"]
    assert reply.content.decode() == exchange["response"]
    assert {name: reply[name] for name in exchange["headers"]} == exchange["headers"]


def test_the_challenge_of_the_mcp_endpoint_is_as_recorded(recorded, as_recorded):
    seen = 0
    for exchange in recorded("/mcp"):
        if exchange["status"] != 401:
            continue
        said = json.loads(exchange["response"])
        reply = challenged(said["error"], said["message"])
        assert (reply.status_code, reply.content.decode()) == (401, exchange["response"])
        assert {name: reply[name] for name in exchange["headers"]} == exchange["headers"]
        seen += 1
    assert seen >= 2


def test_the_rest_api_has_no_challenge_by_contract():
    reply = Browser().get("/api/v1/namespaces")
    assert reply.status_code == 401 and "WWW-Authenticate" not in reply
    assert reply.json() == {"error": "MISSING_TOKEN", "message": "missing or invalid authentication token"}


@pytest.mark.parametrize("security", [True, False])
def test_what_occ_needs_is_there_with_security_on_and_off(settings, security):
    settings.SECURITY_ENABLED = security
    resource = Browser().get(METADATA).json()
    assert resource["openchoreo_security_enabled"] is security
    assert [client["name"] for client in resource["openchoreo_clients"]] == ["cli"]
    (issuer,) = resource["authorization_servers"]
    provider = Browser().get(issuer.removeprefix(HOME) + "/.well-known/openid-configuration").json()
    assert provider["authorization_endpoint"] and provider["token_endpoint"] and provider["issuer"] == issuer


def test_every_endpoint_that_is_named_exists(db):
    document = Browser().get("/.well-known/openid-configuration").json()
    named = [value for name, value in document.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(named) == 7
    for url in named:
        get_resolver().resolve(url.removeprefix(HOME))


def test_the_same_document_stands_where_oauth_looks_for_it(db):
    documents = [
        Browser().get(f"/.well-known/{name}").json() for name in ("openid-configuration", "oauth-authorization-server")
    ]
    assert documents[0] == documents[1]
    assert Browser().get(f"{METADATA}/mcp").json() == Browser().get(METADATA).json()


def test_nothing_is_named_that_is_not_offered(db):
    document = Browser().get("/.well-known/openid-configuration").json()
    assert document["response_types_supported"] == ["code"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert not {"implicit", "password"} & set(document["grant_types_supported"])


def test_clients_are_listed_by_the_name_that_programs_look_for(occ):
    clients.public_client("portal", "Portal", ["https://portal.example/"], advertised_as="backstage")
    listed = Browser().get(METADATA).json()["openchoreo_clients"]
    assert [(client["name"], client["client_id"]) for client in listed] == [
        ("backstage", "portal"),
        ("cli", "openchoreo-cli"),
    ]


def test_an_outside_issuer_comes_first_and_our_documents_lead_to_it(settings):
    settings.OIDC_ISSUER = "https://login.example"
    assert Browser().get(METADATA).json()["authorization_servers"] == ["https://login.example", HOME]
    settings.BUILT_IN_ISSUER = False
    assert Browser().get(METADATA).json()["authorization_servers"] == ["https://login.example"]
    reply = Browser().get("/.well-known/openid-configuration")
    assert (reply.status_code, reply["Location"]) == (
        302,
        "https://login.example/.well-known/openid-configuration",
    )


def test_the_clients_of_an_outside_issuer_are_a_setting(settings):
    settings.OIDC_ISSUER, settings.OIDC_CLIENTS = "https://login.example", ["cli=0oa1b2", "backstage=0oa3"]
    listed = Browser().get(METADATA).json()["openchoreo_clients"]
    assert [(client["name"], client["client_id"]) for client in listed] == [("backstage", "0oa3"), ("cli", "0oa1b2")]


def test_userinfo_tells_a_program_who_signed_in(editor, ada):
    token = editor.sign_in(ada)["access_token"]
    said = Browser().get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"}).json()
    assert said == {
        "sub": "ada",
        "groups": ["shop-team"],
        "preferred_username": "ada",
        "name": "Ada",
        "email": "ada@example.org",
        "email_verified": False,
    }
    refused = Browser().get("/oauth/userinfo")
    assert refused.status_code == 401 and refused["WWW-Authenticate"].startswith("Bearer")
