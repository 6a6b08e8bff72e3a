"""What the bindings of projects and of resources share: from a pinned release to a RenderedRelease, and its readiness.

Called by their two controllers, which are twins: Synced says whether the manifests are in place, further conditions
say how the plane takes them, Ready is the first of these that fails.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from catalog import store
from catalog.compiler.rendered import rendered_release, rendered_release_name
from catalog.controllers.conditions import Condition, false, true, unknown, with_conditions
from catalog.controllers.planes import resolve_data_plane
from catalog.delivery.drift_records import ON_DRIFT
from catalog.kinds.base import Document, PlatformObject
from catalog.kinds.environment import Environment
from catalog.kinds.rendered_release import RenderedRelease
from catalog.releases.rendered import (
    ReleaseOwnershipConflict,
    ReleaseTerminating,
    is_owned_by,
    put_rendered_document,
)
from portal.accounts.actor import Actor

DELIVERY_POLL = timedelta(seconds=30)
"""How soon to look again while a rendered release is newer than what its status speaks of.

Its status tells by an event when the plane has taken it; this is for the case that one was missed.
"""

CONFLICT_POLL = timedelta(seconds=30)
"""How soon to look whether a rendered release of another owner has gone."""


@dataclass
class NotSynced(Exception):
    """The binding cannot be rendered now: the reason and message of Synced=False.

    `again_after`: when to look again, where no change of another object would say so.
    """

    reason: str
    message: str
    again_after: timedelta | None = None


@dataclass
class Facts:
    """What a look learns beside conditions: fields of the status (empty ones go), and when to look again."""

    status: dict[str, Any] = field(default_factory=dict)
    again_after: timedelta | None = None


def status_of(binding: PlatformObject, conditions: Sequence[Condition], facts: Facts) -> dict[str, Any]:
    """The binding's status with these conditions, Ready made of them, and what the look has learnt."""
    status = with_conditions(binding, [*conditions, ready_of(binding.kind, conditions)])
    status.update(facts.status)
    return {name: value for name, value in status.items() if value or name not in facts.status}


def not_synced(problem: NotSynced, *others: str) -> list[Condition]:
    """Synced=False, and the condition types that cannot be told without it."""
    waiting = [unknown(item, "SyncedNotReady", f"{item} cannot be evaluated until Synced=True") for item in others]
    return [false("Synced", problem.reason, problem.message), *waiting]


def found(obj: Any, reason: str, message: str) -> Any:
    """The object, or `NotSynced` if there is none."""
    if obj is None:
        raise NotSynced(reason, message)
    return obj


def environment_and_plane(binding: Any) -> tuple[Environment, PlatformObject]:
    """Where the binding delivers to. Raises `NotSynced` with EnvironmentNotFound or DataPlaneNotFound."""
    name = binding.spec["environment"]
    environment: Environment = found(binding.environment, "EnvironmentNotFound", f'Environment "{name}" not found')
    message = f'DataPlane not found for environment "{environment.name}"'
    return environment, found(resolve_data_plane(environment), "DataPlaneNotFound", message)


def put(binding: PlatformObject, entries: Sequence[Document], actor: Actor) -> tuple[RenderedRelease, Condition]:
    """Write the binding's RenderedRelease: the release and Synced=True. Raises `NotSynced`."""
    document = rendered_release(store.to_document(binding), entries)
    name = document["metadata"]["name"]
    try:
        annotations = {ON_DRIFT: binding.annotations[ON_DRIFT]} if ON_DRIFT in binding.annotations else None
        outcome = put_rendered_document(document, binding, actor, annotations)
    except ReleaseOwnershipConflict:
        message = f'RenderedRelease exists but is not owned by this binding: "{name}"'
        raise NotSynced("ReleaseOwnershipConflict", message, again_after=CONFLICT_POLL) from None
    except ReleaseTerminating as error:
        raise NotSynced("ReleaseUpdateFailed", failed(name, error), again_after=DELIVERY_POLL) from None
    except (store.Invalid, store.Terminating) as error:
        raise NotSynced("ReleaseUpdateFailed", failed(name, error)) from None
    release: Any = outcome.obj
    if outcome.action == "unchanged":
        return release, true("Synced", "ReleaseSynced", f'RenderedRelease "{name}" is up to date')
    done = "created" if outcome.action == "created" else "updated"
    message = f'RenderedRelease "{name}" {done} with {len(entries)} resource(s)'
    return release, true("Synced", "ReleaseCreated", message)


def failed(name: str, error: Exception) -> str:
    return f'Failed to reconcile RenderedRelease "{name}": {error}'


def ready_of(kind: str, conditions: Iterable[Condition]) -> Condition:
    """Ready: True if all are, else the reason of the first that is not."""
    for condition in conditions:
        if condition.status != "True":
            return false("Ready", condition.reason, condition.message)
    return true("Ready", "Ready", f"{kind} is ready")


def is_current(release: RenderedRelease) -> bool:
    """Whether the status of a rendered release speaks of its present generation."""
    applied = release.condition("ResourcesApplied")
    return applied is not None and applied.get("observedGeneration") == release.generation


def apply_failure(release: RenderedRelease) -> str | None:
    """Why the present generation could not be applied, None if it could or was not tried yet."""
    applied = release.condition("ResourcesApplied")
    if applied is None or applied["status"] != "False" or not is_current(release):
        return None
    message: str = applied["message"]
    return message


def observed_entries(release: RenderedRelease) -> list[Document]:
    """What the plane reports of the present generation's objects."""
    return list(release.status.get("resources") or ()) if is_current(release) else []


def rendered_releases_of(binding: PlatformObject) -> list[RenderedRelease]:
    """The RenderedReleases that the binding owns: found by name, told from another's by the owner reference."""
    spec = binding.spec
    name = rendered_release_name(spec["owner"], spec["environment"])
    rows = RenderedRelease.objects.system("reconcile").filter(namespace_id=binding.namespace_name, name=name)
    return [row for row in rows if is_owned_by(row, binding)]
