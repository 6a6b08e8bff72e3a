"""A story that calls every tool at least once with valid arguments, on the platform of `seed`.

Plain data, so that any client can tell it: each step is a tool, its arguments, and "" or a part of the text with which
it must be refused. `run` makes the names of what is created unique; whatever a story creates it also deletes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from tests.portal.mcp.seed import REPOSITORY, SECRET, defaults, workload_spec

NAMESPACE = {"namespace_name": "default"}
CLUSTER = {"scope": "cluster"}
PROJECT = {**NAMESPACE, "project_name": "default"}
ON_GIT = "git"
"""A part of what is said where the plane cannot be looked into."""


class Step(NamedTuple):
    tool: str
    arguments: dict[str, Any]
    refused: str = ""


def story(run: str, *, has_cluster: bool = False) -> list[Step]:
    """The steps. With a cluster behind the platform, what only a cluster can tell is expected too."""
    return [
        *(Step(*step) for step in looking_around()),
        *(Step(*step) for step in developing(f"c-{run}", has_cluster)),
        *(Step(*step) for step in infrastructure(f"r-{run}")),
        *(Step(*step) for step in projects(f"p-{run}")),
        *(Step(*step) for step in platform(run)),
        *(Step(*step) for step in types(run)),
        *(Step(*step) for step in permissions(f"a-{run}")),
    ]


Steps = Iterator[tuple[Any, ...]]


def looking_around() -> Steps:
    yield "list_namespaces", {}
    yield "list_projects", NAMESPACE
    yield "list_components", PROJECT
    yield "list_components", {**PROJECT, "limit": 1}
    yield "get_component", {**NAMESPACE, "component_name": "web"}
    yield "get_component_schema", {**NAMESPACE, "component_name": "web"}
    yield "get_workload_schema", {}
    yield "list_workloads", {**NAMESPACE, "component_name": "web"}
    yield "get_workload", {**NAMESPACE, "workload_name": "web-workload"}
    yield "list_release_bindings", {**NAMESPACE, "component_name": "web"}
    yield "get_release_binding", {**NAMESPACE, "binding_name": "web-development"}
    yield "list_component_releases", {**NAMESPACE, "component_name": "web"}
    yield "list_deployment_pipelines", NAMESPACE
    yield "get_deployment_pipeline", {**NAMESPACE, "name": "default"}
    yield "list_environments", NAMESPACE
    yield "list_resources", PROJECT
    yield "get_resource", {**NAMESPACE, "name": "db"}
    yield "list_resource_releases", {**NAMESPACE, "resource_name": "db"}
    yield "list_resource_release_bindings", {**NAMESPACE, "resource_name": "db"}
    yield "list_project_releases", PROJECT
    yield "list_project_release_bindings", PROJECT
    yield "list_secret_references", NAMESPACE
    yield "get_secret_reference", {**NAMESPACE, "secret_reference_name": "credentials"}
    for plane in ("dataplane", "workflowplane", "observability_plane"):
        yield f"list_{plane}s", CLUSTER
        yield f"get_{plane}", {**CLUSTER, "name": "default"}
        yield f"list_{plane}s", NAMESPACE


def developing(name: str, has_cluster: bool) -> Steps:
    component, binding = {**NAMESPACE, "component_name": name}, {**NAMESPACE, "binding_name": f"{name}-staging"}
    first, second = f"{name}-1", f"{name}-2"
    yield "create_component", {
        **PROJECT, "name": name, "component_type": "deployment/service", "display_name": "Story", "auto_deploy": False,
    }  # fmt: skip
    yield "patch_component", {**component, "description": "told by a client", "traits": []}
    yield "create_workload", {**component, "workload_spec": workload_spec()}
    yield "create_component_release", {**component, "release_name": first}
    yield "get_component_release", {**NAMESPACE, "release_name": first}
    yield "get_component_release_schema", {**component, "release_name": first}
    yield "create_release_binding", {**PROJECT, "component_name": name, "environment": "staging", "release_name": first}
    workload = {**NAMESPACE, "workload_name": f"{name}-workload"}
    yield "update_workload", {**workload, "workload_spec": workload_spec("registry.example.org/web:2")}
    yield "create_component_release", {**component, "release_name": second}
    overrides = {"container": {"env": [{"key": "LEVEL", "value": "debug"}]}}
    yield "update_release_binding", {**binding, "release_name": second, "workload_overrides": overrides}
    yield "update_release_binding", {**binding, "release_name": first}
    yield "update_release_binding", {**binding, "release_state": "Undeploy"}
    web = {**NAMESPACE, "release_binding_name": "web-development"}
    yield "get_resource_tree", web
    service = {"group": "", "version": "v1", "kind": "Service", "resource_name": "web"}
    yield "get_resource_events", {**web, **service}, "" if has_cluster else ON_GIT
    yield "get_resource_logs", {**web, "pod_name": "web-1"}, "" if has_cluster else ON_GIT
    yield "trigger_workflow_run", {**PROJECT, "component_name": "built", "commit": "0123456789abcdef"}
    yield "create_workflow_run", {**NAMESPACE, "name": "dockerfile-builder", "parameters": REPOSITORY}
    yield "list_workflow_runs", {**PROJECT, "component_name": "built"}
    for tool in ("get_workflow_run", "get_workflow_run_status", "get_workflow_run_logs", "get_workflow_run_events"):
        yield tool, {**NAMESPACE, "run_name": "build-1"}
    yield "delete_release_binding", binding
    yield "delete_component_release", {**NAMESPACE, "release_name": first}
    yield "delete_workload", workload
    yield "delete_component", component


def infrastructure(name: str) -> Steps:
    named, release, binding = (
        {**NAMESPACE, "name": suffixed} for suffixed in (name, f"{name}-by-hand", f"{name}-staging")
    )
    kind = {"type_kind": "ClusterResourceType", "type_name": "postgres"}
    owner = {"project_name": "default", "resource_name": name}
    yield "create_resource", {**named, "project_name": "default", **kind, "parameters": {"database": "shop"}}
    yield "update_resource", {**named, "description": "changed", "parameters": {"database": "shop2"}}
    spec = defaults()["ClusterResourceType", "postgres"]
    yield "create_resource_release", {**release, **owner, **kind, "type_spec": spec, "parameters": {"database": "shop"}}
    yield "get_resource_release", release
    yield "create_resource_release_binding", {
        **binding, **owner, "environment": "staging", "resource_release": release["name"], "retain_policy": "Delete",
    }  # fmt: skip
    yield "get_resource_release_binding", binding
    configs = {"resource_type_environment_configs": {"memory": "512Mi"}}
    yield "update_resource_release_binding", {**binding, **configs}
    yield "delete_resource_release_binding", binding
    yield "delete_resource_release", release
    yield "delete_resource", named


def projects(name: str) -> Steps:
    named, release, binding = (
        {**NAMESPACE, "name": suffixed} for suffixed in (name, f"{name}-by-hand", f"{name}-staging")
    )
    kind = {"type_kind": "ClusterProjectType", "type_name": "default"}
    owner = {"project_name": name}
    yield "create_project", {**named, "description": "told by a client", "deployment_pipeline": "default"}
    yield "update_project", {**NAMESPACE, **owner, "display_name": "Story"}
    spec = defaults()["ClusterProjectType", "default"]
    yield "create_project_release", {**release, **owner, **kind, "type_spec": spec}
    yield "get_project_release", release
    pinned = {"environment": "staging", "project_release": release["name"]}
    yield "create_project_release_binding", {**binding, **owner, **pinned}
    yield "get_project_release_binding", binding
    yield "update_project_release_binding", {**binding, "project_release": release["name"], "environment_configs": {}}
    yield "delete_project_release_binding", binding
    yield "delete_project_release", release
    yield "delete_project", {**NAMESPACE, **owner}


def platform(run: str) -> Steps:
    environment, pipeline = {**NAMESPACE, "name": f"e-{run}"}, {**NAMESPACE, "name": f"l-{run}"}
    yield "create_namespace", {"name": f"n-{run}", "display_name": "Story"}
    plane = {"data_plane_ref": "default", "data_plane_ref_kind": "ClusterDataPlane"}
    yield "create_environment", {**environment, **plane}
    yield "update_environment", {**environment, "is_production": True}
    path = {"source_environment_ref": "development", "target_environment_refs": [{"name": "staging"}]}
    yield "create_deployment_pipeline", {**pipeline, "promotion_paths": [path]}
    yield "update_deployment_pipeline", {**pipeline, "display_name": "Story", "promotion_paths": [path]}
    yield "delete_deployment_pipeline", pipeline
    yield "delete_environment", environment
    secret = {**NAMESPACE, "secret_reference_name": f"s-{run}"}
    yield "create_secret_reference", {**NAMESPACE, "name": f"s-{run}", "spec": SECRET}
    yield "update_secret_reference", {**secret, "description": "changed"}
    yield "delete_secret_reference", secret


def types(run: str) -> Steps:
    for kind, word, example in (
        ("ComponentType", "component_type", "service"),
        ("Trait", "trait", "observability-alert-rule"),
        ("Workflow", "workflow", "dockerfile-builder"),
        ("ResourceType", "resource_type", "postgres"),
        ("ProjectType", "project_type", "default"),
    ):
        spec = defaults()[f"Cluster{kind}", example]
        named = {**NAMESPACE, "name": f"t-{run}"}
        yield f"list_{word}s", CLUSTER
        yield f"get_{word}", {**CLUSTER, "name": example}
        yield f"get_{word}_schema", {**CLUSTER, "name": example}
        yield f"get_{word}_creation_schema", {}
        yield f"create_{word}", {**named, "spec": spec, "display_name": "Story"}
        yield f"list_{word}s", NAMESPACE
        yield f"get_{word}_schema", named
        yield f"update_{word}", {**named, "spec": spec, "description": "changed"}
        yield f"delete_{word}", named


def permissions(name: str) -> Steps:
    role, binding = {**NAMESPACE, "name": name}, {**NAMESPACE, "name": name}
    spec = {
        "entitlement": {"claim": "groups", "value": f"team-{name}"},
        "roleMappings": [{"roleRef": {"kind": "AuthzRole", "name": name}}],
    }
    yield "list_authz_actions", {}
    yield "get_authz_role_creation_schema", CLUSTER
    yield "get_authz_role_binding_creation_schema", CLUSTER
    yield "list_authz_roles", CLUSTER
    yield "create_authz_role", {**role, "spec": {"actions": ["component:view"]}}
    yield "get_authz_role", role
    yield "update_authz_role", {**role, "spec": {"actions": ["component:view", "project:view"]}}
    yield "create_authz_role_binding", {**binding, "spec": spec}
    yield "get_authz_role_binding", binding
    yield "update_authz_role_binding", {**binding, "spec": {**spec, "effect": "deny"}}
    yield "list_authz_role_bindings", NAMESPACE
    question = {"action": "component:view", "resource": {"type": "component", "hierarchy": {"namespace": "default"}}}
    yield "evaluate_authz", {"requests": [question]}
    yield "delete_authz_role_binding", binding
    yield "delete_authz_role", role


if __name__ == "__main__":
    sys.stdout.write(orjson.dumps([list(step) for step in story(sys.argv[1])]).decode())
