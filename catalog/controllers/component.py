"""Component: checks what a component is made of and, with autoDeploy, releases each new state to the first environment.

Sets Ready (Reconciled, ComponentReleaseReady; ComponentTypeNotFound, WorkflowNotAllowed, WorkflowNotFound,
WorkloadNotFound, TraitNotFound, ProjectNotFound, DeploymentPipelineNotFound, InvalidConfiguration, AutoDeployFailed)
and, while being deleted, Finalizing (Finalizing). Status: `latestRelease{name, releaseHash}`.

The checks run in the order of the contract and stop at the first that fails (`component_checks`). Everything is read
and decided first; what follows is written in one transaction.
"""

from __future__ import annotations

from datetime import timedelta

from catalog import store
from catalog.compiler import labels
from catalog.controllers import component_checks, component_watches
from catalog.controllers.component_checks import NotReady
from catalog.controllers.conditions import Condition, false, true, with_conditions
from catalog.controllers.deletion import delete_all
from catalog.controllers.registry import Result, controller
from catalog.kinds.component import Component
from catalog.kinds.component_release import ComponentRelease
from catalog.kinds.release_binding import ReleaseBinding
from catalog.kinds.workflow_run import WorkflowRun
from catalog.kinds.workload import Workload
from catalog.releases.bind import AmbiguousBinding, bind_release, binding_in, bindings_of
from catalog.releases.cut import LatestRelease, ReleaseNameTaken, cut_automatically, latest_release
from catalog.releases.parts import Parts
from portal.accounts.actor import system

ACTOR = system("component-controller")
SAFETY_LOOK = timedelta(seconds=30)
"""While waiting for children to go: their end is an event, this is for the case that one was missed."""


@controller(
    "Component",
    watches=component_watches.watches(ACTOR),
    related=(
        "project__deployment_pipeline",
        "component_type",
        "cluster_component_type",
        "workflow",
        "cluster_workflow",
    ),
)
def reconcile(component: Component) -> Result:
    """One look: check, release, report; or a step of the deletion."""
    if component.deleted_at is not None:
        return finalize(component)
    try:
        parts, root = component_checks.check(component)
    except NotReady as problem:
        report(component, false("Ready", problem.reason, problem.message))
        return Result()
    if component.spec.get("autoDeploy"):
        deploy(component, parts, root)
    else:
        report(component, true("Ready", "Reconciled", "Component validated successfully"))
    return Result()


def deploy(component: Component, parts: Parts, root: str) -> None:
    """Release the present state and point the binding of the root environment at it."""
    latest = latest_release(component, parts)
    with store.transaction():
        try:
            bindings = [binding for binding in bindings_of(component) if binding.environment == root]
            if not any(binding.runs(latest.name) for binding in bindings):
                cut_automatically(component, parts, latest, ACTOR)
            the_binding = binding_in(bindings, root)
            if the_binding is None or the_binding.release_name != latest.name:
                bind_release(component, root, latest.name, the_binding, ACTOR)
        except (ReleaseNameTaken, AmbiguousBinding, store.StoreError) as problem:
            report(component, false("Ready", "AutoDeployFailed", f"Failed to handle autoDeploy: {problem}"))
            return
        message = (
            f'ComponentRelease "{latest.name}" and ReleaseBinding "{component.name}-{root}" '
            f'successfully managed for environment "{root}"'
        )
        report(component, true("Ready", "ComponentReleaseReady", message), latest)


def report(component: Component, ready: Condition, latest: LatestRelease | None = None) -> None:
    """Write the status, if it is another one."""
    status = with_conditions(component, [ready])
    if latest is not None:
        status["latestRelease"] = latest.document()
    store.write_status(component, status, ACTOR)


def finalize(component: Component) -> Result:
    """Delete what belongs to the component, all at once; let it go when the last of it is gone."""
    runs = WorkflowRun.objects.system("reconcile").filter(
        namespace_id=component.namespace_name,
        **{
            f"labels__{labels.PROJECT}": component.spec["owner"]["projectName"],
            f"labels__{labels.COMPONENT}": component.name,
        },
    )
    with store.transaction():
        owned = [
            kind.objects.system("reconcile").filter(component_id=component.pk)
            for kind in (ReleaseBinding, ComponentRelease, Workload)
        ]
        remaining = [obj for rows in (*owned, runs) for obj in delete_all(rows, ACTOR)]
        if not remaining:
            store.remove_finalizer(component, Component.finalizer, ACTOR)
            return Result()
        waiting = true("Finalizing", "Finalizing", "Component is finalizing")
        store.write_status(component, with_conditions(component, [waiting]), ACTOR)
    return Result(again_after=SAFETY_LOOK)
