"""Tokens that are for the MCP endpoint alone: good there, and nowhere else."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from portal.accounts.issuer import clients
from tests.portal.accounts.issuer.conftest import HOME, Program, ada, answer_of, keys_of_this_test  # noqa: F401
from tests.portal.mcp.client import McpClient

pytestmark = pytest.mark.django_db


def token_for(user, resource):
    callback = "http://127.0.0.1/callback"
    client = clients.public_client("editor", "Editor", [callback], skip_authorization=True)
    program, browser = Program(client, redirect_uri=callback), Browser()
    browser.force_login(user)
    question = {**program.question(), "resource": resource}
    code = answer_of(browser.get("/oauth/authorize", question))["code"]
    return program.redeem(code, resource=resource).json()["access_token"]


def test_a_token_for_the_endpoint_is_good_there_and_not_for_rest(ada):  # noqa: F811
    client = McpClient(token_for(ada, f"{HOME}/mcp"))
    assert client.result("ping") == {}
    refused = client.client.get("/api/v1/namespaces", headers={"Authorization": f"Bearer {client.token}"})
    assert refused.status_code == 401


def test_a_token_for_the_whole_api_is_good_for_both(ada):  # noqa: F811
    client = McpClient(token_for(ada, HOME))
    assert client.result("ping") == {}
    headers = {"Authorization": f"Bearer {client.token}"}
    assert client.client.get("/api/v1/namespaces", headers=headers).status_code == 200


def test_a_token_for_another_endpoint_is_refused(ada):  # noqa: F811
    client = McpClient(token_for(ada, f"{HOME}/observer/mcp"))
    reply = client.post({"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert (reply.status_code, reply.json()["error"]) == (401, "INVALID_CLAIMS")
