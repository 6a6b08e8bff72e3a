"""Compact mode and contract mode come to the same: answers, permissions, refusals, events."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from catalog.controllers import runtime
from portal.audit.models import AuditEvent
from portal.mcp.registry import TOOLS
from tests.catalog.access.conftest import person
from tests.portal.mcp.client import McpClient, client_of
from tests.portal.mcp.seed import seed
from tests.portal.mcp.story import Step, story
from tests.workflows.compact.translation import BEHIND, compact_call
from workflows.compact.server import TOOLS as COMPACT_TOOLS
from workflows.observer.tools import TOOLS as OBSERVER_TOOLS

pytestmark = pytest.mark.django_db
COMPACT = "/mcp/compact"
OWN_WORDS = re.compile(r'"[a-z_]+"')


@pytest.fixture
def root(db: None) -> Any:
    from portal.accounts.models import User

    return User.objects.create_superuser("root")


def said(client: McpClient, tool: str, arguments: dict[str, Any]) -> tuple[str, str]:
    """How a call ended (answered, refused, or an error of the protocol), and its text."""
    answer = client.attempt(tool, **arguments)
    if "error" in answer:
        return str(answer["error"]["code"]), str(answer["error"]["message"])
    text = "".join(part["text"] for part in answer["result"]["content"])
    return ("refused" if answer["result"].get("isError") else "answered"), text


def missing_permission(text: str) -> str:
    found = re.search(r'missing permission "([^"]+)"', text)
    return found[1] if found else ""


def events_of(actor: str, since: set[Any]) -> list[tuple[str, ...]]:
    rows = AuditEvent.objects.system("test").filter(actor=actor).exclude(id__in=since).order_by("recorded_at", "id")
    return [(row.action, row.outcome, row.namespace, row.kind, row.surface, row.decision) for row in rows]


def known_events() -> set[Any]:
    return set(AuditEvent.objects.system("test").values_list("id", flat=True))


def test_every_tool_of_the_contract_is_behind_a_compact_one() -> None:
    covered = {name for tool in COMPACT_TOOLS for name in tool.covers}
    assert set(TOOLS.tools) <= covered
    assert set(OBSERVER_TOOLS.tools) <= covered
    assert len(COMPACT_TOOLS) <= 24
    for name in TOOLS.tools:
        assert name in BEHIND or compact_call(name, dict.fromkeys(TOOLS.tools[name].arguments, "x"))


def test_reads_answer_the_same(root: Any) -> None:
    seed()
    contract, compact = client_of(root), client_of(root, path=COMPACT)
    seen = 0
    for step in story("one"):
        if TOOLS.tools[step.tool].effect != "read" or step.refused or step.tool == "get_resource_tree":
            continue
        first = contract.attempt(step.tool, **step.arguments)
        tool, arguments = compact_call(step.tool, step.arguments)
        if "error" in first or first["result"].get("isError"):
            continue  # it reads what an earlier step has made
        answer = compact.attempt(tool, **arguments, format="json", max_tokens=20_000)["result"]
        content = answer["structuredContent"]
        if "json_part" in content:
            content = joined(compact, tool, arguments)
        assert without_cursor(content) == without_cursor(first["result"]["structuredContent"]), step.tool
        assert answer["content"] == []
        seen += 1
    assert seen > 50


def joined(client: McpClient, tool: str, arguments: dict[str, Any]) -> Any:
    """An answer in parts, put together."""
    text, cursor = "", {}
    while True:
        part = client.attempt(tool, **arguments, format="json", **cursor)["result"]["structuredContent"]
        text += part["json_part"]
        if "next_cursor" not in part:
            return orjson.loads(text)
        cursor = {"cursor": part["next_cursor"]}


def without_cursor(content: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key != "next_cursor"}


def test_the_same_permission_is_asked_for_and_the_same_event_is_written() -> None:
    seed()
    contract, compact = client_of(person("one")), client_of(person("two"), path=COMPACT)
    wrong = []
    for step in story("one"):
        tool, arguments = compact_call(step.tool, step.arguments)
        known = known_events()
        first, second = said(contract, step.tool, step.arguments), said(compact, tool, arguments)
        if (first[0], missing_permission(first[1])) != (second[0], missing_permission(second[1])):
            if not is_other_read(step):
                wrong.append(f"{step.tool}: {first} / {tool}: {second}")
            continue
        of_contract, of_compact = events_of("one", known), events_of("two", known)
        if step.tool.endswith(
            "_creation_schema"
        ):  # a schema has no namespace; compact mode has no other way to say scope
            of_compact = [(*event[:2], "", *event[3:]) for event in of_compact]
        if of_contract != of_compact:
            wrong.append(f"{step.tool}: {of_contract} / {of_compact}")
    assert not wrong, "\n".join(wrong)


def is_other_read(step: Step) -> bool:
    """Whether compact mode goes another way to it: by the component and its environment, not by the binding's name."""
    return step.tool in ("get_resource_tree", "get_resource_events")


def test_the_whole_story_ends_the_same_way(root: Any) -> None:
    seed()
    contract, compact = client_of(root), client_of(root, path=COMPACT)
    wrong = []
    for first, second in zip(story("one"), story("two"), strict=True):
        tool, arguments = compact_call(second.tool, second.arguments)
        known = known_events()
        ended = said(contract, first.tool, first.arguments)[0]
        of_contract = events_of("root", known)
        known = known_events()
        also, text = said(compact, tool, arguments)
        if ended != also and not is_other_read(first):
            wrong.append(f"{first.tool}: {ended} / {tool}: {also} {text}")
        elif TOOLS.tools[first.tool].effect != "read" and of_contract != events_of("root", known):
            wrong.append(f"{first.tool}: {of_contract} / {events_of('root', known)}")
        if first.tool.startswith("create_"):
            runtime.drain()
    assert not wrong, "\n".join(wrong)


def test_what_is_wrong_with_a_document_is_said_in_the_same_words(root: Any) -> None:
    seed()
    contract, compact = client_of(root), client_of(root, path=COMPACT)
    seen = 0
    for step in story("one"):
        if TOOLS.tools[step.tool].effect not in ("create", "update"):
            continue
        for name, value in (("name", "Not_A_Name"), ("spec", 7), ("spec", {"resources": "none"}), ("parameters", [])):
            if name not in TOOLS.tools[step.tool].arguments:
                continue
            changed = {**step.arguments, name: value}
            first = said(contract, step.tool, changed)
            if first[0] == "answered":
                continue
            tool, arguments = compact_call(step.tool, changed)
            second = said(compact, tool, arguments)
            assert first[0] == second[0], (step.tool, changed, first, second)
            if first[0] == "refused":
                assert first[1] == second[1], (step.tool, changed)
                seen += 1
            elif first[0] == "-32602":
                assert OWN_WORDS.sub("", first[1]) == OWN_WORDS.sub("", second[1]), (step.tool, changed)
                seen += 1
    assert seen > 30
