"""The budget of compact mode: what its list and its answers to the twelve tasks cost, against limits and against the
checked-in table. To write the table anew: `TOKENS=write pytest tests/workflows/compact/test_token_budget.py`.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from catalog import store
from catalog.controllers import runtime
from portal.accounts.models import User
from tests.catalog.access.conftest import person
from tests.portal.mcp.client import McpClient, client_of
from tests.portal.mcp.thousand import Facts, populate
from tests.portal.mcp.tokens import ENCODINGS, tokens_of
from tests.workflows.compact.twelve import ERRORS, tasks
from tests.workflows.observer.adapter_server import running

pytestmark = pytest.mark.django_db
TABLE = Path(__file__).with_name("token_table.json")
MOST_FOR_ALL, MOST_FOR_DEVELOPER, MOST_OF_AN_ANSWER = 6000, 3500, 800
RISE, SLACK = 1.05, 3
"""Hashes and times cost a token more or less."""
ROLES = {"developer": "developers", "platform-engineer": "platform-engineers", "sre": "sres"}

Costs = dict[str, Any]


@pytest.fixture
def facts(db: None) -> Facts:
    return populate()


@pytest.fixture
def callers(facts: Facts) -> dict[str, McpClient]:
    """A client for each role that ships, and one that may do everything."""
    found = {name: client_of(person(f"{name}-1", group), path="/mcp/compact") for name, group in ROLES.items()}
    return {**found, "admin": client_of(User.objects.create_superuser("root"), path="/mcp/compact")}


def list_costs(callers: dict[str, McpClient]) -> Costs:
    """What the list of tools costs each caller."""
    return {name: tokens_of(client.result("tools/list")["tools"]) for name, client in callers.items()}


def task_costs(facts: Facts, callers: dict[str, McpClient]) -> Costs:
    """What each task costs: the arguments and the answers of its chain. Fails if an answer lacks a fact."""
    found: Costs = {}
    for task in tasks(facts):
        texts, sent = [], []
        for tool, arguments in task.calls:
            result = callers[task.who].attempt(tool, **arguments)["result"]
            assert not result.get("isError"), (task.question, result)
            texts.append("\n".join(part["text"] for part in result["content"]))
            sent.append({"name": tool, "arguments": arguments})
            runtime.drain()
        answer = "\n".join(texts)
        missing = [fact for fact in task.holds if fact not in answer]
        assert not missing, f"{task.number}. {task.question}: {missing} is not in\n{answer}"
        found[str(task.number)] = {
            "question": task.question,
            "arguments": tokens_of(sent),
            "answers": [tokens_of(text) for text in texts],
        }
    return found


def keep_logs(server: Any, facts: Facts) -> None:
    """Errors of the component in production, and much else."""
    component, environment = (
        store.get(*key) for key in (("Component", "default", facts.component), ("Environment", "default", "production"))
    )
    project = store.get("Project", "default", facts.project)
    about = {
        "namespaceName": "default",
        "componentUid": str(component.uid),
        "projectUid": str(project.uid),
        "environmentUid": str(environment.uid),
        "podName": f"{facts.component}-5d8f7c9b6-x2x7p",
    }
    now = datetime.now(UTC)
    lines = [("ERROR", text) for text in ERRORS] + [("INFO", f"request {number} served") for number in range(500)]
    server.logs = [
        {"timestamp": (now - timedelta(seconds=number + 1)).isoformat(), "level": level, "log": text, "metadata": about}
        for number, (level, text) in enumerate(lines)
    ]


def test_lists_and_answers_keep_to_their_budget(facts: Facts, callers: dict[str, McpClient], settings: Any) -> None:
    with running() as server:
        settings.LOGS_ADAPTER_URL = server.url
        keep_logs(server, facts)
        measured = {"lists": list_costs(callers), "tasks": task_costs(facts, callers)}
    for encoding in ENCODINGS:
        assert measured["lists"]["admin"][encoding] <= MOST_FOR_ALL
        assert measured["lists"]["developer"][encoding] <= MOST_FOR_DEVELOPER
        answers = sorted(answer[encoding] for task in measured["tasks"].values() for answer in task["answers"])
        assert percentile(answers, 95) <= MOST_OF_AN_ANSWER
    if os.environ.get("TOKENS") == "write":
        TABLE.write_bytes(orjson.dumps(measured, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    risen = list(rises(orjson.loads(TABLE.read_bytes()), measured))
    assert not risen, f"dearer by more than 5 % than {TABLE.name} says: {risen}; if that is meant, write the table anew"


def percentile(values: list[int], share: int) -> int:
    """The smallest value that so many of a hundred do not exceed."""
    return values[min(len(values) - 1, -(-len(values) * share // 100) - 1)]


def rises(held: Any, measured: Any, path: str = "") -> list[str]:
    """Where a number has grown by more than a twentieth, or is not in the table."""
    if isinstance(measured, dict):
        return [
            line
            for key, value in measured.items()
            for line in rises(held.get(key) if isinstance(held, dict) else None, value, f"{path}/{key}")
        ]
    if isinstance(measured, list):
        return [
            line
            for number, value in enumerate(measured)
            for line in rises(
                held[number] if isinstance(held, list) and number < len(held) else None, value, f"{path}/{number}"
            )
        ]
    if isinstance(measured, int):
        return (
            []
            if isinstance(held, int) and measured <= max(held * RISE, held + SLACK)
            else [f"{path}: {held} → {measured}"]
        )
    return []
