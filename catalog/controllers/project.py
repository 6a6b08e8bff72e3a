"""Project: cuts a release whenever its type or parameters change, and gives each environment of its pipeline a cell.

Sets Created (ProjectCreated), Ready (Reconciled; ProjectTypeNotFound, ReleaseOwnershipConflict) and, while being
deleted, Finalizing (ProjectFinalizing). Status: `latestRelease{name, hash}`.

Bindings (`project_cells`) keep the release that they are pinned to; only empty pins are filled. Deletion goes from
what runs to where it runs: first components and resources, then the cells, last the releases. So a resource that is
retained keeps the namespace that it lives in.
"""

from __future__ import annotations

from contextlib import suppress

from catalog import store
from catalog.compiler.release_hash import project_release_hash
from catalog.compiler.releases import project_release_spec
from catalog.controllers.conditions import Condition, false, true, with_conditions
from catalog.controllers.deletion import delete_all, when_child_is_gone
from catalog.controllers.project_cells import bring_cells_in_step, projects_of_new_environment
from catalog.controllers.registry import Result, by_others, controller, owner_of, referrers
from catalog.controllers.release_cut import ReleaseNameTaken, ensure_release, type_not_found
from catalog.kinds.component import Component
from catalog.kinds.project import Project
from catalog.kinds.project_release import ProjectRelease
from catalog.kinds.project_release_binding import ProjectReleaseBinding
from catalog.kinds.resource import Resource
from portal.accounts.actor import system

ACTOR = system("project-controller")
WAITING = "Waiting for child resources to be deleted"


@controller(
    "Project",
    related=("project_type", "cluster_project_type", "deployment_pipeline"),
    watches=[
        referrers("ProjectType"),
        referrers("ClusterProjectType"),
        referrers("DeploymentPipeline", actions=("created", "changed")),
        projects_of_new_environment(),
        by_others(ACTOR, owner_of("ProjectReleaseBinding", "project", actions=("created", "changed", "deleted"))),
        when_child_is_gone("Component", "project"),
        when_child_is_gone("Resource", "project"),
    ],
)
def reconcile(project: Project) -> Result:
    """One look: the release, the cells, the status; or a step of the deletion."""
    with suppress(store.Terminating), store.transaction():
        # Suppressed: a namespace that is being deleted takes nothing new, and will take this along.
        if project.deleted_at is not None:
            finalize(project)
            return Result()
        latest, ready = cut_release(project)
        status = with_conditions(project, [true("Created", "ProjectCreated", "Project is created"), ready])
        if latest:
            status["latestRelease"] = latest
            bring_cells_in_step(project, latest["name"], ACTOR)
        store.write_status(project, status, ACTOR)
    return Result()


def cut_release(project: Project) -> tuple[dict[str, str] | None, Condition]:
    """Make sure that the release of the present type and parameters exists: (latestRelease or None, Ready)."""
    project_type = project.cluster_project_type or project.project_type
    if project_type is None:
        return None, false("Ready", "ProjectTypeNotFound", type_not_found(project.spec["type"]))
    spec = project_release_spec(store.to_document(project), store.to_document(project_type))
    release_hash = project_release_hash(spec)
    try:
        name = ensure_release("ProjectRelease", project, release_hash, spec, ACTOR)
    except ReleaseNameTaken as taken:
        return None, false("Ready", "ReleaseOwnershipConflict", str(taken))
    return {"name": name, "hash": release_hash}, true("Ready", "Reconciled", f"ProjectRelease {name} in place")


def finalize(project: Project) -> None:
    """Delete what belongs to the project, step by step; let it go when nothing is left."""
    for kinds in ((Component, Resource), (ProjectReleaseBinding,), (ProjectRelease,)):
        remaining = [
            obj for kind in kinds for obj in delete_all(kind.objects.system("reconcile").filter(project=project), ACTOR)
        ]
        if remaining:
            waiting = true("Finalizing", "ProjectFinalizing", WAITING)
            store.write_status(project, with_conditions(project, [waiting]), ACTOR)
            return
    store.remove_finalizer(project, Project.finalizer, ACTOR)
