"""A small complete render input, for tests to vary."""

from __future__ import annotations

from typing import Any

LABELS = {"openchoreo.dev/component": "web"}
METADATA = {
    **{
        field: field
        for field in ("componentUID", "projectName", "projectUID", "dataPlaneName", "dataPlaneUID", "environmentUID")
    },
    "componentName": "web",
    "environmentName": "dev",
    "name": "web-dev-1",
    "namespace": "dp",
    "componentNamespace": "acme",
    "labels": LABELS,
    "annotations": {},
    "podSelectors": LABELS,
}
DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "${metadata.name}"},
    "spec": {"template": {"spec": {"containers": [{"name": "main", "image": "${workload.container.image}"}]}}},
}


def schema(**properties: Any) -> dict:
    return {"openAPIV3Schema": {"type": "object", "properties": properties}}


def config_map(name: str, **data: Any) -> dict:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def render_input(
    *resources: dict,
    type_spec: dict | None = None,
    traits: dict[str, dict] | None = None,
    uses: list[dict] | None = None,
    parameters: dict | None = None,
    **more: Any,
) -> dict:
    """An input of which the type renders a Deployment and ``resources`` (entries, or bare templates)."""
    entries = [
        item if "template" in item else {"id": f"r{index}", "template": item} for index, item in enumerate(resources)
    ]
    spec = {"workloadType": "deployment", "resources": [{"id": "deployment", "template": DEPLOYMENT}, *entries]}
    return {
        "ComponentType": {"metadata": {"name": "deployment/web"}, "spec": {**spec, **(type_spec or {})}},
        "Component": {"metadata": {"name": "web"}, "spec": {"parameters": parameters, "traits": uses or []}},
        "Traits": [
            {"kind": "Trait", "metadata": {"name": name}, "spec": trait} for name, trait in (traits or {}).items()
        ],
        "Workload": {"spec": {"container": {"image": "img:1"}}},
        "Environment": {"spec": {}},
        "DataPlane": {"spec": {}},
        "Metadata": METADATA,
        **more,
    }


def use(name: str, instance: str = "", **parameters: Any) -> dict:
    """A use of a trait by the component."""
    return {"name": name, "instanceName": instance or name, "parameters": parameters}
