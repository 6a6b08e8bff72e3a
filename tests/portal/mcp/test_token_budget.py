"""The budget of contract mode: its lists are no dearer than upstream's, and nothing rises by more than a twentieth over
the checked-in table. To write the table anew: `TOKENS=write pytest tests/portal/mcp/test_token_budget.py`.

The tasks are those of compact mode, told in the shortest correct chain of the contract's tools. One of the twelve no
tool of the contract can answer: what was changed, and by whom.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from catalog.controllers import runtime
from portal.accounts.models import User
from tests.portal.mcp.client import McpClient, client_of
from tests.portal.mcp.thousand import Facts, populate
from tests.portal.mcp.tokens import ENCODINGS, tokens_of
from tests.workflows.compact.test_token_budget import keep_logs, rises
from tests.workflows.compact.twelve import ERRORS
from tests.workflows.observer.adapter_server import running

pytestmark = pytest.mark.django_db
TABLE = Path(__file__).with_name("token_table.json")
UPSTREAM = {"all": 20_807, "developer": 9_932}
"""Tokens (o200k) of the lists of the contract's own server: all 130 tools, and the six toolsets for developers."""
TOOLSETS = {"all": "", "developer": "toolsets=namespace,project,component,deployment,build,resource"}
HERE = {"namespace_name": "default"}


def list_costs(client: McpClient) -> dict[str, Any]:
    found = {}
    for name, query in TOOLSETS.items():
        client.query = query
        found[name] = dict(tokens_of(client.result("tools/list")["tools"]))
    client.query = ""
    return found


def test_the_lists_are_no_dearer_than_upstreams(mcp: McpClient) -> None:
    found = list_costs(mcp)
    for name, most in UPSTREAM.items():
        assert found[name]["o200k"] <= most, (name, found[name])


class Told:
    """Calls tools one after the other and keeps what was sent and what came back."""

    def __init__(self, clients: dict[str, McpClient]) -> None:
        self.clients = clients
        self.sent: list[Any] = []
        self.texts: list[str] = []

    def call(self, tool: str, /, **arguments: Any) -> Any:
        client = self.clients["observer" if tool.startswith("query_") else "control plane"]
        answer = client.attempt(tool, **arguments)["result"]
        assert not answer.get("isError"), (tool, answer)
        self.sent.append({"name": tool, "arguments": arguments})
        self.texts.append(answer["content"][0]["text"])
        runtime.drain()
        return answer["structuredContent"]


def ask(number: int, told: Told, facts: Facts) -> tuple[str, ...]:
    """Tell one task; the facts that its answers must hold."""
    older, newer = facts.releases
    x = facts.component

    def binding(environment: str) -> dict[str, Any]:
        return {**HERE, "binding_name": f"{x}-{environment}"}

    match number:
        case 1:
            told.call("list_projects", **HERE)
            return tuple(facts.projects)
        case 2:
            told.call("get_release_binding", **binding("production"))
            return '"status":"Ready"', older
        case 3:
            told.call("get_release_binding", **binding("staging"))
            return "RenderingFailed", "replicas"
        case 5:
            told.call("update_release_binding", **binding("development"), release_name=older)
            told.call("get_release_binding", **binding("development"))
            return f'"releaseName":"{older}"', '"state":"Active"'
        case 6:
            told.call("get_release_binding", **binding("staging"))
            told.call("update_release_binding", **binding("production"), release_name=newer)
            told.call("get_release_binding", **binding("production"))
            return (f'"releaseName":"{newer}"',)
        case 7:
            told.call("get_release_binding", **binding("production"))
            told.call("list_component_releases", **HERE, component_name=x)
            told.call("update_release_binding", **binding("production"), release_name=older)
            return newer, older, "patched"
        case 8:
            told.call("get_release_binding", **binding("staging"))
            told.call("get_release_binding", **binding("production"))
            told.call("get_component_release", **HERE, release_name=older)
            told.call("get_component_release", **HERE, release_name=newer)
            return newer, older, f"{x}:1", f"{x}:2", "LOG_LEVEL", "replicas"
        case 9:
            told.call("get_release_binding", **binding("staging"))
            env = {"container": {"env": [{"key": "FEATURE", "value": "on"}]}}
            told.call("update_release_binding", **binding("staging"), workload_overrides=env)
            told.call("get_release_binding", **binding("staging"))
            return "FEATURE", '"state":"Active"'
        case 10:
            now = datetime.now(UTC).replace(microsecond=0)
            times = {"start_time": (now - timedelta(days=1)).isoformat(), "end_time": now.isoformat()}
            place = {"namespace": "default", "project": facts.project, "component": x, "environment": "production"}
            told.call("query_component_logs", **place, **times, log_levels=["ERROR"], limit=3)
            return ERRORS
        case 11:
            for scope in ({"scope": "cluster"}, HERE):
                told.call("list_authz_roles", **scope)
                for item in told.call("list_authz_role_bindings", **scope).get("cluster_authz_role_bindings", ()):
                    told.call("get_authz_role_binding", **scope, name=item["name"])
            return "releasebinding:update", "developers", "sres", "platform-engineers", "admins"
        case 12:
            kind = {"type_name": "postgres", "type_kind": "ClusterResourceType"}
            told.call("create_resource", **HERE, project_name=facts.project, name="orders", **kind)
            release = told.call("get_resource", **HERE, name="orders")["latestRelease"]["name"]
            told.call(
                "create_resource_release_binding", **HERE, name="orders-development", project_name=facts.project,
                resource_name="orders", environment="development", resource_release=release,
            )  # fmt: skip
            told.call("get_resource_release_binding", **HERE, name="orders-development")
            return "orders", '"outputs":', '"name":"host"'
    raise LookupError(number)


TASKS = (1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12)


def test_lists_and_answers_cost_no_more_than_the_table_says(db: None, settings: Any) -> None:
    facts = populate()
    root = User.objects.create_superuser("root")
    clients = {"control plane": client_of(root), "observer": client_of(root, path="/observer/mcp")}
    measured: dict[str, Any] = {"lists": list_costs(clients["control plane"]), "tasks": {}}
    with running() as server:
        settings.LOGS_ADAPTER_URL = server.url
        keep_logs(server, facts)
        for number in TASKS:
            told = Told(clients)
            holds = ask(number, told, facts)
            answer = "\n".join(told.texts)
            missing = [fact for fact in holds if fact not in answer]
            assert not missing, f"task {number}: {missing} is not in\n{answer[:3000]}"
            sums = {name: sum(tokens_of(text)[name] for text in told.texts) for name in ENCODINGS}
            measured["tasks"][str(number)] = {"arguments": dict(tokens_of(told.sent)), "answers": sums}
    if os.environ.get("TOKENS") == "write":
        TABLE.write_bytes(orjson.dumps(measured, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    risen = rises(orjson.loads(TABLE.read_bytes()), measured)
    assert not risen, f"dearer by more than 5 % than {TABLE.name} says: {risen}; if that is meant, write the table anew"
