"""The shapes and rules that the three sorts of planes share."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.kinds.base import Document, FieldError
from catalog.kinds.rules import invalid
from catalog.kinds.schema import Schema, obj, string
from catalog.kinds.shapes import DNS_LABEL, typed_ref

OBSERVABILITY_PLANE_KINDS = ("ObservabilityPlane", "ClusterObservabilityPlane")


def plane_fields(*, cluster: bool) -> dict[str, Schema]:
    """How the plane's agent is known. Only namespaced planes may leave out the id, and then go by their own name."""
    certificate = obj(
        {
            "value": string(),
            "secretKeyRef": obj({"name!": string(), "namespace": string(), "key!": string()}),
        }
    )
    plane_id = string(pattern=DNS_LABEL, max_length=63)
    return {"planeID!" if cluster else "planeID": plane_id, "clusterAgent!": obj({"clientCA!": certificate})}


def secret_store_ref() -> Schema:
    """The store on the plane that secrets are read from."""
    return obj({"name!": string()})


def observability_plane_ref(*, cluster: bool) -> Schema:
    """Where logs and metrics of the plane are found. A cluster plane can only refer to a cluster plane."""
    kinds = OBSERVABILITY_PLANE_KINDS[1:] if cluster else OBSERVABILITY_PLANE_KINDS
    return typed_ref(*kinds, name_shape=string(pattern=DNS_LABEL, min_length=1, max_length=63))


def cluster_plane_violations(kind: str, new: Document) -> Iterator[FieldError]:
    """A cluster plane refers to a cluster plane. The field's enum refuses others first; the contract says it twice."""
    ref = new["spec"].get("observabilityPlaneRef") or {}
    if ref.get("kind", "ClusterObservabilityPlane") != "ClusterObservabilityPlane":
        yield invalid("spec.observabilityPlaneRef", f"{kind} can only reference ClusterObservabilityPlane", ref)
