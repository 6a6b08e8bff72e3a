"""Names, namespaces and labels of what a binding renders."""

from __future__ import annotations

import pytest

from catalog.compiler.metadata import component_metadata, project_metadata, resource_metadata
from catalog.compiler.rendered import has_namespace, rendered_release, resource_id


def named(name: str, uid: str = "", **more: object) -> dict:
    return {"metadata": {"name": name, "uid": uid or f"uid-of-{name}", "namespace": "acme", **more}}


PROJECT, ENVIRONMENT, PLANE = named("shop"), named("dev"), named("default", "uid-of-plane")


def binding(annotations: dict | None = None, **owner: str) -> dict:
    return {
        "metadata": {"name": "b", "namespace": "acme", "annotations": annotations},
        "spec": {"owner": owner, "environment": "dev"},
    }


def test_a_component_is_named_after_itself_and_its_environment() -> None:
    release = {
        "metadata": {"name": "greeter-service-1", "namespace": "default"},
        "spec": {"owner": {"projectName": "default", "componentName": "greeter-service"}},
    }
    metadata = component_metadata(release, named("greeter-service"), named("default"), named("development"), PLANE)
    labels = {
        "openchoreo.dev/namespace": "default",
        "openchoreo.dev/project": "default",
        "openchoreo.dev/project-uid": "uid-of-default",
        "openchoreo.dev/component": "greeter-service",
        "openchoreo.dev/component-uid": "uid-of-greeter-service",
        "openchoreo.dev/environment": "development",
        "openchoreo.dev/environment-uid": "uid-of-development",
    }
    assert metadata == {
        "name": "greeter-service-development-a9f97fde",
        "namespace": "dp-default-default-development-f8e58905",
        "componentNamespace": "default",
        "componentName": "greeter-service",
        "componentUID": "uid-of-greeter-service",
        "projectName": "default",
        "projectUID": "uid-of-default",
        "environmentName": "development",
        "environmentUID": "uid-of-development",
        "dataPlaneName": "default",
        "dataPlaneUID": "uid-of-plane",
        "labels": labels,
        "podSelectors": labels,
        "annotations": {},
    }


def test_projects_and_resources_carry_the_annotations_of_their_binding() -> None:
    note = {"note": "x"}
    assert project_metadata(binding(note, projectName="shop"), PROJECT, ENVIRONMENT, PLANE)["annotations"] == note
    described = resource_metadata(
        binding(note, projectName="shop", resourceName="db"), named("db"), PROJECT, ENVIRONMENT, PLANE
    )
    assert described["annotations"] == note
    assert described["labels"]["openchoreo.dev/resource-uid"] == "uid-of-db"
    assert described["name"].startswith("r-db-dev-")


@pytest.mark.parametrize(
    ("owner", "plane", "name"),
    [
        ({"projectName": "p", "componentName": "web"}, "dataplane", "web-dev"),
        ({"projectName": "p", "componentName": "web"}, "observabilityplane", "web-dev-observability"),
        ({"projectName": "p", "resourceName": "redis"}, "dataplane", "r-redis-dev-"),
        ({"projectName": "default"}, "dataplane", "p-default-dev-"),
    ],
)
def test_the_owner_of_a_binding_names_its_rendered_release(owner: dict, plane: str, name: str) -> None:
    release = rendered_release(binding(**owner), [], plane)
    assert release["metadata"]["name"].startswith(name)
    assert release["spec"] == {"owner": owner, "environmentName": "dev", "targetPlane": plane, "resources": []}
    labels = release["metadata"]["labels"]
    assert labels.get("openchoreo.dev/component") == owner.get("componentName")
    assert labels.get("openchoreo.dev/resource") == owner.get("resourceName")


def test_ids_of_resources_fit_a_label() -> None:
    def of(kind: object, name: object) -> str:
        return resource_id({"kind": kind, "metadata": {"name": name}}, 4)

    assert of("Service", "web") == "service-web"
    assert of("Service", "w" * 55) == "service-" + "w" * 55
    assert len(of("Service", "w" * 56)) <= 63
    assert of("Service", "w" * 56).startswith("service-www")
    assert of(None, "web") == of("Service", None) == "resource-4"


def test_a_cell_needs_its_core_namespace() -> None:
    wanted = {"id": "ns", "object": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "dp"}}}
    assert has_namespace([wanted], "dp")
    assert not has_namespace([wanted], "other")
    assert not has_namespace([], "dp")
