"""Clients that others have written tell the whole story over HTTP: every tool, by every way of signing in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from portal.mcp.registry import TOOLS
from tests.conftest import missing
from tests.portal.mcp.story import Step, looking_around, story
from tests.real.mcp_clients import environments
from tests.real.mcp_clients.signing_in import token_by_browser, token_of_program
from tests.real.server import Server
from tests.real.services import Unavailable

CALLBACK = "http://127.0.0.1:41777/callback"
PASSWORD = "correct horse battery"
PREPARE = f"""
from tests.portal.mcp.seed import apply, seed
from portal.accounts.issuer import clients
from portal.accounts.models import User, issue_token
seed()
ada = User.objects.create_superuser("ada", password="{PASSWORD}")
User.objects.create(username="pipeline", principal_kind="service_account")
mapping = {{"roleRef": {{"kind": "ClusterAuthzRole", "name": "admin"}}}}
entitlement = {{"claim": "sub", "value": "pipeline"}}
apply("ClusterAuthzRoleBinding", "pipeline", {{"entitlement": entitlement, "roleMappings": [mapping]}}, "")
clients.public_client("editor", "Editor", ["{CALLBACK}"], skip_authorization=True)
print("token:", issue_token(ada, "clients"))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("mcp")) as server:
        yield server


@pytest.fixture(scope="module")
def ways(server: Server) -> dict[str, dict[str, str]]:
    """How to sign in: by a token of ours, as a person with a browser (PKCE), as a program with a secret."""
    prepared = server.manage("shell", "-c", PREPARE)
    program = server.manage("oauth_client", "add", "pipeline-client", "--account", "pipeline")
    secret = re.search(r"stgc_[\w-]+", program)
    token = re.search(r"stg_[\w-]+", prepared)
    assert secret and token
    return {
        "token": {"token": token[0]},
        "pkce": {"client_id": "editor", "redirect_uri": CALLBACK, "username": "ada", "password": PASSWORD},
        "client_credentials": {"client_id": "pipeline-client", "client_secret": secret[0]},
    }


WAYS = {"python-1": "pkce", "python-2": "token", "typescript": "client_credentials"}
"""How each client signs in to tell the whole story; the other ways tell the part that reads, and the soak all."""
OTHERS = [(client, way) for client in WAYS for way in WAYS.values() if way != WAYS[client]]


@pytest.mark.real("mcp-clients")
@pytest.mark.parametrize(("client", "way"), WAYS.items())
def test_a_client_calls_every_tool(server: Server, ways: dict[str, dict[str, str]], client: str, way: str) -> None:
    steps = story(f"{client}-{way[0]}")
    check(server, ways, client, way, steps)
    assert {step.tool for step in steps} == set(TOOLS.tools)


@pytest.mark.real("mcp-clients")
@pytest.mark.parametrize(("client", "way"), OTHERS)
def test_a_client_signs_in_the_other_ways_too(
    server: Server, ways: dict[str, dict[str, str]], client: str, way: str
) -> None:
    check(server, ways, client, way, [Step(*step) for step in looking_around()])


@pytest.mark.soak
@pytest.mark.real("mcp-clients")
@pytest.mark.parametrize(("client", "way"), OTHERS)
def test_a_client_calls_every_tool_the_other_ways_too(
    server: Server, ways: dict[str, dict[str, str]], client: str, way: str
) -> None:
    check(server, ways, client, way, story(f"{client}-{way[0]}"))


WEB = {"namespace": "default", "component": "web", "environment": "development"}
ELSEWHERE: dict[str, tuple[tuple[str, dict[str, Any], str], ...]] = {
    "/mcp/compact": (
        ("list", {"kind": "component", "namespace": "default", "project": "default"}, "\nweb | "),
        ("status", WEB, "component: web"),
        ("get", {"kind": "component", "namespace": "default", "name": "web", "format": "json"}, ""),
        ("wait", {**WEB, "timeout": 1}, "result: "),
        ("list", {"kind": "colour", "namespace": "default"}, "is not one of"),
    ),
    "/observer/mcp": (
        ("query_alerts", {"namespace": "default", "start_time": "2026-05-01T00:00:00Z",
                          "end_time": "2026-05-02T00:00:00Z"}, '"alerts":[]'),
        ("query_alerts", {"namespace": "default", "start_time": "noon", "end_time": "night"}, "RFC3339"),
    ),
}  # fmt: skip
"""Calls at the other endpoints, each with a part of what is said."""


@pytest.mark.real("mcp-clients")
@pytest.mark.parametrize("client", WAYS)
def test_a_client_gets_on_with_compact_mode_and_the_observer(
    server: Server, ways: dict[str, dict[str, str]], client: str
) -> None:
    for path, steps in ELSEWHERE.items():
        job = {"url": f"{server.url}{path}", "sign_in": {"way": "token", **ways["token"]}, "steps": steps}
        try:
            said = environments.tell(client, job)
        except Unavailable as reason:
            missing("mcp-clients", str(reason))
            return
        assert said["instructions"] and said["prompts"] == 0
        for (tool, _, part), result in zip(steps, said["results"], strict=True):
            assert part in (result.get("error") or result["text"]), (path, tool, result)
        if path == "/mcp/compact":
            assert said["results"][2]["structured"]["name"] == "web"
            assert len(said["tools"]) <= 24


def check(server: Server, ways: dict[str, dict[str, str]], client: str, way: str, steps: list[Step]) -> None:
    """Let a client do these steps; each must succeed, or be refused with its words."""
    job = {"url": f"{server.url}/mcp", "sign_in": signed_in(server, client, way, ways[way]), "steps": steps}
    try:
        said = environments.tell(client, job)
    except Unavailable as reason:
        missing("mcp-clients", str(reason))
        return
    assert said["protocol"] in ("2025-06-18", "2025-11-25")
    assert said["instructions"] and said["prompts"] == 5
    assert len(said["tools"]) == len(TOOLS)
    problems = []
    for step, result in zip(steps, said["results"], strict=True):
        error = result.get("error", "")
        if (step.refused not in error.lower() or not error) if step.refused else error:
            problems.append(f"{step.tool} {step.arguments}: {error or result}")
    assert not problems, "\n".join(problems)


def signed_in(server: Server, client: str, way: str, known: dict[str, str]) -> dict[str, Any]:
    """The sign-in for a client: the SDK's own where it has one for programs, else a token got by the same flow."""
    if way == "token" or client == "python-1" or (client == "typescript" and way == "client_credentials"):
        return {"way": way, **known}
    token = token_by_browser(server, known) if way == "pkce" else token_of_program(server, known)
    return {"way": "token", "token": token}
