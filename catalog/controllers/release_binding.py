"""ReleaseBinding: renders a component's release for an environment and follows how the planes take it.

Sets ReleaseSynced (ReleaseCreated, ReleaseSynced; ComponentReleaseNotFound, InvalidReleaseConfiguration,
EnvironmentNotFound, DataPlaneNotFound, ComponentNotFound, ProjectNotFound, RenderingFailed, ReleaseOwnershipConflict,
ReleaseUpdateFailed, ReleaseDeletionFailed, ResourcesUndeployed), ConnectionsResolved and ResourceDependenciesReady
(`connections`, `resource_dependencies`), ResourcesReady (ResourcesUndeployed, ResourceApplyFailed and those of
`readiness`), Ready (the first of these that fails), and Finalizing.
Status: `lastSpecUpdateTime`, `endpoints`, `connectionTargets`, `resolvedConnections`, `pendingConnections`,
`resourceDependencyTargets`, `pendingResourceDependencies`, `secretReferenceNames`.

While connections or resources are pending the component runs already, without their variables; only the conditions
wait. What cannot be told in a look keeps what was last told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from catalog import store
from catalog.compiler.documents import Document, section
from catalog.compiler.errors import CompilerError
from catalog.controllers import binding_releases
from catalog.controllers.binding_releases import Delivery, held_releases, put_releases
from catalog.controllers.binding_sync import NotSynced
from catalog.controllers.component_manifests import Manifests, bindings_with_channel, render_manifests
from catalog.controllers.conditions import Condition, false, true, with_conditions
from catalog.controllers.connections import consumers_of_endpoints, resolve_connections
from catalog.controllers.plane_watch import bindings_on_changed_plane
from catalog.controllers.readiness import ready_of, release_readiness
from catalog.controllers.registry import Result, by_others, controller, owner_reference_of, referrers
from catalog.controllers.release_surroundings import RELATED, Surroundings, find_surroundings
from catalog.controllers.resource_dependencies import consumers_of_outputs, resolve_resource_dependencies
from catalog.controllers.secret_references import (
    SecretMissing,
    bindings_with_secret,
    secret_names,
    secret_references,
)
from catalog.delivery.drivers import observes_health
from catalog.kinds.release_binding import ReleaseBinding
from catalog.store.documents import timestamp
from portal.accounts.actor import system

ACTOR = system("release-binding-controller")
CONTENT_CHANGES = ("created", "changed", "deleted")
EXISTENCE = ("created", "deleted")
SAFETY_LOOK = timedelta(seconds=30)
"""While waiting for what others do: their doing is an event, this is for the case that one was missed."""


@dataclass
class Look:
    """What one look finds out: conditions, and fields of the status (an empty value takes the field away)."""

    binding: ReleaseBinding
    conditions: list[Condition] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=dict)
    gates: tuple[Condition, ...] = ()
    """ConnectionsResolved and ResourceDependenciesReady."""
    again_after: timedelta | None = None

    def fail(self, problem: NotSynced) -> None:
        """ReleaseSynced=False."""
        self.conditions.append(false("ReleaseSynced", problem.reason, problem.message))
        self.again_after = problem.again_after


@controller(
    "ReleaseBinding",
    watches=[
        by_others(ACTOR, owner_reference_of("RenderedRelease", actions=("changed", "status", "deleted"))),
        referrers("ComponentRelease", role="component_release", actions=EXISTENCE),
        referrers("Component", role="component", actions=EXISTENCE),
        referrers("Project", role="project", actions=EXISTENCE),
        referrers("Environment", role="environment", actions=CONTENT_CHANGES),
        *bindings_on_changed_plane(),
        *binding_releases.bindings_awaiting_observability(),
        bindings_with_secret(),
        bindings_with_channel(),
        consumers_of_endpoints(),
        consumers_of_outputs(),
    ],
    related=RELATED,
)
def reconcile(binding: ReleaseBinding) -> Result:
    """One look: find, render, write, judge, report; or a step of the deletion."""
    if binding.deleted_at is not None:
        return finalize(binding)
    look = Look(binding)
    try:
        surroundings = find_surroundings(binding)
        wanted = None if binding.spec.get("state") == "Undeploy" else render(look, surroundings)
        held = held_releases(binding)
    except NotSynced as problem:
        look.fail(problem)
        report(look)
        return Result(look.again_after)
    with store.transaction():
        try:
            if wanted is None:
                undeploy(look, held)
            else:
                judge(look, surroundings, put_releases(binding, wanted, surroundings.data_plane, held, ACTOR))
        except NotSynced as problem:
            look.fail(problem)
        report(look)
    return Result(look.again_after)


def render(look: Look, surroundings: Surroundings) -> Manifests:
    """Resolve what the release depends on, and render it. Raises `NotSynced`."""
    binding, environment = look.binding, surroundings.environment
    workload = section(surroundings.release.spec, "workload")
    overrides = binding.spec.get("workloadOverrides")
    look.fields["secretReferenceNames"] = secret_names(workload, overrides)
    try:
        secrets = secret_references(binding.namespace_name, workload, overrides)
    except SecretMissing as missing:
        raise NotSynced("RenderingFailed", f"Failed to collect SecretReferences: {missing}") from None

    connections = resolve_connections(binding, environment, workload)
    resources = resolve_resource_dependencies(binding, environment, workload)
    look.fields.update(
        connectionTargets=connections.targets,
        resolvedConnections=connections.resolved,
        pendingConnections=connections.pending,
        resourceDependencyTargets=resources.targets,
        pendingResourceDependencies=resources.pending,
    )
    try:
        manifests = render_manifests(binding, surroundings, secrets, connections, resources)
    except CompilerError as error:
        raise NotSynced("RenderingFailed", f"Failed to render resources: {error}") from None
    look.gates = (connections.condition(), resources.condition())
    look.fields["endpoints"] = manifests.endpoints
    return manifests


def judge(look: Look, surroundings: Surroundings, delivery: Delivery) -> None:
    """The conditions of a release that is written: a gate that is shut says nothing of what comes after it."""
    for gate in look.gates:
        look.conditions.append(gate)
        if gate.status != "True":
            look.again_after = SAFETY_LOOK
            return
    look.conditions.append(delivery.synced)
    component_type = surroundings.component.spec["componentType"]["name"]
    observed = observes_health(surroundings.data_plane)
    look.conditions.append(release_readiness(delivery.release, component_type, observed))


def undeploy(look: Look, held: binding_releases.HeldReleases) -> None:
    """Take the releases away and keep the binding."""
    look.fields["endpoints"] = []
    try:
        remaining = binding_releases.delete_owned(look.binding, held.values(), ACTOR)
    except store.StoreError as error:
        raise NotSynced("ReleaseDeletionFailed", f"failed to delete release: {error}", SAFETY_LOOK) from None
    message = "Resources being undeployed" if remaining else "Resources undeployed"
    look.conditions += [false(item, "ResourcesUndeployed", message) for item in ("ReleaseSynced", "ResourcesReady")]
    look.again_after = SAFETY_LOOK if remaining else None


def report(look: Look) -> None:
    """Write the status, if it is another one."""
    binding = look.binding
    if binding.status.get("observedGeneration") != binding.generation:
        look.fields["lastSpecUpdateTime"] = timestamp(timezone.now())
    known: dict[str, Document] = {
        item["type"]: item for item in with_conditions(binding, look.conditions)["conditions"]
    }
    status = with_conditions(binding, [*look.conditions, ready_of(known)])
    for name, value in look.fields.items():
        if value:
            status[name] = value
        else:
            status.pop(name, None)
    store.write_status(binding, status, ACTOR)


def finalize(binding: ReleaseBinding) -> Result:
    """Delete the rendered releases, wait until the planes are clean, let the binding go."""
    with store.transaction():
        if not binding_releases.delete_owned(binding, held_releases(binding).values(), ACTOR):
            store.remove_finalizer(binding, ReleaseBinding.finalizer, ACTOR)
            return Result()
        waiting = true("Finalizing", "Finalizing", "ReleaseBinding is finalizing")
        store.write_status(binding, with_conditions(binding, [waiting]), ACTOR)
    return Result(again_after=SAFETY_LOOK)
