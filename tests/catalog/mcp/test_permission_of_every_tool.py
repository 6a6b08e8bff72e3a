"""Each tool asks for its action: refused without, carried out with exactly that one."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.controllers import runtime
from portal.audit.models import AuditEvent
from portal.mcp.registry import TOOLS, Tool
from tests.catalog.access.conftest import bind, person, role
from tests.portal.mcp.client import CallFailed, McpClient, client_of
from tests.portal.mcp.seed import seed
from tests.portal.mcp.story import Step, story

pytestmark = pytest.mark.django_db

NEEDS_MORE: dict[str, tuple[str, ...]] = {
    "get_resource_logs": ("releasebinding:view",),  # the log of a deployment that one may see
    # Nobody gives what they do not hold.
    "create_authz_role": ("component:view",),
    "update_authz_role": ("component:view", "project:view"),
    "create_authz_role_binding": ("component:view", "project:view"),
    "update_authz_role_binding": ("component:view", "project:view"),
    "delete_authz_role_binding": ("component:view", "project:view"),
    "delete_authz_role": ("component:view", "project:view"),
}
"""What else a call needs, with the reason: rules that REST has, too."""


@pytest.fixture
def nobody(db: None) -> McpClient:
    return client_of(person("nobody"))


def action_of(step: Step) -> str:
    tool: Tool = TOOLS.tools[step.tool]
    return tool.action_for(step.arguments)


def test_every_tool_is_refused_without_its_action_and_carried_out_with_exactly_that(mcp, nobody):
    seed()
    given: dict[tuple[str, ...], McpClient] = {}
    wrong: list[str] = []
    for step in story("one"):
        action = action_of(step)
        text = nobody.refused(step.tool, **step.arguments)
        if text != f'not authorized to call tool "{step.tool}": missing permission "{action}"':
            wrong.append(f"{step.tool} without anything: {text}")
        actions = (action, *NEEDS_MORE.get(step.tool, ()))
        if actions not in given:
            given[actions] = holder(len(given), actions)
        wrong += problems_with(given[actions], step)
        if step.tool.startswith("create_"):
            runtime.drain()
    assert not wrong, "\n".join(wrong)


def holder(number: int, actions: tuple[str, ...]) -> McpClient:
    """A client of somebody who holds these actions and nothing else, everywhere."""
    name = f"holder-{number}"
    role(name, *actions)
    bind(name, f"sub:{name}", name)
    return client_of(person(name))


def problems_with(client: McpClient, step: Step) -> list[str]:
    try:
        if step.refused:
            text = client.refused(step.tool, **step.arguments)
            return [] if step.refused in text.lower() else [f"{step.tool}: {text}"]
        client.call(step.tool, **step.arguments)
    except CallFailed as failure:
        return [str(failure)]
    return []


def test_a_grant_in_another_namespace_is_none_here(nobody):
    seed()
    everything = [action for tool in TOOLS for action in tool.actions.values()]
    role("everything", *dict.fromkeys(everything))
    bind("elsewhere", "sub:nobody", "everything", scope={"namespace": "elsewhere"})
    wrong = []
    for step in story("one"):
        tool = TOOLS.tools[step.tool]
        if not step.arguments.get("namespace_name"):
            continue
        if f'missing permission "{tool.action_for(step.arguments)}"' not in nobody.refused(step.tool, **step.arguments):
            wrong.append(step.tool)
    assert not wrong


def test_without_the_filter_every_write_is_refused_by_the_platform_itself(nobody):
    """The words differ, the answer does not: not found for what may not be seen, else what is wanting."""
    seed()
    nobody.query = "filterByAuthz=false"
    changes = AuditEvent.objects.system("test").filter(actor="nobody", outcome="success")
    for step in story("one"):
        if TOOLS.tools[step.tool].effect != "read":
            text = nobody.refused(step.tool, **step.arguments)
            assert "insufficient permissions" in text or "not found" in text, (step.tool, text)
    assert not changes.exists()


def test_without_the_filter_a_list_shows_only_what_may_be_seen(nobody):
    seed()
    nobody.query = "filterByAuthz=false"
    for step in story("one"):
        if not step.tool.startswith("list_") or "authz" in step.tool:
            continue
        answer: Any = nobody.attempt(step.tool, **step.arguments)["result"]
        if answer.get("isError"):
            assert "not found" in answer["content"][0]["text"]
        else:
            (items,) = [value for value in answer["structuredContent"].values() if isinstance(value, list)]
            assert items == [], step.tool
