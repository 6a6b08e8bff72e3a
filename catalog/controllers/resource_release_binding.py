"""ResourceReleaseBinding: makes a resource in one environment and says how others reach it.

Sets Synced (ReleaseCreated, ReleaseSynced; ResourceReleaseNotSet, ResourceReleaseNotFound,
InvalidReleaseConfiguration, EnvironmentNotFound, DataPlaneNotFound, ResourceNotFound, ProjectNotFound,
RenderingFailed, ReleaseUpdateFailed, ReleaseOwnershipConflict), ResourcesReady (ResourcesReady,
ResourcesProgressing, ResourcesDegraded, ResourceApplyFailed, SyncedNotReady), OutputsResolved (OutputsResolved,
OutputResolutionFailed, SyncedNotReady), Ready (the first that fails), and Finalizing (Finalizing, RetainHold).
Status: `outputs[]`, which keep their last values while none resolves. The pin is never set here.
"""

from __future__ import annotations

from typing import Any

from catalog import store
from catalog.compiler import resource as pipeline
from catalog.compiler.errors import CompilerError
from catalog.compiler.gateway import environment_context, plane_context
from catalog.compiler.metadata import resource_metadata
from catalog.controllers import binding_sync
from catalog.controllers.binding_sync import Facts, NotSynced, environment_and_plane, found
from catalog.controllers.conditions import Condition, false, true, with_conditions
from catalog.controllers.deletion import delete_all
from catalog.controllers.plane_health import NOT_REPORTED, all_ready, is_good, unwell
from catalog.controllers.plane_watch import bindings_on_changed_plane
from catalog.controllers.registry import Result, by_others, controller, owner_reference_of, referrers
from catalog.controllers.retain_policy import RETAIN_HOLD, is_retained
from catalog.delivery.drivers import observes_health
from catalog.kinds.base import Document
from catalog.kinds.rendered_release import RenderedRelease
from catalog.kinds.resource_release import ResourceRelease
from catalog.kinds.resource_release_binding import ResourceReleaseBinding
from portal.accounts.actor import system

ACTOR = system("resource-release-binding-controller")


@controller(
    "ResourceReleaseBinding",
    related=("project", "resource", "resource_release", "environment__data_plane", "environment__cluster_data_plane"),
    watches=[
        by_others(ACTOR, owner_reference_of("RenderedRelease", actions=("changed", "status", "deleted"))),
        referrers("ResourceRelease", actions=("created", "deleted")),
        referrers("Resource", actions=("created", "deleted")),
        referrers("Project", actions=("created", "deleted")),
        referrers("Environment", actions=("created", "changed", "deleted")),
        *bindings_on_changed_plane(),
    ],
)
def reconcile(binding: ResourceReleaseBinding) -> Result:
    """One look: render, put, judge, resolve, report; or a step of the deletion."""
    with store.transaction():
        if binding.deleted_at is not None:
            finalize(binding)
            return Result()
        facts = Facts()
        try:
            conditions = sync(binding, facts)
        except NotSynced as problem:
            facts.again_after = problem.again_after
            conditions = binding_sync.not_synced(problem, "ResourcesReady", "OutputsResolved")
        store.write_status(binding, binding_sync.status_of(binding, conditions, facts), ACTOR)
    return Result(facts.again_after)


def sync(binding: ResourceReleaseBinding, facts: Facts) -> list[Condition]:
    """Render the resource, write it, and read how the plane takes it. Raises `NotSynced`.

    Into `facts` go `outputs`, where any resolved, and when to look again.
    """
    spec = binding.spec
    release = pinned_release(binding)
    environment, plane = environment_and_plane(binding)
    owner = spec["owner"]
    resource = found(binding.resource, "ResourceNotFound", f'Resource "{owner["resourceName"]}" not found')
    project = found(binding.project, "ProjectNotFound", f'Project "{owner["projectName"]}" not found')

    documents = [store.to_document(item, with_status=False) for item in (resource, project, environment, plane)]
    render_input = input_of(binding, release, *documents)
    rendered, synced = binding_sync.put(binding, render(render_input), ACTOR)
    if not binding_sync.is_current(rendered):
        facts.again_after = binding_sync.DELIVERY_POLL
    observes = observes_health(plane)
    ready = readiness(rendered, release, render_input, observes)
    return [synced, ready, resolve_outputs(render_input, rendered, observes, facts)]


def pinned_release(binding: ResourceReleaseBinding) -> ResourceRelease:
    """The release that the binding names. Raises `NotSynced`."""
    name, owner = binding.spec.get("resourceRelease"), binding.spec["owner"]
    if not name:
        raise NotSynced(
            "ResourceReleaseNotSet", "spec.resourceRelease is unset; pin a ResourceRelease to deploy this binding"
        )
    release: ResourceRelease = found(
        binding.resource_release, "ResourceReleaseNotFound", f'ResourceRelease "{name}" not found'
    )
    frozen = release.spec["owner"]
    if frozen != owner:
        raise NotSynced(
            "InvalidReleaseConfiguration",
            f"binding owner ({words_of(owner)}) does not match ResourceRelease owner ({words_of(frozen)})",
        )
    return release


