"""Objects recorded from a running control plane, by stage, kind, namespace and name; and renders made from them."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path

from catalog.compiler import component, gateway, metadata, project, releases, rendered, resource
from catalog.compiler.component.connections import (
    connection_targets,
    endpoint_dependency_items,
    resolve_connection,
)
from catalog.compiler.component.network_policy import network_policy
from catalog.compiler.component.resource_dependencies import (
    declared_resources,
    resolve_resource_dependency,
    resource_dependency_targets,
)


class Recording:
    """All objects of one stage of a recording. Methods render what a binding must give."""

    def __init__(self, path: Path, stage: str) -> None:
        self._path = path
        self._stage = stage

    @cached_property
    def objects(self) -> list[dict]:
        lines = map(json.loads, self._path.read_text(encoding="utf-8").splitlines())
        return [line["object"] for line in lines if line["stage"] == self._stage]

    @cached_property
    def _by_key(self) -> dict[tuple[str, str, str], dict]:
        return {
            (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"]): item
            for item in self.objects
        }

    def get(self, kind: str, namespace: str, name: str) -> dict:
        return self._by_key[kind, namespace, name]

    def all(self, kind: str, namespace: str | None = None) -> list[dict]:
        return [
            item
            for item in self.objects
            if item["kind"] == kind and namespace in (None, item["metadata"].get("namespace"))
        ]

    def environment_and_plane(self, binding: dict) -> tuple[dict, dict]:
        environment = self.get("Environment", binding["metadata"]["namespace"], binding["spec"]["environment"])
        reference = environment["spec"]["dataPlaneRef"]
        assert reference["kind"] == "ClusterDataPlane"
        return environment, self.get("ClusterDataPlane", "", reference["name"])

    def bindings_of(self, kind: str, namespace: str, environment: str, **owner: str) -> list[dict]:
        return [
            binding
            for binding in self.all(kind, namespace)
            if binding["spec"]["environment"] == environment
            and all(binding["spec"]["owner"].get(field) == value for field, value in owner.items())
        ]

    def connections(self, binding: dict) -> tuple[list[dict], list[dict], list[dict]]:
        """Return targets, resolved and pending connections of a ReleaseBinding."""
        namespace, environment = binding["metadata"]["namespace"], binding["spec"]["environment"]
        targets = connection_targets(
            self.release(binding)["spec"]["workload"], namespace, binding["spec"]["owner"]["projectName"], environment
        )
        resolved, pending = [], []
        for target in targets:
            providers = self.bindings_of(
                "ReleaseBinding",
                target["namespace"],
                target["environment"],
                projectName=target["project"],
                componentName=target["component"],
            )
            found, waiting = resolve_connection(target, providers)
            (resolved if found else pending).append(found or waiting)
        return targets, resolved, pending

    def release(self, binding: dict) -> dict:
        return self.get("ComponentRelease", binding["metadata"]["namespace"], binding["spec"]["releaseName"])

    def component_releases(self, binding: dict) -> list[dict]:
        """Return the RenderedReleases of a ReleaseBinding."""
        namespace, owner = binding["metadata"]["namespace"], binding["spec"]["owner"]
        release = self.release(binding)
        environment, plane = self.environment_and_plane(binding)
        described = metadata.component_metadata(
            release,
            self.get("Component", namespace, owner["componentName"]),
            self.get("Project", namespace, owner["projectName"]),
            environment,
            plane,
        )
        workload = release["spec"]["workload"]
        _, resolved, _ = self.connections(binding)
        output = component.render(
            {
                **releases.component_documents(release),
                "ReleaseBinding": binding,
                "Environment": environment,
                "DataPlane": plane,
                "Metadata": described,
                "SecretReferences": {item["metadata"]["name"]: item for item in self.all("SecretReference", namespace)},
                "DefaultNotificationChannel": self._default_channel(binding),
                "DependencyItems": endpoint_dependency_items(workload, namespace, owner["projectName"], resolved),
                "ResourceDependencyItems": self._resource_items(binding, workload),
            }
        )
        policy = network_policy(described, workload.get("endpoints") or {}, plane)
        on_data_plane = [*output.on_plane("dataplane"), policy]
        found = [rendered.rendered_release(binding, rendered.component_entries(on_data_plane))]
        if observed := output.on_plane("observabilityplane"):
            entries = rendered.component_entries(observed)
            found.append(rendered.rendered_release(binding, entries, "observabilityplane"))
        return found

    def project_release(self, binding: dict) -> dict:
        """Return the RenderedRelease of a ProjectReleaseBinding."""
        namespace = binding["metadata"]["namespace"]
        release = self.get("ProjectRelease", namespace, binding["spec"]["projectRelease"])
        environment, plane = self.environment_and_plane(binding)
        owner = self.get("Project", namespace, binding["spec"]["owner"]["projectName"])
        entries = project.render(
            {
                "ProjectTypeSpec": release["spec"]["projectType"]["spec"],
                "ProjectParameters": release["spec"].get("parameters"),
                "EnvironmentConfigs": binding["spec"].get("environmentConfigs"),
                "Metadata": metadata.project_metadata(binding, owner, environment, plane),
                "DataPlane": gateway.plane_context(plane),
                "Environment": gateway.environment_context(environment, plane),
            }
        )
        return rendered.rendered_release(binding, [entry._asdict() for entry in entries])

    def resource_input(self, binding: dict) -> dict:
        namespace, owner = binding["metadata"]["namespace"], binding["spec"]["owner"]
        release = self.get("ResourceRelease", namespace, binding["spec"]["resourceRelease"])
        environment, plane = self.environment_and_plane(binding)
        return {
            "ResourceType": {"spec": release["spec"]["resourceType"]["spec"]},
            "Resource": {"spec": {"parameters": release["spec"].get("parameters")}},
            "ResourceReleaseBinding": binding,
            "Metadata": metadata.resource_metadata(
                binding,
                self.get("Resource", namespace, owner["resourceName"]),
                self.get("Project", namespace, owner["projectName"]),
                environment,
                plane,
            ),
            "DataPlane": gateway.plane_context(plane),
            "Environment": gateway.environment_context(environment, plane),
        }

    def resource_release(self, binding: dict) -> dict:
        """Return the RenderedRelease of a ResourceReleaseBinding."""
        entries = resource.render(self.resource_input(binding))
        return rendered.rendered_release(binding, [entry._asdict() for entry in entries])

    def _default_channel(self, binding: dict) -> str:
        for channel in self.all("ObservabilityAlertsNotificationChannel", binding["metadata"]["namespace"]):
            if channel["spec"]["environment"] == binding["spec"]["environment"] and channel["spec"]["isEnvDefault"]:
                return channel["metadata"]["name"]
        return ""

    def _resource_items(self, binding: dict, workload: dict) -> list[dict]:
        namespace, environment = binding["metadata"]["namespace"], binding["spec"]["environment"]
        own_project = binding["spec"]["owner"]["projectName"]
        targets = resource_dependency_targets(workload, namespace, own_project, environment)
        found = []
        for declared, target in zip(declared_resources(workload), targets, strict=True):
            providers = self.bindings_of(
                "ResourceReleaseBinding",
                namespace,
                environment,
                projectName=own_project,
                resourceName=target["resourceName"],
            )
            item, _ = resolve_resource_dependency(declared, target, providers)
            if item is not None:
                found.append(item)
        return found
