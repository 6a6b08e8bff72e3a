"""DataPlane: a place where components run. ClusterDataPlane is its cluster twin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.kinds import refs
from catalog.kinds.base import Namespaced, Ref, reference_to
from catalog.kinds.gateway import gateway
from catalog.kinds.plane import observability_plane_ref, plane_fields, secret_store_ref
from catalog.kinds.schema import Schema, obj


def data_plane_spec(*, cluster: bool) -> Schema:
    """The spec of both data plane kinds."""
    return obj(
        {
            **plane_fields(cluster=cluster),
            "gateway": gateway(),
            "secretStoreRef": secret_store_ref(),
            "observabilityPlaneRef": observability_plane_ref(cluster=cluster),
        }
    )


class DataPlane(Namespaced):
    kind = "DataPlane"
    plural = "dataplanes"
    finalizer = "openchoreo.dev/dataplane-cleanup"
    spec_schema = data_plane_spec(cluster=False)

    observability_plane = reference_to("ObservabilityPlane")
    cluster_observability_plane = reference_to("ClusterObservabilityPlane")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        yield from refs.to_typed(spec.get("observabilityPlaneRef"), namespace)
