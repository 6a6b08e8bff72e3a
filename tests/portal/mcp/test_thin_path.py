"""From `initialize` to a component: the shortest way of a client through the endpoint."""

from __future__ import annotations

from catalog import store


def test_a_client_introduces_itself_looks_around_and_creates_a_component(platform, mcp):
    said = mcp.result(
        "initialize",
        {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    )
    assert said["protocolVersion"] == "2025-06-18"
    assert said["serverInfo"] == {"name": "openchoreo-api", "version": "1.0.0"}
    assert said["instructions"]
    assert mcp.post({"jsonrpc": "2.0", "method": "notifications/initialized"}).status_code == 202
    assert {"list_namespaces", "create_component"} <= set(mcp.tool_names())
    assert [item["name"] for item in mcp.call("list_namespaces")["namespaces"]] == ["default"]
    made = mcp.call(
        "create_component",
        namespace_name="default",
        project_name="default",
        name="web",
        component_type="deployment/service",
    )
    assert made == {
        "name": "web",
        "namespace": "default",
        "action": "created",
        "componentType": "deployment/service",
    }
    assert store.get("Component", "default", "web").spec["autoDeploy"] is True
