"""A platform with something of everything, for calls of every tool: deployed on the Git plane of the installation."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml

from catalog import store
from catalog.controllers import runtime
from portal.quickstart import content
from tests.factories import TESTER

REPOSITORY = {"repository": {"url": "https://git.example.org/acme/shop.git"}}


def apply(kind: str, name: str, spec: dict[str, Any], namespace: str = "default") -> Any:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    document = {"apiVersion": "openchoreo.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}
    return store.apply(document, TESTER).obj


def seed() -> None:
    """The quickstart's content; a deployed component `web`, one that is built from source, a database, a run."""
    content.apply_directory(content.DEFAULTS)
    deploy("web")
    apply("Component", "built", component_spec(autoDeploy=False, workflow={
        "kind": "ClusterWorkflow", "name": "dockerfile-builder", "parameters": REPOSITORY,
    }))  # fmt: skip
    apply("Resource", "db", {"owner": {"projectName": "default"}, "type": POSTGRES, "parameters": {}})
    apply("SecretReference", "credentials", SECRET)
    apply("WorkflowRun", "build-1", {"workflow": {
        "kind": "ClusterWorkflow", "name": "dockerfile-builder", "parameters": REPOSITORY,
    }})  # fmt: skip
    runtime.drain()


def deploy(name: str, image: str = "registry.example.org/web:1") -> None:
    """A component with its workload."""
    apply("Component", name, component_spec(autoDeploy=True))
    owner = {"projectName": "default", "componentName": name}
    apply("Workload", f"{name}-workload", {"owner": owner, **workload_spec(image)})


def component_spec(**more: Any) -> dict[str, Any]:
    reference = {"kind": "ClusterComponentType", "name": "deployment/service"}
    return {"owner": {"projectName": "default"}, "componentType": reference, **more}


def workload_spec(image: str = "registry.example.org/web:1") -> dict[str, Any]:
    return {"container": {"image": image}, "endpoints": {"http": {"type": "HTTP", "port": 8080}}}


POSTGRES = {"kind": "ClusterResourceType", "name": "postgres"}
SECRET = {
    "template": {"type": "Opaque"},
    "data": [{"secretKey": "password", "remoteRef": {"key": "default/db", "property": "password"}}],
}


@cache
def defaults() -> dict[tuple[str, str], dict[str, Any]]:
    """The specs of what the quickstart begins with, by kind and name."""
    found = {}
    for path in sorted(content.DEFAULTS.glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text()):
            if document:
                found[document["kind"], document["metadata"]["name"]] = document.get("spec") or {}
    return found
