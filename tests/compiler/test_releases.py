"""What a release freezes."""

from __future__ import annotations

import pytest

from catalog.compiler.errors import InputError, TraitMissingError
from catalog.compiler.releases import (
    component_documents,
    component_release_spec,
    project_release_spec,
    resource_release_spec,
)

COMPONENT = {
    "metadata": {"name": "web"},
    "spec": {
        "owner": {"projectName": "shop"},
        "componentType": {"name": "deployment/service"},
        "parameters": {"replicas": 2},
        "traits": [{"name": "log", "instanceName": "l1", "parameters": {"a": 1}}],
        "autoDeploy": True,
    },
}
TYPE = {"metadata": {"name": "service"}, "spec": {"workloadType": "deployment", "traits": [{"name": "tls"}]}}
LOG = {"kind": "Trait", "metadata": {"name": "log"}, "spec": {"creates": []}}
TLS = {"kind": "Trait", "metadata": {"name": "tls"}, "spec": {"patches": []}}
CLUSTER_LOG = {"kind": "ClusterTrait", "metadata": {"name": "log"}, "spec": {"removes": []}}
WORKLOAD = {"spec": {"owner": {"projectName": "shop", "componentName": "web"}, "container": {"image": "i"}}}


def test_a_component_release_freezes_type_traits_profile_and_workload() -> None:
    assert component_release_spec(COMPONENT, TYPE, [TLS, CLUSTER_LOG, LOG], WORKLOAD) == {
        "owner": {"projectName": "shop", "componentName": "web"},
        "componentType": {"kind": "ComponentType", "name": "deployment/service", "spec": TYPE["spec"]},
        "traits": [
            {"kind": "ClusterTrait", "name": "log", "spec": {"removes": []}},
            {"kind": "Trait", "name": "log", "spec": {"creates": []}},
            {"kind": "Trait", "name": "tls", "spec": {"patches": []}},
        ],
        "componentProfile": {
            "parameters": {"replicas": 2},
            "traits": [{"kind": "Trait", "name": "log", "instanceName": "l1", "parameters": {"a": 1}}],
        },
        "workload": {"container": {"image": "i"}},
    }


def test_a_component_without_values_and_traits_has_no_profile() -> None:
    bare = {**COMPONENT, "spec": {"owner": {"projectName": "shop"}, "componentType": {"kind": "X", "name": "t"}}}
    release = component_release_spec(bare, {"spec": {}}, [], WORKLOAD)
    assert "componentProfile" not in release
    assert "traits" not in release


@pytest.mark.parametrize(("traits", "message"), [([LOG], 'embedded trait "tls"'), ([TLS], 'component trait "log"')])
def test_a_trait_that_is_used_must_be_given(traits: list[dict], message: str) -> None:
    with pytest.raises(TraitMissingError, match=message):
        component_release_spec(COMPONENT, TYPE, traits, WORKLOAD)


def test_a_component_must_name_its_type() -> None:
    with pytest.raises(InputError):
        component_release_spec({"metadata": {"name": "web"}, "spec": {}}, TYPE, [], WORKLOAD)


def test_a_release_gives_back_the_documents_of_its_render() -> None:
    release = {"spec": component_release_spec(COMPONENT, TYPE, [TLS, LOG], WORKLOAD)}
    documents = component_documents(release)
    assert documents["ComponentType"] == {"metadata": {"name": "deployment/service"}, "spec": TYPE["spec"]}
    assert documents["Component"]["spec"]["parameters"] == {"replicas": 2}
    assert [trait["kind"] for trait in documents["Component"]["spec"]["traits"]] == ["Trait"]
    assert [trait["metadata"]["name"] for trait in documents["Traits"]] == ["log", "tls"]
    assert documents["Workload"]["spec"]["container"] == {"image": "i"}


def test_projects_and_resources_freeze_their_type_and_parameters() -> None:
    project = {"metadata": {"name": "shop"}, "spec": {"type": {"name": "default"}, "parameters": {"a": 1}}}
    assert project_release_spec(project, {"spec": {"resources": []}}) == {
        "owner": {"projectName": "shop"},
        "projectType": {"kind": "ProjectType", "name": "default", "spec": {"resources": []}},
        "parameters": {"a": 1},
    }
    resource = {
        "metadata": {"name": "db"},
        "spec": {"owner": {"projectName": "shop"}, "type": {"kind": "ClusterResourceType", "name": "postgres"}},
    }
    assert resource_release_spec(resource, {"spec": {"outputs": []}}) == {
        "owner": {"projectName": "shop", "resourceName": "db"},
        "resourceType": {"kind": "ClusterResourceType", "name": "postgres", "spec": {"outputs": []}},
    }
