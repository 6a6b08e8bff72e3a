"""SecretReference: a pointer to a secret in an external store; the secret itself never passes through here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.kinds import refs
from catalog.kinds.base import Namespaced, Ref, reference_to
from catalog.kinds.schema import array, enum, map_of, obj, string
from catalog.kinds.shapes import name, typed_ref

SECRET_TYPES = (
    "Opaque",
    "kubernetes.io/dockerconfigjson",
    "kubernetes.io/dockercfg",
    "kubernetes.io/basic-auth",
    "kubernetes.io/ssh-auth",
    "kubernetes.io/tls",
    "bootstrap.kubernetes.io/token",
)


class SecretReference(Namespaced):
    kind = "SecretReference"
    plural = "secretreferences"
    spec_schema = obj(
        {
            "targetPlane": typed_ref("WorkflowPlane", "ClusterWorkflowPlane", "DataPlane", "ClusterDataPlane"),
            "template!": obj(
                {
                    "type": enum(*SECRET_TYPES, default="Opaque"),
                    "metadata": obj({"labels": map_of(string()), "annotations": map_of(string())}),
                }
            ),
            "data!": array(
                obj(
                    {
                        "secretKey!": name(),
                        "remoteRef!": obj({"key!": name(), "property": string(), "version": string()}),
                    }
                ),
                min_items=1,
            ),
            "refreshInterval": string(default="1h"),
        }
    )

    data_plane = reference_to("DataPlane")
    cluster_data_plane = reference_to("ClusterDataPlane")
    workflow_plane = reference_to("WorkflowPlane")
    cluster_workflow_plane = reference_to("ClusterWorkflowPlane")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        yield from refs.to_typed(spec.get("targetPlane"), namespace)
