"""ClusterObservabilityPlane: an ObservabilityPlane for all namespaces."""

from __future__ import annotations

from catalog.kinds.base import ClusterScoped
from catalog.kinds.observability_plane import observability_plane_spec


class ClusterObservabilityPlane(ClusterScoped):
    kind = "ClusterObservabilityPlane"
    plural = "clusterobservabilityplanes"
    finalizer = "openchoreo.dev/clusterobservabilityplane-cleanup"
    spec_schema = observability_plane_spec(cluster=True)
