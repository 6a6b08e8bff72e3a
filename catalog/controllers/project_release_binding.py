"""ProjectReleaseBinding: makes the cell of a project in one environment, above all its namespace.

Sets Synced (ReleaseCreated, ReleaseSynced; ProjectReleaseNotSet, ProjectReleaseNotFound, InvalidReleaseConfiguration,
EnvironmentNotFound, DataPlaneNotFound, ProjectNotFound, RenderingFailed, NamespaceMissing, ReleaseUpdateFailed,
ReleaseOwnershipConflict), NamespaceReady and ResourcesReady (…Ready, …Progressing, …Degraded, ResourceApplyFailed,
SyncedNotReady), Ready (the first that fails), and Finalizing. Status: `namespace`, the cell's name on the data plane.
"""

from __future__ import annotations

from catalog import store
from catalog.compiler import project as pipeline
from catalog.compiler.errors import CompilerError
from catalog.compiler.gateway import environment_context, plane_context
from catalog.compiler.metadata import project_metadata
from catalog.compiler.rendered import has_namespace
from catalog.controllers import binding_sync
from catalog.controllers.binding_sync import Facts, NotSynced, environment_and_plane, found
from catalog.controllers.conditions import Condition, false, true, with_conditions
from catalog.controllers.deletion import delete_all
from catalog.controllers.plane_health import NOT_REPORTED, is_bad, is_good, resources_ready
from catalog.controllers.plane_watch import bindings_on_changed_plane
from catalog.controllers.registry import Result, by_others, controller, owner_reference_of, referrers
from catalog.delivery.drivers import observes_health
from catalog.kinds.base import Document
from catalog.kinds.project_release import ProjectRelease
from catalog.kinds.project_release_binding import ProjectReleaseBinding
from catalog.kinds.rendered_release import RenderedRelease
from portal.accounts.actor import system

ACTOR = system("project-release-binding-controller")
SPEC_CHANGES = ("created", "changed", "deleted")


@controller(
    "ProjectReleaseBinding",
    related=("project", "project_release", "environment__data_plane", "environment__cluster_data_plane"),
    watches=[
        by_others(ACTOR, owner_reference_of("RenderedRelease", actions=("changed", "status", "deleted"))),
        referrers("ProjectRelease", actions=("created", "deleted")),
        referrers("Project", actions=("created", "deleted")),
        referrers("Environment", actions=("created", "changed", "deleted")),
        *bindings_on_changed_plane(),
    ],
)
def reconcile(binding: ProjectReleaseBinding) -> Result:
    """One look: render, put, judge, report; or a step of the deletion."""
    with store.transaction():
        if binding.deleted_at is not None:
            finalize(binding)
            return Result()
        facts = Facts()
        try:
            conditions = sync(binding, facts)
        except NotSynced as problem:
            facts.again_after = problem.again_after
            conditions = binding_sync.not_synced(problem, "NamespaceReady", "ResourcesReady")
        store.write_status(binding, binding_sync.status_of(binding, conditions, facts), ACTOR)
    return Result(facts.again_after)


def sync(binding: ProjectReleaseBinding, facts: Facts) -> list[Condition]:
    """Render the cell, write it, and read how the plane takes it. Raises `NotSynced`.

    Into `facts` go `namespace`, as soon as it is known, and when to look again.
    """
    spec = binding.spec
    release = pinned_release(binding)
    environment, plane = environment_and_plane(binding)
    project = found(binding.project, "ProjectNotFound", f'Project "{spec["owner"]["projectName"]}" not found')

    documents = [store.to_document(item, with_status=False) for item in (project, environment, plane)]
    metadata = project_metadata(store.to_document(binding, with_status=False), *documents)
    facts.status["namespace"] = metadata["namespace"]
    entries = render(binding, release, metadata, documents[1], documents[2])
    rendered, synced = binding_sync.put(binding, entries, ACTOR)
    if not binding_sync.is_current(rendered):
        facts.again_after = binding_sync.DELIVERY_POLL
    return [synced, *readiness(rendered, metadata["namespace"], observes_health(plane))]


