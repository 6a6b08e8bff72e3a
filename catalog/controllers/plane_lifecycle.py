"""What all six kinds of planes share: they are there once they are stored, and go when nobody needs them.

Status: Created (…PlaneCreated), in words that differ by kind as in the contract. `agentConnection` is written by those
who hold the connections of agents; until one has, it says that none is connected.
"""

from __future__ import annotations

from catalog import store
from catalog.controllers.conditions import Condition, true, with_conditions
from catalog.kinds.base import PlatformObject
from portal.accounts.actor import Actor

CREATED = {
    "DataPlane": "Dataplane is created",
    "ClusterDataPlane": "ClusterDataplane is created",
    "WorkflowPlane": "Workflowplane is created",
    "ClusterWorkflowPlane": "Workflowplane is created",
    "ObservabilityPlane": "Observabilityplane is created",
    "ClusterObservabilityPlane": "Observabilityplane is created",
}


NO_AGENT = {"connected": False, "connectedAgents": 0, "message": "No agents connected"}


def report_created(plane: PlatformObject, actor: Actor) -> None:
    """Created=True."""
    report(plane, true("Created", f"{plane.kind}Created", CREATED[plane.kind]), actor)


def let_go(plane: PlatformObject, actor: Actor) -> None:
    """Nothing holds the plane any more."""
    store.remove_finalizer(plane, type(plane).finalizer, actor)


def report(plane: PlatformObject, condition: Condition, actor: Actor) -> None:
    status = {"agentConnection": NO_AGENT, **with_conditions(plane, [condition])}
    store.write_status(plane, status, actor)


def reconcile_unheld(plane: PlatformObject, actor: Actor) -> None:
    """The whole look at a plane whose deletion nothing holds up."""
    with store.transaction():
        if plane.deleted_at is None:
            report_created(plane, actor)
        else:
            let_go(plane, actor)
