"""ClusterDataPlane: a DataPlane for all namespaces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.kinds import refs
from catalog.kinds.base import ClusterScoped, Document, FieldError, Ref, reference_to
from catalog.kinds.data_plane import data_plane_spec
from catalog.kinds.plane import cluster_plane_violations


class ClusterDataPlane(ClusterScoped):
    kind = "ClusterDataPlane"
    plural = "clusterdataplanes"
    finalizer = "openchoreo.dev/clusterdataplane-cleanup"
    spec_schema = data_plane_spec(cluster=True)

    cluster_observability_plane = reference_to("ClusterObservabilityPlane")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        yield from refs.to_typed(spec.get("observabilityPlaneRef"), namespace)

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return cluster_plane_violations(cls.kind, new)
