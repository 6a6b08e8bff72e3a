"""The manifests of a release in an environment: the compiler's input from what is stored, and its output by plane.

The release is a snapshot: types, traits and workload come from it, never from the live objects. Called by the
ReleaseBinding controller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from catalog import store
from catalog.compiler import component as pipeline
from catalog.compiler.component.endpoint_urls import endpoint_statuses
from catalog.compiler.component.network_policy import network_policy
from catalog.compiler.documents import Document, section
from catalog.compiler.metadata import component_metadata
from catalog.compiler.releases import component_documents
from catalog.controllers.connections import Connections
from catalog.controllers.registry import Watch
from catalog.controllers.release_surroundings import Surroundings
from catalog.controllers.resource_dependencies import ResourceDependencies
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
    metadata = component_metadata(release, component, project, environment, plane)
    output = pipeline.render(
        {
            **component_documents(release),
            "ReleaseBinding": store.to_document(binding, with_status=False),
            "Environment": environment,
            "DataPlane": plane,
            "Metadata": metadata,
            "SecretReferences": secrets,
            "DefaultNotificationChannel": default_channel(surroundings.environment),
            "DependencyItems": connections.items,
            "ResourceDependencyItems": resources.items,
        }
    )
    endpoints = section(section(surroundings.release.spec, "workload"), "endpoints")
    on_data_plane = [*output.on_plane("dataplane"), network_policy(metadata, endpoints, plane)]
    return Manifests(
        on_data_plane,
        output.on_plane("observabilityplane"),
        endpoint_statuses(on_data_plane, endpoints, environment, plane),
    )


def default_channel(environment: Environment) -> str:
    """The name of the environment's default notification channel, "" if there is none."""
    rows = ObservabilityAlertsNotificationChannel.objects.filter(environment_id=environment.pk, deleted_at=None)
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
        return ReleaseBinding.objects.filter(environment_id=environment).values_list("id", flat=True)

    kind = ObservabilityAlertsNotificationChannel.kind
    return Watch(kind, mapping, frozenset({"created", "changed", "deleting", "deleted"}))
