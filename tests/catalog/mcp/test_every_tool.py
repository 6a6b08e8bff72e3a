"""Every tool, called with valid arguments on a platform that has something of everything."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from catalog.controllers import runtime
from portal.mcp.registry import TOOLS
from tests.portal.mcp.client import McpClient
from tests.portal.mcp.seed import seed
from tests.portal.mcp.story import Step, story

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(mcp: McpClient) -> list[tuple[Step, Any]]:
    """The story, with what each step answered."""
    seed()
    found = []
    for step in story("one"):
        if step.refused:
            text = mcp.refused(step.tool, **step.arguments)
            assert step.refused in text.lower(), (step, text)
            continue
        found.append((step, mcp.call(step.tool, **step.arguments)))
        if step.tool.startswith("create_"):
            runtime.drain()
    return found


def test_every_tool_can_be_called_and_answers_as_its_schema_says(told):
    for step, result in told:
        jsonschema_rs.validate(TOOLS.tools[step.tool].output_schema, result)
    assert {step.tool for step in story("one")} == set(TOOLS.tools)
    answers = {step.tool: result for step, result in reversed(told)}
    check_reads(answers)
    check_writes(told)


def check_reads(answers: dict[str, Any]) -> None:
    assert [item["name"] for item in answers["list_namespaces"]["namespaces"]] == ["default"]
    component = answers["get_component"]
    assert component["componentType"] == {"kind": "ClusterComponentType", "name": "deployment/service"}
    assert component["status"] == "Ready" and component["latestRelease"].startswith("web-")
    assert "lastTransitionTime" not in component["conditions"][0]
    binding = answers["get_release_binding"]
    assert (binding["environment"], binding["status"]) == ("development", "Ready")
    assert binding["endpoints"][0]["name"] == "http"
    assert answers["list_workloads"]["workloads"][0]["image"] == "registry.example.org/web:1"
    assert answers["get_workload_schema"]["required"] == ["container"]
    assert "owner" not in answers["get_workload_schema"]["properties"]
    (release,) = answers["get_resource_tree"]["rendered_releases"]
    assert release["target_plane"] == "dataplane"
    assert ("Service", "web") in {(node["kind"], node["name"]) for node in release["nodes"]}
    assert "object" not in release["nodes"][0]
    assert answers["evaluate_authz"]["decisions"][0]["decision"] is True
    assert len(answers["list_authz_actions"]["actions"]) == 159
    assert "properties" in answers["get_component_type_creation_schema"]
    assert answers["get_workflow_run_status"]["status"] == "Pending"
    assert answers["get_workflow_run_logs"] == {"logs": []}


def check_writes(told: list[tuple[Step, Any]]) -> None:
    """Writes say what they did to which object."""
    verbs = {"create": "created", "delete": "deleted", "patch": "patched", "trigger": "triggered", "update": "updated"}
    for step, result in told:
        tool = TOOLS.tools[step.tool]
        if tool.effect == "read":
            continue
        wanted = "patched" if step.tool == "update_release_binding" else verbs[step.tool.partition("_")[0]]
        assert result["action"] == wanted, step
        assert result.get("namespace") == step.arguments.get("namespace_name"), step


def test_a_list_goes_on_with_the_cursor_of_the_page_before(mcp):
    seed()
    where = {"namespace_name": "default", "project_name": "default", "limit": 1}
    first = mcp.call("list_components", **where)
    second = mcp.call("list_components", **where, cursor=first["next_cursor"])
    assert [item["name"] for page in (first, second) for item in page["components"]] == ["built", "web"]
    assert "next_cursor" not in second
