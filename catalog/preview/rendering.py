"""Rendering bindings in a world, by the functions that their controllers use.

A binding is given as the world has it; the release beside it is the one to render, which is not always the one that the
binding names.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog import store
from catalog.compiler import resource as resource_pipeline
from catalog.compiler.documents import Document, section
from catalog.compiler.errors import CompilerError
from catalog.compiler.explain import Place, find_fault
from catalog.compiler.metadata import project_metadata
from catalog.compiler.rendered import OBSERVABILITY_PLANE, component_entries
from catalog.controllers import project_release_binding, resource_release_binding
from catalog.controllers.binding_releases import why_second_is_skipped
from catalog.controllers.binding_sync import NotSynced, found
from catalog.controllers.component_manifests import manifests_of, render_input_of
from catalog.controllers.connections import resolve_connections
from catalog.controllers.release_surroundings import find_surroundings
from catalog.controllers.resource_dependencies import resolve_resource_dependencies
from catalog.controllers.secret_references import SecretMissing, secret_references
from catalog.kinds.base import PlatformObject
from catalog.kinds.rendered_release import RenderedRelease
from catalog.preview.world import Moment, World

DATA_PLANE = "dataplane"


class NotRendered(Exception):
    """Why a binding cannot be rendered: the reason of its condition, and the document and field to blame if known."""

    def __init__(self, reason: str, message: str, render_input: Document | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self._render_input = render_input

    def place(self) -> Place | None:
        """The field that is to blame, None if no single one is. Renders once more."""
        return None if self._render_input is None else find_fault(self._render_input)


@dataclass
class Rendering:
    """What a binding renders: `{id, object}` by plane in the order of application, and what others may see of it."""

    entries: dict[str, list[Document]] = field(default_factory=dict)
    endpoints: list[Document] = field(default_factory=list)
    outputs: list[Document] | None = None
    depends_on: frozenset[tuple[str, str]] = frozenset()
    """Kind and name of the components and resources that are looked up."""


def render_component(
    world: World, binding: Any, release: Any, component: PlatformObject | None, moment: Moment
) -> Rendering:
    """What the ReleaseBinding controller would write. Raises `NotRendered`."""
    binding = copy.copy(binding)
    world.link(binding)
    binding.component, binding.component_release = component, release
    if binding.spec.get("state") == "Undeploy":
        return Rendering()
    render_input = None
    try:
        surroundings = find_surroundings(binding, world.data_plane_of)
        environment = surroundings.environment
        workload = section(surroundings.release.spec, "workload")
        overrides = binding.spec.get("workloadOverrides")
        secrets = secret_references(binding.namespace_name, workload, overrides, world.secret_specs)
        connections = resolve_connections(binding, environment, workload, world.connections_at(moment))
        resources = resolve_resource_dependencies(binding, environment, workload, world.resources_at(moment))
        channel = world.channel_of(environment)
        render_input = render_input_of(binding, surroundings, secrets, connections, resources, channel)
        manifests = manifests_of(render_input)
    except NotSynced as problem:
        raise NotRendered(problem.reason, problem.message) from None
    except (SecretMissing, CompilerError) as problem:
        raise NotRendered("RenderingFailed", str(problem), render_input) from None
    entries = {DATA_PLANE: component_entries(manifests.data_plane)}
    if why_second_is_skipped(manifests, surroundings.data_plane) is None:
        entries[OBSERVABILITY_PLANE] = component_entries(manifests.observability_plane)
    depends_on = {("Component", target["component"]) for target in connections.targets}
    depends_on |= {("Resource", target["resourceName"]) for target in resources.targets}
    return Rendering(entries, manifests.endpoints, depends_on=frozenset(depends_on))


def render_project(world: World, binding: Any, release: Any, project: PlatformObject | None) -> Rendering:
    """What the ProjectReleaseBinding controller would write. Raises `NotRendered`."""
    binding = copy.copy(binding)
    world.link(binding)
    binding.project, binding.project_release = project, release
    try:
        frozen = project_release_binding.pinned_release(pinned(binding, "projectRelease", release))
        documents = documents_around(world, binding, project)
        metadata = project_metadata(store.to_document(binding, with_status=False), *documents)
        entries = project_release_binding.render(binding, frozen, metadata, documents[1], documents[2])
    except NotSynced as problem:
        raise NotRendered(problem.reason, problem.message) from None
    return Rendering({DATA_PLANE: entries})


def render_resource(world: World, binding: Any, release: Any, resource: Any, held: RenderedRelease | None) -> Rendering:
    """What the ResourceReleaseBinding controller would write. Raises `NotRendered`.

    `held`: what is rendered now; outputs that ask the plane get the answers that it has given for that.
    """
    binding = copy.copy(binding)
    world.link(binding)
    binding.resource, binding.resource_release = resource, release
    try:
        frozen = resource_release_binding.pinned_release(pinned(binding, "resourceRelease", release))
        environment, plane = environment_and_plane(world, binding)
        name = binding.spec["owner"]["resourceName"]
        resource = found(resource, "ResourceNotFound", f'Resource "{name}" not found')
        project = found(
            binding.project, "ProjectNotFound", f'Project "{binding.spec["owner"]["projectName"]}" not found'
        )
        documents = [store.to_document(item, with_status=False) for item in (resource, project, environment, plane)]
        render_input = resource_release_binding.input_of(binding, frozen, *documents)
        entries = resource_release_binding.render(render_input)
    except NotSynced as problem:
        raise NotRendered(problem.reason, problem.message) from None
    return Rendering({DATA_PLANE: entries}, outputs=outputs_of(render_input, binding, held))


def outputs_of(render_input: Document, binding: PlatformObject, held: RenderedRelease | None) -> list[Document]:
    """The outputs that the binding's status would show: they stay as they are where none resolves."""
    observed = resource_release_binding.observed_statuses((held.status.get("resources") or ()) if held else ())
    try:
        return resource_pipeline.outputs(render_input, observed)
    except resource_pipeline.OutputsNotResolvedError as error:
        return error.resolved or list(binding.status.get("outputs") or ())
    except CompilerError:
        return list(binding.status.get("outputs") or ())


def pinned(binding: Any, field_name: str, release: PlatformObject | None) -> Any:
    """The binding with the release's name as its pin."""
    if release is not None:
        binding.spec = {**binding.spec, field_name: release.name}
    return binding


def environment_and_plane(world: World, binding: Any) -> tuple[Any, PlatformObject]:
    """Raises `NotSynced`."""
    environment = found(
        binding.environment, "EnvironmentNotFound", f'Environment "{binding.spec["environment"]}" not found'
    )
    plane = found(
        world.data_plane_of(environment),
        "DataPlaneNotFound",
        f'DataPlane not found for environment "{environment.name}"',
    )
    return environment, plane


def documents_around(world: World, binding: Any, project: PlatformObject | None) -> list[Document]:
    """Project, environment and plane as documents. Raises `NotSynced`."""
    environment, plane = environment_and_plane(world, binding)
    held = found(project, "ProjectNotFound", f'Project "{binding.spec["owner"]["projectName"]}" not found')
    return [store.to_document(item, with_status=False) for item in (held, environment, plane)]


def as_planes(rendering: Rendering) -> Mapping[str, list[Document]]:
    """The objects by plane, without the planes that get none."""
    return {plane: entries for plane, entries in rendering.entries.items() if entries}
