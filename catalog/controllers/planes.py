"""Which planes serve an environment, with the defaults that hold where nothing is named.

An environment without `dataPlaneRef` lives on the DataPlane `default` of its namespace, else on the ClusterDataPlane
`default`; a data plane without `observabilityPlaneRef` falls back on the observability planes in the same way.
A reference to a plane that does not exist resolves to nothing: there is no fallback from a name. Shared by the
controllers of all bindings and by delivery.
"""

from __future__ import annotations

from catalog.kinds.base import PlatformObject
from catalog.kinds.cluster_data_plane import ClusterDataPlane
from catalog.kinds.cluster_observability_plane import ClusterObservabilityPlane
from catalog.kinds.data_plane import DataPlane
from catalog.kinds.environment import Environment
from catalog.kinds.observability_plane import ObservabilityPlane

DEFAULT_PLANE = "default"


def resolve_data_plane(environment: Environment) -> PlatformObject | None:
    """The DataPlane or ClusterDataPlane of an environment, or None if there is none."""
    reference = environment.spec.get("dataPlaneRef") or {}
    if reference.get("name"):
        named: PlatformObject | None = (
            environment.cluster_data_plane if reference.get("kind") == "ClusterDataPlane" else environment.data_plane
        )
        return named
    return (
        DataPlane.objects.system("reconcile")
        .filter(namespace_id=environment.namespace_name, name=DEFAULT_PLANE)
        .first()
        or ClusterDataPlane.objects.system("reconcile").filter(name=DEFAULT_PLANE).first()
    )


def resolve_observability_plane(data_plane: PlatformObject) -> PlatformObject | None:
    """The ObservabilityPlane or ClusterObservabilityPlane of a data plane, or None if there is none."""
    reference = data_plane.spec.get("observabilityPlaneRef") or {}
    name = reference.get("name") or DEFAULT_PLANE
    if isinstance(data_plane, ClusterDataPlane) or reference.get("kind") == "ClusterObservabilityPlane":
        return ClusterObservabilityPlane.objects.system("reconcile").filter(name=name).first()
    namespaced: PlatformObject | None = (
        ObservabilityPlane.objects.system("reconcile").filter(namespace_id=data_plane.namespace_name, name=name).first()
    )
    if namespaced is None and not reference.get("name"):
        return ClusterObservabilityPlane.objects.system("reconcile").filter(name=DEFAULT_PLANE).first()
    return namespaced
