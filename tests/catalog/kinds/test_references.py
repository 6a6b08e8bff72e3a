"""Whom a document names: one reference for each object, with its role, and none for what is left out."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.kinds.base import Ref
from catalog.kinds.registry import KINDS, kind_named


def refs(kind: str, spec: dict[str, Any], status: dict[str, Any] | None = None, namespace: str = "default") -> set[Ref]:
    found = list(kind_named(kind).references_of(namespace, spec, status or {}))
    assert len(found) == len(set(found)), "a reference is yielded twice"
    return set(found)


@pytest.mark.parametrize("model", KINDS, ids=lambda model: model.kind)
def test_an_empty_document_names_nothing(model: Any) -> None:
    assert list(model.references_of("default", {}, {})) == []


def test_a_component_names_its_project_type_traits_and_workflow() -> None:
    spec = {
        "owner": {"projectName": "shop"},
        "componentType": {"kind": "ClusterComponentType", "name": "deployment/service"},
        "traits": [
            {"kind": "Trait", "name": "volume", "instanceName": "data"},
            {"kind": "ClusterTrait", "name": "alert", "instanceName": "slow"},
        ],
        "workflow": {"kind": "ClusterWorkflow", "name": "docker"},
    }
    assert refs("Component", spec) == {
        Ref("project", "Project", "default", "shop"),
        Ref("cluster_component_type", "ClusterComponentType", "", "service"),
        Ref("trait", "Trait", "default", "volume"),
        Ref("cluster_trait", "ClusterTrait", "", "alert"),
        Ref("cluster_workflow", "ClusterWorkflow", "", "docker"),
    }


def test_a_workload_names_its_secrets_and_what_it_depends_on() -> None:
    secret = {"valueFrom": {"secretKeyRef": {"name": "token", "key": "value"}}}
    spec = {
        "owner": {"projectName": "shop", "componentName": "cart"},
        "container": {"image": "cart:1", "env": [{"key": "A", "value": "b"}, {"key": "TOKEN", **secret}]},
        "dependencies": {
            "endpoints": [{"component": "catalog", "name": "http", "visibility": "project", "envBindings": {}}],
            "resources": [{"ref": "redis"}],
        },
    }
    assert refs("Workload", spec) == {
        Ref("project", "Project", "default", "shop"),
        Ref("component", "Component", "default", "cart"),
        Ref("secret_reference", "SecretReference", "default", "token"),
        Ref("connection", "Component", "default", "catalog"),
        Ref("resource_dependency", "Resource", "default", "redis"),
    }


def test_a_release_binding_names_what_its_status_has_found_out() -> None:
    spec = {
        "owner": {"projectName": "shop", "componentName": "cart"},
        "environment": "development",
        "releaseName": "cart-1",
    }
    status = {
        "secretReferenceNames": ["token"],
        "connectionTargets": [{"namespace": "other", "project": "p", "component": "pay", "endpoint": "http"}],
        "resourceDependencyTargets": [{"namespace": "default", "project": "shop", "resourceName": "redis"}],
    }
    assert refs("ReleaseBinding", spec, status) - refs("ReleaseBinding", spec) == {
        Ref("secret_reference", "SecretReference", "default", "token"),
        Ref("connection", "Component", "other", "pay"),
        Ref("resource_dependency", "Resource", "default", "redis"),
    }
    assert Ref("component_release", "ComponentRelease", "default", "cart-1") in refs("ReleaseBinding", spec)


def test_a_release_binding_without_a_release_names_none() -> None:
    spec = {"owner": {"projectName": "shop", "componentName": "cart"}, "environment": "development"}
    assert "component_release" not in {ref.role for ref in refs("ReleaseBinding", spec)}


def test_a_pipeline_names_every_environment_once_or_more() -> None:
    environment = {"kind": "Environment"}
    spec = {
        "promotionPaths": [
            {
                "sourceEnvironmentRef": environment | {"name": "development"},
                "targetEnvironmentRefs": [environment | {"name": "qa"}, environment | {"name": "staging"}],
            },
        ]
    }
    assert {ref.name for ref in refs("DeploymentPipeline", spec)} == {"development", "qa", "staging"}
    assert {ref.role for ref in refs("DeploymentPipeline", spec)} == {"environment"}


def test_what_a_type_embeds_and_what_it_allows_are_different_roles() -> None:
    spec = {
        "traits": [{"kind": "ClusterTrait", "name": "probe", "instanceName": "probe"}],
        "allowedTraits": [{"kind": "Trait", "name": "volume"}],
        "allowedWorkflows": [{"kind": "ClusterWorkflow", "name": "docker"}],
    }
    assert refs("ComponentType", spec) == {
        Ref("cluster_trait", "ClusterTrait", "", "probe"),
        Ref("allowed_trait", "Trait", "default", "volume"),
        Ref("allowed_cluster_workflow", "ClusterWorkflow", "", "docker"),
    }


def test_a_workflow_names_secrets_only_where_the_name_is_no_expression() -> None:
    external = {"apiVersion": "openchoreo.dev/v1alpha1", "kind": "SecretReference"}
    spec = {
        "workflowPlaneRef": {"kind": "ClusterWorkflowPlane", "name": "default"},
        "externalRefs": [
            external | {"id": "git", "name": "git-token"},
            external | {"id": "own", "name": "${parameters.secretRef}"},
        ],
    }
    assert refs("Workflow", spec) == {
        Ref("cluster_workflow_plane", "ClusterWorkflowPlane", "", "default"),
        Ref("secret_reference", "SecretReference", "default", "git-token"),
    }


def test_a_cluster_binding_names_roles_and_the_objects_of_its_scopes() -> None:
    spec = {
        "roleMappings": [
            {
                "roleRef": {"kind": "ClusterAuthzRole", "name": "developer"},
                "scope": {"namespace": "acme", "project": "shop"},
            },
        ]
    }
    assert refs("ClusterAuthzRoleBinding", spec, namespace="") == {
        Ref("cluster_authz_role", "ClusterAuthzRole", "", "developer"),
        Ref("scope_namespace", "Namespace", "", "acme"),
        Ref("scope_project", "Project", "acme", "shop"),
    }


def test_recorded_release_bindings_name_objects_that_were_recorded_too(recorded_objects: list[dict[str, Any]]) -> None:
    there = {(o["kind"], o["metadata"].get("namespace", ""), o["metadata"]["name"]) for o in recorded_objects}
    named = [
        ref
        for recorded in recorded_objects
        if recorded["kind"] in ("ReleaseBinding", "ProjectReleaseBinding", "ResourceReleaseBinding", "RenderedRelease")
        for ref in kind_named(recorded["kind"]).references_of(
            recorded["metadata"]["namespace"], recorded["spec"], recorded.get("status", {})
        )
    ]
    missing = {ref for ref in named if (ref.kind, ref.namespace, ref.name) not in there}
    assert len(named) > 500
    # Some recorded cases name what is not there, to show how a binding says so.
    assert {ref.name for ref in missing} == {"absent", "nowhere"}
