"""Components for controller tests: a type, a component of it, its workload; and what they have become."""

from __future__ import annotations

from typing import Any

from catalog import store
from catalog.kinds.component_release import ComponentRelease
from catalog.kinds.release_binding import ReleaseBinding
from catalog.kinds.rendered_release import RenderedRelease
from tests.catalog.controllers import installation as it

COMPONENT, BINDING, RENDERED = "Component", "ReleaseBinding", "RenderedRelease"

DEPLOYMENT: dict[str, Any] = {
    "id": "deployment",
    "template": {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "${metadata.name}", "namespace": "${metadata.namespace}"},
        "spec": {
            "replicas": "${environmentConfigs.replicas}",
            "template": {
                "spec": {
                    "containers": [
                        {
                            "name": "main",
                            "image": "${workload.container.image}",
                            "env": "${dependencies.toContainerEnvs()}",
                        }
                    ]
                }
            },
        },
    },
}
SERVICE: dict[str, Any] = {
    "id": "service",
    "includeWhen": "${size(workload.endpoints) > 0}",
    "template": {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "${metadata.componentName}", "namespace": "${metadata.namespace}"},
        "spec": {"ports": "${workload.toServicePorts()}"},
    },
}
ALERT: dict[str, Any] = {
    "targetPlane": "observabilityplane",
    "template": {
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "ObservabilityAlertRule",
        "metadata": {"name": "${metadata.name}", "namespace": "${metadata.namespace}"},
        "spec": {"name": "${trait.instanceName}"},
    },
}
TYPE: dict[str, Any] = {
    "workloadType": "deployment",
    "allowedTraits": [{"kind": "ClusterTrait", "name": "alert"}, {"kind": "Trait", "name": "quota"}],
    "allowedWorkflows": [{"kind": "ClusterWorkflow", "name": "docker"}],
    "environmentConfigs": {
        "openAPIV3Schema": {"type": "object", "properties": {"replicas": {"type": "integer", "default": 1}}}
    },
    "resources": [DEPLOYMENT, SERVICE],
}
HTTP = {"type": "HTTP", "port": 8080, "visibility": ["project"]}


def install() -> None:
    """The installation, a project, and the type `service`."""
    it.install()
    it.apply_project()
    apply_type()


def apply_type(name: str = "service", kind: str = "ComponentType", **changes: Any) -> Any:
    return it.apply(kind, name, {key: value for key, value in {**TYPE, **changes}.items() if value is not None})


def apply_component(
    name: str = "web",
    project: str = "shop",
    type_name: str = "deployment/service",
    type_kind: str = "ComponentType",
    **spec: Any,
) -> Any:
    """A component that is deployed automatically, unless told otherwise."""
    return it.apply(
        COMPONENT,
        name,
        {
            "owner": {"projectName": project},
            "componentType": {"kind": type_kind, "name": type_name},
            "autoDeploy": True,
            **spec,
        },
    )


def apply_workload(
    component: str = "web", project: str = "shop", image: str = "web:1", name: str = "", **spec: Any
) -> Any:
    container = {"image": image, **spec.pop("container", {})}
    owner = {"projectName": project, "componentName": component}
    return it.apply("Workload", name or component, {"owner": owner, "container": container, **spec})


def apply_binding(
    release: str, environment: str = "staging", component: str = "web", project: str = "shop", **more: Any
) -> Any:
    spec = {
        "owner": {"projectName": project, "componentName": component},
        "environment": environment,
        **({"releaseName": release} if release else {}),
        **more.pop("spec", {}),
    }
    return it.apply(BINDING, f"{component}-{environment}", spec, **more)


def settle() -> None:
    """Let the controllers of components and their bindings work, and no other."""
    it.settle(COMPONENT, BINDING)


def deploy(name: str = "web", **workload: Any) -> None:
    """A component with its workload, released and rendered."""
    apply_component(name)
    apply_workload(name, **workload)
    settle()


def component(name: str = "web") -> Any:
    return it.get(COMPONENT, name)


def binding(environment: str = "development", name: str = "web") -> Any:
    return it.get(BINDING, f"{name}-{environment}")


def rendered(environment: str = "development", name: str = "web") -> RenderedRelease:
    found: Any = store.get(RENDERED, "default", f"{name}-{environment}")
    return found


def manifests(environment: str = "development", name: str = "web") -> dict[str, Any]:
    """The rendered objects for the data plane, by kind."""
    return {entry["object"]["kind"]: entry["object"] for entry in rendered(environment, name).full_spec()["resources"]}


def container_of(environment: str = "development", name: str = "web") -> dict[str, Any]:
    found: dict[str, Any] = manifests(environment, name)["Deployment"]["spec"]["template"]["spec"]["containers"][0]
    return found


def releases() -> list[str]:
    return list(ComponentRelease.objects.system("test").order_by("created_at", "id").values_list("name", flat=True))


def bindings() -> list[str]:
    return list(ReleaseBinding.objects.system("test").values_list("name", flat=True))


def ready(obj: Any) -> tuple[str, str, str]:
    """Status, reason and message of Ready."""
    held = obj.condition("Ready")
    return held["status"], held["reason"], held["message"]