def words_of(owner: dict[str, str]) -> str:
    return f'project: "{owner["projectName"]}", resource: "{owner["resourceName"]}"'


def input_of(
    binding: ResourceReleaseBinding,
    release: ResourceRelease,
    resource: Document,
    project: Document,
    environment: Document,
    plane: Document,
) -> Document:
    """What the pipeline needs to render the release and to resolve its outputs."""
    binding_document = store.to_document(binding, with_status=False)
    return {
        "ResourceType": {"spec": release.spec["resourceType"]["spec"]},
        "Resource": {"spec": {"parameters": release.spec.get("parameters")}},
        "ResourceReleaseBinding": binding_document,
        "Metadata": resource_metadata(binding_document, resource, project, environment, plane),
        "DataPlane": plane_context(plane),
        "Environment": environment_context(environment, plane),
    }


def render(render_input: Document) -> list[Document]:
    """The resource's manifests as `{id, object}`. Raises `NotSynced`."""
    try:
        return [{"id": entry.id, "object": entry.object} for entry in pipeline.render(render_input)]
    except CompilerError as error:
        raise NotSynced("RenderingFailed", f"Failed to render manifests: {error}") from None


def readiness(
    rendered: RenderedRelease, release: ResourceRelease, render_input: Document, observes_health: bool
) -> Condition:
    """ResourcesReady: each manifest by its `readyWhen`, or by its health where it has none."""
    failure = binding_sync.apply_failure(rendered)
    if failure is not None:
        return false("ResourcesReady", "ResourceApplyFailed", failure)
    entries = {entry["id"]: entry for entry in binding_sync.observed_entries(rendered)}
    seen = observed_statuses(entries.values())
    wanted = {entry["id"] for entry in rendered.spec.get("resources") or ()}
    templates = [item for item in release.spec["resourceType"]["spec"].get("resources") or () if item["id"] in wanted]
    for template in templates:
        problem = problem_with(template, entries.get(template["id"]), render_input, seen, observes_health)
        if problem is not None:
            return problem
    return all_ready(len(templates), observes_health)


def problem_with(
    template: Document, entry: Document | None, render_input: Document, seen: dict[str, Any], observes_health: bool
) -> Condition | None:
    """Why this manifest is not ready yet, None if it is."""
    identity = template["id"]
    if entry is None and not (template.get("readyWhen") and observes_health):
        return progressing(f'Resource "{identity}" has no observed status yet')
    if template.get("readyWhen") and observes_health:
        try:
            ready = pipeline.ready_when(render_input, seen, template["readyWhen"])
        except CompilerError as error:
            return progressing(f'readyWhen evaluation failed for "{identity}": {error}')
        return None if ready else progressing(f'Resource "{identity}" readyWhen returned false')
    return None if entry is None or is_good(entry, observes_health) else unwell(entry)


def progressing(message: str) -> Condition:
    return false("ResourcesReady", "ResourcesProgressing", message)


def observed_statuses(entries: Any) -> dict[str, Any]:
    """The status objects that the plane reports, by id."""
    return {entry["id"]: entry.get("status") or {} for entry in entries}


def resolve_outputs(
    render_input: Document, rendered: RenderedRelease, observes_health: bool, facts: Facts
) -> Condition:
    """OutputsResolved; what resolved goes to `facts`."""
    try:
        facts.status["outputs"] = pipeline.outputs(
            render_input, observed_statuses(rendered.status.get("resources") or ())
        )
    except pipeline.OutputsNotResolvedError as error:
        if error.resolved:
            facts.status["outputs"] = error.resolved
        remark = "" if observes_health else f" ({NOT_REPORTED})"
        message = f"Failed to resolve {len(error.failed)} output(s): {error}{remark}"
        return false("OutputsResolved", "OutputResolutionFailed", message)
    except CompilerError as error:
        return false("OutputsResolved", "OutputResolutionFailed", f"Failed to resolve 1 output(s): {error}")
    return true("OutputsResolved", "OutputsResolved", f"Resolved {len(facts.status['outputs'])} output(s)")


def finalize(binding: ResourceReleaseBinding) -> None:
    """Delete the RenderedRelease, unless retained; wait for the plane to be clean, let the binding go."""
    if is_retained(binding):
        report(binding, true("Finalizing", "RetainHold", RETAIN_HOLD))
    elif delete_all(binding_sync.rendered_releases_of(binding), ACTOR):
        report(binding, true("Finalizing", "Finalizing", "ResourceReleaseBinding is finalizing"))
    else:
        store.remove_finalizer(binding, ResourceReleaseBinding.finalizer, ACTOR)


def report(binding: ResourceReleaseBinding, condition: Condition) -> None:
    store.write_status(binding, with_conditions(binding, [condition]), ACTOR)
