"""Tokens got as any program gets them: a person at a browser with PKCE, or a program with its secret."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import requests

from tests.portal.accounts.issuer.conftest import challenge_of
from tests.portal.accounts.issuer.test_over_http import sign_in
from tests.real.server import Server


def token_by_browser(server: Server, known: dict[str, str]) -> str:
    """Authorization code with PKCE; the person signs in on the issuer's page (`ada`, as `known` says)."""
    verifier = "m" * 43
    question = {
        "client_id": known["client_id"],
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
        "redirect_uri": known["redirect_uri"],
        "response_type": "code",
        "scope": "openid",
        "resource": f"{server.url}/mcp",
    }
    prepared = requests.Request("GET", f"{server.url}/oauth/authorize", params=question).prepare()
    reply = sign_in(server, requests.Session(), prepared.path_url)
    form = {
        "grant_type": "authorization_code",
        "client_id": known["client_id"],
        "code": parse_qs(urlsplit(reply.headers["Location"]).query)["code"][0],
        "redirect_uri": known["redirect_uri"],
        "code_verifier": verifier,
        "resource": f"{server.url}/mcp",
    }
    return str(requests.post(f"{server.url}/oauth/token", form, timeout=60).json()["access_token"])


def token_of_program(server: Server, known: dict[str, str]) -> str:
    """Client credentials."""
    form = {"grant_type": "client_credentials", "resource": f"{server.url}/mcp", **known}
    return str(requests.post(f"{server.url}/oauth/token", form, timeout=60).json()["access_token"])
