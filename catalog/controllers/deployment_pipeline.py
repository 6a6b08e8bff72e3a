"""DeploymentPipeline: available as it is; it cannot be deleted while a project follows it.

Sets Available (DeploymentPipelineAvailable; DeletionBlocked).
"""

from __future__ import annotations

from catalog import store
from catalog.controllers.conditions import Condition, false, true, with_conditions
from catalog.controllers.deletion import deleting_in_namespace_of
from catalog.controllers.registry import Result, controller
from catalog.kinds.deployment_pipeline import DeploymentPipeline
from catalog.kinds.project import Project
from portal.accounts.actor import system

ACTOR = system("deployment-pipeline-controller")


@controller("DeploymentPipeline", watches=[deleting_in_namespace_of("Project", "changed", "deleted")])
def reconcile(pipeline: DeploymentPipeline) -> Result:
    """One look: say that it is available, or wait until nobody follows it and let it go."""
    with store.transaction():
        if pipeline.deleted_at is None:
            report(pipeline, true("Available", "DeploymentPipelineAvailable", "DeploymentPipeline is available"))
            return Result()
        followers = Project.objects.system("reconcile").filter(deployment_pipeline=pipeline).count()
        if followers:
            words = f"Deletion blocked: deployment pipeline is still referenced by {followers} project(s)"
            report(pipeline, false("Available", "DeletionBlocked", words))
        else:
            store.remove_finalizer(pipeline, DeploymentPipeline.finalizer, ACTOR)
    return Result()


def report(pipeline: DeploymentPipeline, condition: Condition) -> None:
    store.write_status(pipeline, with_conditions(pipeline, [condition]), ACTOR)
