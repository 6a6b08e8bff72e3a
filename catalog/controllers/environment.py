"""Environment: ready as it is; what takes care is its deletion.

Sets Ready (EnvironmentReady; while being deleted DeletionBlocked as long as a pipeline names it, then
ReleaseBindingsPending until its bindings are gone). Bindings of resources go too, which OpenChoreo leaves behind; one
that retains what it made holds the environment. Of the bindings, cells are the last: they hold the namespaces.
"""

from __future__ import annotations

from collections.abc import Iterable

from catalog import store
from catalog.controllers.conditions import Condition, false, true, with_conditions
from catalog.controllers.deletion import delete_all, deleting_in_namespace_of, when_child_is_gone
from catalog.controllers.registry import Result, controller
from catalog.controllers.retain_policy import is_retained
from catalog.kinds.base import PlatformObject
from catalog.kinds.deployment_pipeline import DeploymentPipeline
from catalog.kinds.environment import Environment
from catalog.kinds.project_release_binding import ProjectReleaseBinding
from catalog.kinds.release_binding import ReleaseBinding
from catalog.kinds.resource_release_binding import ResourceReleaseBinding
from catalog.store.references import referrers
from portal.accounts.actor import system

ACTOR = system("environment-controller")


@controller(
    "Environment",
    watches=[
        deleting_in_namespace_of("DeploymentPipeline", "changed", "deleted"),
        when_child_is_gone("ReleaseBinding", "environment"),
        when_child_is_gone("ResourceReleaseBinding", "environment"),
        when_child_is_gone("ProjectReleaseBinding", "environment"),
    ],
)
def reconcile(environment: Environment) -> Result:
    """One look: say that it is ready, or take a step of its deletion."""
    with store.transaction():
        if environment.deleted_at is None:
            report(environment, true("Ready", "EnvironmentReady", "Environment is ready"))
        else:
            finalize(environment)
    return Result()


def finalize(environment: Environment) -> None:
    """Wait for the pipelines, then delete the bindings, then let the environment go."""
    pipeline = referring_pipeline(environment)
    if pipeline:
        words = f'Deletion blocked: environment is referenced by DeploymentPipeline "{pipeline}"'
        report(environment, false("Ready", "DeletionBlocked", words))
        return
    remaining, retained = delete_bindings(environment)
    if remaining or retained:
        words = f"Deleting {len(remaining) + len(retained)} release binding(s)"
        if retained:
            names = ", ".join(f'"{binding.name}"' for binding in retained)
            words += f"; retainPolicy=Retain holds {names}"
        report(environment, false("Ready", "ReleaseBindingsPending", words))
        return
    store.remove_finalizer(environment, Environment.finalizer, ACTOR)


def referring_pipeline(environment: Environment) -> str | None:
    """The name of a pipeline with this environment in its paths, None if there is none."""
    rows = referrers("Environment", environment.namespace_name, environment.name)
    sources = rows.filter(source_kind="DeploymentPipeline").values("source_id")
    return DeploymentPipeline.objects.system("reconcile").filter(pk__in=sources).values_list("name", flat=True).first()


def delete_bindings(environment: Environment) -> tuple[list[PlatformObject], list[ResourceReleaseBinding]]:
    """Ask for the deletion of the environment's bindings: (those still there, those retained)."""
    resources = (
        ResourceReleaseBinding.objects.system("reconcile")
        .filter(environment=environment)
        .select_related("resource_release")
    )
    retained = [binding for binding in resources if is_retained(binding)]
    workloads: Iterable[PlatformObject] = [
        *ReleaseBinding.objects.system("reconcile").filter(environment=environment),
        *(binding for binding in resources if not is_retained(binding)),
    ]
    remaining = delete_all(workloads, ACTOR)
    cells = ProjectReleaseBinding.objects.system("reconcile").filter(environment=environment)
    if remaining or retained:
        return [*remaining, *cells], retained
    return delete_all(cells, ACTOR), []


def report(environment: Environment, condition: Condition) -> None:
    store.write_status(environment, with_conditions(environment, [condition]), ACTOR)
