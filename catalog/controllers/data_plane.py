"""DataPlane and ClusterDataPlane: created as they are; they cannot be deleted while environments are on them.

Sets Created (DataPlaneCreated, ClusterDataPlaneCreated) and, while being deleted, Finalizing (False with
DeletionBlocked).
"""

from __future__ import annotations

from catalog import store
from catalog.controllers import plane_lifecycle
from catalog.controllers.conditions import false
from catalog.controllers.deletion import deleting_in_namespace_of
from catalog.controllers.registry import Result, controller
from catalog.kinds.cluster_data_plane import ClusterDataPlane
from catalog.kinds.data_plane import DataPlane
from catalog.store.references import referrers
from portal.accounts.actor import system

ACTOR = system("data-plane-controller")


@controller("DataPlane", watches=[deleting_in_namespace_of("Environment", "deleted")])
def reconcile_data_plane(plane: DataPlane) -> Result:
    return reconcile(plane)


@controller("ClusterDataPlane", watches=[deleting_in_namespace_of("Environment", "deleted")])
def reconcile_cluster_data_plane(plane: ClusterDataPlane) -> Result:
    return reconcile(plane)


def reconcile(plane: DataPlane | ClusterDataPlane) -> Result:
    """One look: say that it is there, or wait until no environment is on it and let it go."""
    with store.transaction():
        if plane.deleted_at is None:
            plane_lifecycle.report_created(plane, ACTOR)
            return Result()
        environments = referrers(plane.kind, plane.namespace_name, plane.name).filter(source_kind="Environment")
        count = environments.count()
        if count:
            words = f"Deletion blocked: dataplane is still referenced by {count} environment(s)"
            plane_lifecycle.report(plane, false("Finalizing", "DeletionBlocked", words), ACTOR)
        else:
            plane_lifecycle.let_go(plane, ACTOR)
    return Result()
