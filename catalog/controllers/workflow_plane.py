"""WorkflowPlane and ClusterWorkflowPlane: created as they are; nothing holds up their deletion.

Sets Created (WorkflowPlaneCreated, ClusterWorkflowPlaneCreated).
"""

from __future__ import annotations

from catalog.controllers import plane_lifecycle
from catalog.controllers.registry import Result, controller
from catalog.kinds.cluster_workflow_plane import ClusterWorkflowPlane
from catalog.kinds.workflow_plane import WorkflowPlane
from portal.accounts.actor import system

ACTOR = system("workflow-plane-controller")


@controller("WorkflowPlane")
def reconcile_workflow_plane(plane: WorkflowPlane) -> Result:
    plane_lifecycle.reconcile_unheld(plane, ACTOR)
    return Result()


@controller("ClusterWorkflowPlane")
def reconcile_cluster_workflow_plane(plane: ClusterWorkflowPlane) -> Result:
    plane_lifecycle.reconcile_unheld(plane, ACTOR)
    return Result()
