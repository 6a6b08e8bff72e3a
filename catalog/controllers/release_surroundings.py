"""What a component's release needs around it before it can be rendered: found in the order of the contract.

Release, environment, data plane, component, project. The first that is missing is the reason of ReleaseSynced=False.
Called by the ReleaseBinding controller.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from catalog.controllers.binding_sync import NotSynced, found
from catalog.controllers.planes import resolve_data_plane
from catalog.kinds.base import PlatformObject
from catalog.kinds.component import Component
from catalog.kinds.component_release import ComponentRelease
from catalog.kinds.environment import Environment
from catalog.kinds.project import Project
from catalog.kinds.release_binding import ReleaseBinding

RELATED = (
    "component_release",
    "environment__data_plane",
    "environment__cluster_data_plane",
    "component",
    "project",
)
"""The foreign keys that are followed here."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything that a render takes its names, gateways and uids from."""

    release: ComponentRelease
    environment: Environment
    data_plane: PlatformObject
    component: Component
    project: Project


def find_surroundings(
    binding: ReleaseBinding, find_plane: Callable[[Environment], PlatformObject | None] = resolve_data_plane
) -> Surroundings:
    """All of it. Raises `NotSynced`. Previews find the plane in their own way."""
    spec = binding.spec
    owner = spec["owner"]
    release = found(
        binding.component_release,
        "ComponentReleaseNotFound",
        f'ComponentRelease "{spec.get("releaseName") or ""}" not found',
    )
    check_release(release, owner)
    environment = found(binding.environment, "EnvironmentNotFound", f'Environment "{spec["environment"]}" not found')
    data_plane = found(
        find_plane(environment),
        "DataPlaneNotFound",
        f'DataPlane not found for environment "{environment.name}"',
    )
    component = found(binding.component, "ComponentNotFound", f'Component "{owner["componentName"]}" not found')
    project = found(binding.project, "ProjectNotFound", f'Project "{owner["projectName"]}" not found')
    return Surroundings(release, environment, data_plane, component, project)


def check_release(release: ComponentRelease, owner: dict[str, str]) -> None:
    """The release has something to render, and belongs to the component that the binding deploys."""
    held = release.spec["owner"]
    problem = ""
    if release.spec["componentType"]["spec"].get("resources") is None:
        problem = "component type has no resources"
    elif (held["projectName"], held["componentName"]) != (owner["projectName"], owner["componentName"]):
        problem = (
            f'release binding owner (project: "{owner["projectName"]}", component: "{owner["componentName"]}") '
            f'does not match component release owner (project: "{held["projectName"]}", '
            f'component: "{held["componentName"]}")'
        )
    if problem:
        raise NotSynced("InvalidReleaseConfiguration", f"Invalid ComponentRelease configuration: {problem}")
