"""How a plane is called at the gateway: `dataplane/prod/_cluster/default`, its type, its id and the object itself.

Several objects may share an id: they are the same cluster to an agent, and each decides by its own authority whether
the agent may speak for it.
"""

from __future__ import annotations

from typing import NamedTuple

from catalog.delivery.agent.messages import PLANE_TYPES
from catalog.kinds.base import PlatformObject

CLUSTER = "_cluster"
"""Stands for the namespace of objects that have none."""
TYPES = {
    "DataPlane": "dataplane", "ClusterDataPlane": "dataplane",
    "WorkflowPlane": "workflowplane", "ClusterWorkflowPlane": "workflowplane",
    "ObservabilityPlane": "observabilityplane", "ClusterObservabilityPlane": "observabilityplane",
}  # fmt: skip


class NoHead(ValueError):
    """What was given cannot name a plane."""


class Head(NamedTuple):
    """A plane at the gateway. `namespace` is "" for cluster kinds."""

    plane_type: str
    plane_id: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.plane_type}/{self.plane_id}/{self.namespace or CLUSTER}/{self.name}"

    @property
    def key(self) -> str:
        """The object without type and id, as OpenChoreo's gateway writes it: `/default`, `shop/default`."""
        return f"{self.namespace}/{self.name}"

    @property
    def kind(self) -> str:
        kinds = [kind for kind, plane_type in TYPES.items() if plane_type == self.plane_type]
        return kinds[0] if self.namespace else kinds[1]


def head_of(plane: PlatformObject) -> Head:
    """A plane without an id goes by its name."""
    plane_id = str(plane.spec.get("planeID") or plane.name)
    return Head(TYPES[plane.kind], plane_id, plane.namespace_name, plane.name)


def parse_head(text: str) -> Head:
    """The reverse of `str`. Raises `NoHead`."""
    parts = text.split("/")
    if len(parts) != 4 or not all(parts) or parts[0] not in PLANE_TYPES:
        raise NoHead(f"{text!r} is not <planeType>/<planeID>/<namespace or {CLUSTER}>/<name>")
    plane_type, plane_id, namespace, name = parts
    return Head(plane_type, plane_id, "" if namespace == CLUSTER else namespace, name)