def pinned_release(binding: ProjectReleaseBinding) -> ProjectRelease:
    """The release that the binding names. Raises `NotSynced`."""
    name, project_name = binding.spec.get("projectRelease"), binding.spec["owner"]["projectName"]
    if not name:
        raise NotSynced(
            "ProjectReleaseNotSet", "spec.projectRelease is unset; pin a ProjectRelease to deploy this binding"
        )
    release: ProjectRelease = found(
        binding.project_release, "ProjectReleaseNotFound", f'ProjectRelease "{name}" not found'
    )
    owner = release.spec["owner"]["projectName"]
    if owner != project_name:
        raise NotSynced(
            "InvalidReleaseConfiguration",
            f'binding owner (project: "{project_name}") does not match ProjectRelease owner (project: "{owner}")',
        )
    return release


def render(
    binding: ProjectReleaseBinding, release: ProjectRelease, metadata: Document, environment: Document, plane: Document
) -> list[Document]:
    """The cell's manifests as `{id, object}`. Raises `NotSynced`."""
    frozen = release.spec
    try:
        rendered = pipeline.render(
            {
                "ProjectTypeSpec": frozen["projectType"]["spec"],
                "ProjectParameters": frozen.get("parameters"),
                "EnvironmentConfigs": binding.spec.get("environmentConfigs"),
                "Metadata": metadata,
                "DataPlane": plane_context(plane),
                "Environment": environment_context(environment, plane),
            }
        )
    except CompilerError as error:
        raise NotSynced("RenderingFailed", f"Failed to render manifests: {error}") from None
    entries = [{"id": entry.id, "object": entry.object} for entry in rendered]
    if not has_namespace(entries, metadata["namespace"]):
        raise NotSynced(
            "NamespaceMissing",
            f'rendered resources must include a v1/Namespace named "{metadata["namespace"]}"; declare it in '
            "(Cluster)ProjectType.spec.resources with metadata.name set to ${metadata.namespace}",
        )
    return entries


def readiness(release: RenderedRelease, namespace: str, observes_health: bool) -> list[Condition]:
    """NamespaceReady and ResourcesReady, from what the plane reports."""
    failure = binding_sync.apply_failure(release)
    if failure is not None:
        return [false(item, "ResourceApplyFailed", failure) for item in ("NamespaceReady", "ResourcesReady")]
    entries = binding_sync.observed_entries(release)
    cell = [entry for entry in entries if is_cell(entry, namespace)]
    others = [entry for entry in entries if not is_cell(entry, namespace)]
    return [
        namespace_ready(cell[0] if cell else None, namespace, observes_health),
        resources_ready(others, observes_health),
    ]


def is_cell(entry: Document, namespace: str) -> bool:
    """Whether this is the namespace of the cell, not another one that the type makes."""
    return not entry.get("group") and entry["kind"] == "Namespace" and entry["name"] == namespace


def namespace_ready(entry: Document | None, namespace: str, observes_health: bool) -> Condition:
    """The state of the cell's namespace."""
    words = f'Namespace "{namespace}"'
    if entry is None:
        return false("NamespaceReady", "NamespaceProgressing", f"{words} has no observed status yet")
    if is_good(entry, observes_health):
        remark = "is ready" if observes_health else f"is delivered; {NOT_REPORTED}"
        return true("NamespaceReady", "NamespaceReady", f"{words} {remark}")
    if is_bad(entry):
        return false("NamespaceReady", "NamespaceDegraded", f"{words} is degraded")
    return false("NamespaceReady", "NamespaceProgressing", f"{words} is {entry.get('healthStatus') or 'Unknown'}")


def finalize(binding: ProjectReleaseBinding) -> None:
    """Delete the RenderedRelease, wait for the plane to be clean, let the binding go."""
    remaining = delete_all(binding_sync.rendered_releases_of(binding), ACTOR)
    if not remaining:
        store.remove_finalizer(binding, ProjectReleaseBinding.finalizer, ACTOR)
        return
    waiting = true("Finalizing", "Finalizing", "ProjectReleaseBinding is finalizing")
    store.write_status(binding, with_conditions(binding, [waiting]), ACTOR)
