"""`tools/list` shows what the caller may use: by role, by toolset, with denials, and with what bounds a credential."""

from __future__ import annotations

import pytest

from portal.accounts.limits import Limits
from portal.accounts.models import issue_token
from portal.accounts.principals import make_agent
from portal.mcp.registry import TOOLS
from tests.catalog.access.conftest import bind, person, role, unbind
from tests.portal.mcp.client import McpClient, client_of

pytestmark = pytest.mark.django_db
BY_ROLE = {
    "admin": (130, 60),
    "platform-engineer": (115, 53),
    "developer": (82, 25),
    "sre": (64, 7),
    "rca-agent": (25, 0),
    "finops-agent": (6, 0),
    "backstage-catalog-reader": (42, 0),
    "workload-publisher": (10, 2),
    "cluster-reader": (21, 0),
    "namespace-reader": (27, 0),
}
"""All tools and the writing ones, as counted at the contract's server with the roles that it ships."""


@pytest.mark.parametrize("name", BY_ROLE)
def test_a_shipped_role_sees_as_many_tools_as_upstream(platform, name):
    bind(f"test-{name}", "sub:ada", name)
    shown = client_of(person("ada")).tool_names()
    assert (len(shown), sum(TOOLS.tools[tool].effect != "read" for tool in shown)) == BY_ROLE[name]


def test_whoever_may_nothing_sees_no_tool(platform):
    assert client_of(person("stranger")).tool_names() == []


def test_with_security_off_everybody_sees_all(platform, settings):
    settings.SECURITY_ENABLED = False
    assert len(McpClient().tool_names()) == len(TOOLS)


@pytest.mark.parametrize(
    ("toolsets", "count"),
    [
        ("namespace", 4), ("project", 7), ("component", 18), ("deployment", 21), ("build", 10), ("resource", 8),
        ("pe", 80), ("namespace,project,component,deployment,build,resource", 68), ("nonsense", 0), ("", 0),
    ],
)  # fmt: skip
def test_toolsets_narrow_the_list(platform, mcp, toolsets, count):
    mcp.query = f"toolsets={toolsets}"
    assert len(mcp.tool_names()) == count


def test_toolsets_do_not_keep_anybody_from_calling(platform, mcp):
    mcp.query = "toolsets=build"
    assert mcp.call("list_namespaces")


def test_a_grant_shows_a_tool_at_once_and_its_end_hides_it(platform):
    client = client_of(person("ada"))
    assert client.tool_names() == []
    role("watcher", "project:view")
    bind("ada", "sub:ada", "watcher", scope={"namespace": "default"})
    assert client.tool_names() == ["list_projects"]
    unbind("ada")
    assert client.tool_names() == []


def test_a_denial_hides_a_tool_and_refuses_the_call(platform):
    """Upstream leaves denials to the service layer; here they count for the list too."""
    role("watcher", "project:view", "component:view")
    bind("ada", "sub:ada", "watcher", scope={"namespace": "default"})
    client = client_of(person("ada"))
    assert "list_projects" in client.tool_names()
    role("no-projects", "project:view")
    bind("ada-not", "sub:ada", "no-projects", effect="deny")
    assert client.tool_names() == ["get_component", "get_component_schema", "list_components"]
    assert 'missing permission "project:view"' in client.refused("list_projects", namespace_name="default")


def test_a_denial_of_a_part_leaves_the_tool_for_the_rest(platform):
    role("watcher", "project:view")
    bind("ada", "sub:ada", "watcher")
    bind("ada-not", "sub:ada", "watcher", effect="deny", scope={"namespace": "default"})
    client = client_of(person("ada"))
    assert client.tool_names() == ["list_projects"]
    assert "missing permission" in client.refused("list_projects", namespace_name="default")
    assert client.call("list_projects", namespace_name="elsewhere") == {"projects": []}


def test_a_denial_of_one_group_takes_only_what_that_group_gives(platform):
    role("watcher", "project:view")
    bind("devs", "groups:devs", "watcher")
    bind("devs-not", "groups:devs", "watcher", effect="deny")
    client = client_of(person("ada", "devs"))
    assert client.tool_names() == []
    bind("ops", "groups:ops", "watcher")
    assert client_of(person("ada", "devs", "ops")).tool_names() == ["list_projects"]


def test_a_token_with_limits_shows_only_what_it_may_be_used_for(platform, root):
    client = McpClient(issue_token(root, "narrow", limits=Limits(("namespace:view", "project:*"))))
    assert client.tool_names() == [
        "create_project", "delete_project", "list_namespaces", "list_projects", "update_project",
    ]  # fmt: skip


def test_an_agent_sees_no_tool_that_would_give_rights(platform, root):
    bind("bot", "sub:bot", "admin")
    shown = client_of(make_agent("bot", owner=root)).tool_names()
    assert "create_component" in shown
    assert not {name for name in shown if "authz_role" in name and not name.startswith(("get_", "list_"))}


def test_the_filter_can_be_switched_off_and_the_platform_still_refuses(platform):
    client = client_of(person("ada"), query="filterByAuthz=false")
    assert len(client.tool_names()) == len(TOOLS)
    text = client.refused(
        "create_component",
        namespace_name="default", project_name="default", name="x", component_type="deployment/service",
    )  # fmt: skip
    assert text.startswith("insufficient permissions to perform this action")


def test_the_same_selection_is_written_once(platform, mcp):
    from portal.mcp import listing

    mcp.tool_names()
    before = listing._written.cache_info()
    mcp.tool_names()
    after = listing._written.cache_info()
    assert (after.hits, after.misses) == (before.hits + 1, before.misses)


def test_a_toolset_that_is_switched_off_is_not_there_for_anybody(platform, mcp, settings):
    settings.MCP_TOOLSETS = ["namespace", "project"]
    assert len(mcp.tool_names()) == 11
    assert "unknown tool" in mcp.refused("list_components", namespace_name="default", project_name="default")


def test_a_toolset_that_there_is_not_is_a_mistake_of_the_settings():
    from portal import settings
    from portal.mcp.registry import TOOLSETS

    convert = settings.all_of(*settings.MCP_TOOLSET_NAMES)
    assert convert("project, build") == ["project", "build"]
    with pytest.raises(ValueError, match="there is no nonsense"):
        convert("project,nonsense")
    assert settings.MCP_TOOLSET_NAMES == TOOLSETS
