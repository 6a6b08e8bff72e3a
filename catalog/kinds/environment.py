"""Environment: a stage that components are deployed to (development, production), on one data plane."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.kinds import refs
from catalog.kinds.base import Document, FieldError, Namespaced, Ref, reference_to
from catalog.kinds.gateway import gateway
from catalog.kinds.rules import invalid
from catalog.kinds.schema import boolean, obj, string
from catalog.kinds.shapes import typed_ref

PLANE_STAYS = "dataPlaneRef is immutable once set"


class Environment(Namespaced):
    kind = "Environment"
    plural = "environments"
    finalizer = "openchoreo.dev/environment-cleanup"
    spec_schema = obj(
        {
            "dataPlaneRef": typed_ref("DataPlane", "ClusterDataPlane", name_shape=string()),
            "isProduction": boolean(),
            "gateway": gateway(),
        }
    )

    data_plane = reference_to("DataPlane")
    cluster_data_plane = reference_to("ClusterDataPlane")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        yield from refs.to_typed(spec.get("dataPlaneRef"), namespace)

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterator[FieldError]:
        held = old["spec"].get("dataPlaneRef") if old else None
        if held is None:
            return
        wanted = new["spec"].get("dataPlaneRef")
        if wanted is None:
            # The words of Kubernetes for a rule that looks at a field that is gone.
            yield invalid("spec", f"no such key: dataPlaneRef evaluating rule: {PLANE_STAYS}", new["spec"])
        elif wanted != held:
            yield invalid("spec", PLANE_STAYS, new["spec"])
