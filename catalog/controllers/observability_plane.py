"""ObservabilityPlane and ClusterObservabilityPlane: created as they are; nothing holds up their deletion.

Sets Created (ObservabilityPlaneCreated, ClusterObservabilityPlaneCreated).
"""

from __future__ import annotations

from catalog.controllers import plane_lifecycle
from catalog.controllers.registry import Result, controller
from catalog.kinds.cluster_observability_plane import ClusterObservabilityPlane
from catalog.kinds.observability_plane import ObservabilityPlane
from portal.accounts.actor import system

ACTOR = system("observability-plane-controller")


@controller("ObservabilityPlane")
def reconcile_observability_plane(plane: ObservabilityPlane) -> Result:
    plane_lifecycle.reconcile_unheld(plane, ACTOR)
    return Result()


@controller("ClusterObservabilityPlane")
def reconcile_cluster_observability_plane(plane: ClusterObservabilityPlane) -> Result:
    plane_lifecycle.reconcile_unheld(plane, ACTOR)
    return Result()
