"""The manifests of a release in an environment: the compiler's input from what is stored, and its output by plane.

The release is a snapshot: types, traits and workload come from it, never from the live objects. Called by the
ReleaseBinding controller, and by those who explain or preview what it does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from catalog import store
from catalog.compiler import component as pipeline
from catalog.compiler.component.endpoint_urls import endpoint_statuses
from catalog.compiler.component.network_policy import network_policy
from catalog.compiler.documents import Document, section, spec_of
from catalog.compiler.metadata import component_metadata
from catalog.compiler.releases import component_documents
from catalog.controllers.connections import Connections, resolve_connections
from catalog.controllers.registry import Watch
from catalog.controllers.release_surroundings import Surroundings, find_surroundings
from catalog.controllers.resource_dependencies import ResourceDependencies, resolve_resource_dependencies
from catalog.controllers.secret_references import secret_references
from catalog.kinds.environment import Environment
from catalog.kinds.observability_alerts_notification_channel import ObservabilityAlertsNotificationChannel
from catalog.kinds.release_binding import ReleaseBinding
from catalog.store.changes import Change


@dataclass(frozen=True, slots=True)
class Manifests:
    """The objects for each plane in the order of their application, and the addresses that follow from them."""

    data_plane: list[Document]
    observability_plane: list[Document]
    endpoints: list[Document]


def render_manifests(
    binding: ReleaseBinding,
    surroundings: Surroundings,
    secrets: Mapping[str, Document],
    connections: Connections,
    resources: ResourceDependencies,
) -> Manifests:
    """Render the release. Raises a `CompilerError`."""
    channel = default_channel(surroundings.environment)
    return manifests_of(render_input_of(binding, surroundings, secrets, connections, resources, channel))


def input_of_binding(binding: ReleaseBinding) -> Document:
    """The compiler's input as the controller would have it now. Raises `NotSynced` or `SecretMissing`."""
    surroundings = find_surroundings(binding)
    environment = surroundings.environment
    workload = section(surroundings.release.spec, "workload")
    secrets = secret_references(binding.namespace_name, workload, binding.spec.get("workloadOverrides"))
    connections = resolve_connections(binding, environment, workload)
    resources = resolve_resource_dependencies(binding, environment, workload)
    return render_input_of(binding, surroundings, secrets, connections, resources, default_channel(environment))


def render_input_of(
    binding: ReleaseBinding,
    surroundings: Surroundings,
    secrets: Mapping[str, Document],
    connections: Connections,
    resources: ResourceDependencies,
    channel: str,
) -> Document:
    """The compiler's input (`compiler.component.render`); the component type has its kind, for explanations."""
    release, component, project, environment, plane = (
        store.to_document(obj, with_status=False)
        for obj in (
            surroundings.release,
            surroundings.component,
            surroundings.project,
            surroundings.environment,
            surroundings.data_plane,
        )
    )
    frozen = component_documents(release)
    kind = release["spec"]["componentType"].get("kind")
    return {
        **frozen,
        "ComponentType": {"kind": kind, **frozen["ComponentType"]},
        "ReleaseBinding": store.to_document(binding, with_status=False),
        "Environment": environment,
        "DataPlane": plane,
        "Metadata": component_metadata(release, component, project, environment, plane),
        "SecretReferences": secrets,
        "DefaultNotificationChannel": channel,
        "DependencyItems": connections.items,
        "ResourceDependencyItems": resources.items,
    }


def manifests_of(render_input: Document) -> Manifests:
    """Render, add the network policy, and find the addresses. Raises a `CompilerError`."""
    output = pipeline.render(render_input)
    endpoints = section(spec_of(render_input["Workload"]), "endpoints")
    environment, plane = render_input["Environment"], render_input["DataPlane"]
    on_data_plane = [*output.on_plane("dataplane"), network_policy(render_input["Metadata"], endpoints, plane)]
    return Manifests(
        on_data_plane,
        output.on_plane("observabilityplane"),
        endpoint_statuses(on_data_plane, endpoints, environment, plane),
    )


def default_channel(environment: Environment) -> str:
    """The name of the environment's default notification channel, "" if there is none."""
    rows = ObservabilityAlertsNotificationChannel.objects.system("reconcile").filter(
        environment_id=environment.pk, deleted_at=None
    )
    for name, spec in rows.order_by("name").values_list("name", "spec"):
        if spec.get("isEnvDefault"):
            return name
    return ""


def bindings_with_channel() -> Watch:
    """A notification channel concerns the bindings in its environment: alert rules fall back on the default one."""

    def mapping(change: Change, watcher: str) -> Iterable[int]:
        environment = change.obj.environment_id  # type: ignore[attr-defined]
        if environment is None:
            return ()
        return (
            ReleaseBinding.objects.system("reconcile").filter(environment_id=environment).values_list("id", flat=True)
        )

    kind = ObservabilityAlertsNotificationChannel.kind
    return Watch(kind, mapping, frozenset({"created", "changed", "deleting", "deleted"}))
