"""Agents over MCP: identities of their own, with an owner, sometimes for a person; every call of theirs on record."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from catalog import store
from catalog.controllers import runtime
from portal.accounts.models import User, issue_token
from portal.accounts.principals import make_agent, make_person
from portal.audit.models import AuditEvent
from portal.mcp.registry import TOOLS
from tests.catalog.access.conftest import bind, person, role
from tests.portal.mcp.client import McpClient, client_of
from tests.portal.mcp.seed import REPOSITORY, apply, component_spec, workload_spec

pytestmark = pytest.mark.django_db
WHERE = {"namespace_name": "default", "project_name": "default"}
COMPONENT = {**WHERE, "name": "web", "component_type": "deployment/service"}


@pytest.fixture
def ada(platform: None) -> User:
    bind("ada", "sub:ada", "developer")
    return make_person("ada")


@pytest.fixture
def bot(ada: User) -> User:
    return make_agent("bot", owner=ada)


def events(**wanted: Any) -> list[AuditEvent]:
    return list(AuditEvent.objects.system("test").filter(surface="mcp", **wanted).order_by("id"))


def test_through_a_group_an_agent_only_reads(ada, bot):
    bind("bot-reads", "groups:helpers", "admin")
    person("bot", "helpers", kind="agent", owner=ada)
    shown = client_of(bot).tool_names()
    assert "list_components" in shown
    assert {TOOLS.tools[name].effect for name in shown} == {"read"}
    assert 'missing permission "component:create"' in client_of(bot).refused("create_component", **COMPONENT)


def test_by_its_own_name_an_agent_does_what_it_was_given(bot):
    role("makes-components", "component:create", "component:view")
    bind("bot", "sub:bot", "makes-components", scope={"namespace": "default"})
    client = client_of(bot)
    assert client.tool_names() == ["create_component", "get_component", "get_component_schema", "list_components"]
    assert client.call("create_component", **COMPONENT)["action"] == "created"


def test_an_agent_never_makes_or_widens_a_grant(bot):
    """Neither with the filter nor without it, and not with everything bound to it."""
    bind("bot", "sub:bot", "admin")
    mapping = {"roleRef": {"kind": "ClusterAuthzRole", "name": "admin"}}
    spec = {"entitlement": {"claim": "sub", "value": "bot"}, "roleMappings": [mapping]}
    before = {kind: set(names_of(kind)) for kind in POWERS}
    for query in ("", "filterByAuthz=false"):
        client = client_of(bot, query=query)
        for scope in ({"scope": "cluster"}, {"namespace_name": "default"}):
            given = "authz_role_binding", {**scope, "name": "mine", "spec": spec}
            for tool in (f"create_{given[0]}", f"update_{given[0]}"):
                assert client.refused(tool, **given[1])
            client.refused("create_authz_role", **scope, name="mine", spec={"actions": ["*"]})
            client.refused("update_authz_role", **scope, name="developer", spec={"actions": ["*"]})
            client.refused("delete_authz_role_binding", **scope, name="bot")
    assert {kind: set(names_of(kind)) for kind in POWERS} == before
    developer = store.get("ClusterAuthzRole", "", "developer")
    assert "*" not in developer.spec["actions"]


POWERS = ("ClusterAuthzRole", "ClusterAuthzRoleBinding", "AuthzRole", "AuthzRoleBinding")


def names_of(kind: str) -> list[str]:
    from catalog.kinds.registry import kind_named

    return list(kind_named(kind).objects.system("test").values_list("name", flat=True))


@pytest.fixture
def limited(ada: User) -> McpClient:
    """A client of an agent that was granted much and may call few tools."""
    bind("few", "sub:few", "developer")
    return client_of(make_agent("few", owner=ada, tools="list_* get_component, create_component"))


def test_an_agent_that_is_limited_to_tools_sees_and_calls_those_only(limited):
    shown = limited.tool_names()
    assert {"create_component", "get_component", "list_components"} <= set(shown)
    assert all(name.startswith("list_") or name in ("create_component", "get_component") for name in shown)
    assert limited.call("create_component", **COMPONENT)["action"] == "created"
    text = limited.refused("delete_component", namespace_name="default", component_name="web")
    assert text == 'not authorized to call tool "delete_component": it is not among the tools of few'
    (event,) = events(outcome="denied")
    assert (event.action, event.decision) == ("component:delete", "deny")
    assert json.loads(event.details)["reason"]["because"] == "not among its tools"


def test_no_parameter_and_no_other_door_leads_around_its_list_of_tools(limited):
    limited.query = "filterByAuthz=false"
    assert "get_project_type" not in limited.tool_names()
    assert "not among" in limited.refused("get_workload_schema")
    for path in ("/api/v1/namespaces", "/api/v1/namespaces/default/components", "/api/v1/authz/profile"):
        reply = limited.client.get(path, headers={"Authorization": f"Bearer {limited.token}"})
        assert reply.status_code == 403, path
    observer = McpClient(limited.token, path="/observer/mcp")
    assert "not among" in observer.refused(
        "query_alerts", namespace="default", start_time="2026-01-01T00:00:00Z", end_time="2026-01-02T00:00:00Z"
    )


def test_a_list_of_tools_is_of_names_and_never_a_persons(ada):
    with pytest.raises(ValidationError, match="names of tools"):
        make_agent("odd", owner=ada, tools="get_component; drop")
    with pytest.raises(ValidationError, match="limited to tools"):
        make_person("eve", tools="get_*")


def test_for_a_person_an_agent_may_what_both_may(ada, bot):
    role("projects", "project:view", "project:create", "namespace:create")
    bind("bot", "sub:bot", "projects")
    client = McpClient(issue_token(bot, "for ada", on_behalf_of=ada))
    assert client.tool_names() == ["list_projects"]  # developers create neither projects nor namespaces
    assert client.call("list_projects", namespace_name="default")
    (event,) = events(actor="bot")
    assert (event.on_behalf_of, event.decision) == ("ada", "allow")


def test_an_agent_whose_owner_is_gone_is_nobody(ada, bot):
    client = client_of(bot)
    ada.is_active = False
    ada.save()
    reply = client.post({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    assert (reply.status_code, reply.json()["error"]) == (401, "INVALID_TOKEN")


def test_every_call_is_on_record_with_agent_owner_tool_and_decision(bot):
    role("some", "component:view", "component:create")
    bind("bot", "sub:bot", "some")
    client = client_of(bot)
    client.call("create_component", **COMPONENT)
    client.call("get_component", namespace_name="default", component_name="web")
    client.refused("delete_component", namespace_name="default", component_name="web")
    client.refused("get_component", namespace_name="default", component_name="absent")
    client.refused("get_component", namespace_name="default")
    client.refused("no_such_tool")
    seen = [
        (event.action, json.loads(event.details)["agent"]["tool"], event.decision, event.outcome) for event in events()
    ]
    assert seen == [
        ("component:create", "create_component", "allow", "success"),
        ("component:view", "get_component", "allow", "success"),
        ("component:delete", "delete_component", "deny", "denied"),
        ("component:view", "get_component", "", "invalid"),
        ("component:view", "get_component", "", "invalid"),
        ("mcp:call", "no_such_tool", "", "invalid"),
    ]
    for event in events():
        assert (event.actor, event.actor_kind) == ("bot", "agent")
        assert json.loads(event.details)["agent"]["owner"] == "ada"
        assert event.credential.startswith("token:")


def test_what_the_protocol_says_leaves_no_event(bot):
    client = client_of(bot)
    for method in ("initialize", "tools/list", "ping", "prompts/list"):
        client.request(method, {})
    assert events() == []


def test_an_agent_builds_deploys_promotes_and_rolls_back(bot):
    """The chain, each link on record with the agent, who answers for it, and why it was allowed."""
    bind("bot", "sub:bot", "developer", scope={"namespace": "default"})
    role("cuts-releases", "componentrelease:create", "componentrelease:view")
    bind("bot-cuts", "sub:bot", "cuts-releases", scope={"namespace": "default"})
    workflow = {"kind": "ClusterWorkflow", "name": "dockerfile-builder", "parameters": REPOSITORY}
    apply("Component", "web", component_spec(autoDeploy=False, workflow=workflow))
    client, component = client_of(bot), {"namespace_name": "default", "component_name": "web"}

    build = client.call("trigger_workflow_run", **WHERE, component_name="web", commit="0123456789abcdef")
    assert (
        client.call("get_workflow_run_status", namespace_name="default", run_name=build["name"])["status"] == "Pending"
    )
    # No plane builds here: what its last step would write is written by hand.
    client.call("create_workload", **component, workload_spec=workload_spec("registry.example.org/web:1"))
    client.call("create_component_release", **component, release_name="web-1")
    client.call(
        "create_release_binding", **WHERE, component_name="web", environment="development", release_name="web-1"
    )
    runtime.drain()
    assert binding(client, "development") == ("web-1", "Ready")

    workload = {"namespace_name": "default", "workload_name": "web-workload"}
    client.call("update_workload", **workload, workload_spec=workload_spec("registry.example.org/web:2"))
    client.call("create_component_release", **component, release_name="web-2")
    development = {"namespace_name": "default", "binding_name": "web-development"}
    client.call("update_release_binding", **development, release_name="web-2")
    client.call("create_release_binding", **WHERE, component_name="web", environment="staging", release_name="web-2")
    runtime.drain()
    assert binding(client, "development") == binding(client, "staging") == ("web-2", "Ready")

    client.call("update_release_binding", **development, release_name="web-1")
    runtime.drain()
    assert binding(client, "development") == ("web-1", "Ready")

    written = [event for event in events(actor="bot") if not event.action.endswith(":view")]
    assert [(event.action, event.name) for event in written] == [
        ("workflowrun:create", build["name"]),
        ("workload:create", "web-workload"),
        ("componentrelease:create", "web-1"),
        ("releasebinding:create", "web-development"),
        ("workload:update", "web-workload"),
        ("componentrelease:create", "web-2"),
        ("releasebinding:update", "web-development"),
        ("releasebinding:create", "web-staging"),
        ("releasebinding:update", "web-development"),
    ]
    for event in written:
        details = json.loads(event.details)
        assert (event.decision, event.outcome, details["agent"]["owner"]) == ("allow", "success", "ada"), event
        assert details["reason"]["via"] == "sub:bot"
        assert details["reason"]["role"] in ("developer", "cuts-releases")


def binding(client: McpClient, environment: str) -> tuple[str, str]:
    """Release and status of the component there."""
    found = client.call("get_release_binding", namespace_name="default", binding_name=f"web-{environment}")
    return found["releaseName"], found["status"]
