"""A component of every part that a release freezes, made through the API: for tests of what is done with components."""

from __future__ import annotations

from typing import Any

from tests.catalog.api.conftest import ApiClient

SCHEMA = {
    "type": "object",
    "$defs": {"Count": {"type": "integer", "minimum": 0, "default": 1}},
    "properties": {"replicas": {"$ref": "#/$defs/Count"}, "tier": {"type": "string", "x-shop": "kept in types"}},
}


def deployment(**spec: Any) -> dict[str, Any]:
    """A template of the type's one object."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "${metadata.name}", "namespace": "${metadata.namespace}"},
        "spec": {"replicas": "${environmentConfigs.replicas}", **spec},
    }


def make_types(api: ApiClient, namespace: str) -> None:
    """A component type with a schema for environments, and a trait with one."""
    api.create(
        f"/api/v1/namespaces/{namespace}/componenttypes",
        {
            "metadata": {"name": "service"},
            "spec": {
                "workloadType": "deployment",
                "parameters": {"openAPIV3Schema": {**SCHEMA, "required": ["tier"]}},
                "environmentConfigs": {"openAPIV3Schema": SCHEMA},
                "allowedTraits": [{"kind": "Trait", "name": "cache"}],
                "resources": [{"id": "deployment", "template": deployment()}],
            },
        },
    )
    size = {"type": "object", "properties": {"size": {"type": "integer"}}}
    api.create(
        f"/api/v1/namespaces/{namespace}/traits",
        {"metadata": {"name": "cache"}, "spec": {"environmentConfigs": {"openAPIV3Schema": size}}},
    )


def make_component(api: ApiClient, namespace: str, name: str = "web", **spec: Any) -> None:
    """A project `shop` if there is none, and a component of it."""
    if api.get(f"/api/v1/namespaces/{namespace}/projects/shop").status_code == 404:
        api.create(f"/api/v1/namespaces/{namespace}/projects", {"metadata": {"name": "shop"}, "spec": {}})
    api.create(
        f"/api/v1/namespaces/{namespace}/components",
        {
            "metadata": {"name": name},
            "spec": {
                "owner": {"projectName": "shop"},
                "componentType": {"kind": "ComponentType", "name": "deployment/service"},
                "parameters": {"tier": "gold"},
                **spec,
            },
        },
    )


def make_workload(api: ApiClient, namespace: str, component: str = "web", image: str = "web:1") -> None:
    api.create(
        f"/api/v1/namespaces/{namespace}/workloads",
        {
            "metadata": {"name": f"{component}-workload"},
            "spec": {"owner": {"projectName": "shop", "componentName": component}, "container": {"image": image}},
        },
    )
