"""ObservabilityPlane: where logs, metrics and alerts live. ClusterObservabilityPlane is its cluster twin."""

from __future__ import annotations

from catalog.kinds.base import Namespaced
from catalog.kinds.plane import plane_fields
from catalog.kinds.schema import Schema, obj, string


def observability_plane_spec(*, cluster: bool) -> Schema:
    """The spec of both observability plane kinds."""
    return obj(
        {
            **plane_fields(cluster=cluster),
            "observerURL!": string(),
            "rcaAgentURL": string(),
            "finOpsAgentURL": string(),
        }
    )


class ObservabilityPlane(Namespaced):
    kind = "ObservabilityPlane"
    plural = "observabilityplanes"
    finalizer = "openchoreo.dev/observabilityplane-cleanup"
    spec_schema = observability_plane_spec(cluster=False)
