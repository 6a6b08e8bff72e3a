"""Which bindings of an owner are rendered with which release, and when: as controllers and people would go about it.

The first environment of a component with auto-deploy takes the new release by itself; so do resource bindings that
follow the latest release, and project bindings whose pin is empty. All others wait for a promotion or a pin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from catalog.controllers.project_cells import are_cells_managed
from catalog.controllers.resource import FOLLOW_ANNOTATION
from catalog.kinds.base import PlatformObject
from catalog.kinds.component import Component
from catalog.kinds.project_release_binding import ProjectReleaseBinding
from catalog.kinds.release_binding import ReleaseBinding
from catalog.preview import releases
from catalog.preview.impact import Named
from catalog.preview.loading import Batch
from catalog.preview.releases import NotReleased
from catalog.preview.world import Moment, World
from catalog.releases.bind import AmbiguousBinding, binding_document
from catalog.releases.pipeline import environments_of
from catalog.store.admission import admit

NOW: Moment = "now"
AFTER: Moment = "after promotion"


@dataclass(frozen=True)
class Case:
    """One binding to render at a moment: with that release, or with the one that it names if it is None."""

    binding: Any
    moment: Moment
    release: Any = None


@dataclass(frozen=True)
class Wanted:
    """What to look at among the owners of a batch: who gets a new release, and which bindings (by namespace and name)
    are rendered anew with the release that they have, now or once others have been promoted."""

    released: frozenset[Named] = frozenset()
    now: frozenset[Named] = frozenset()
    later: frozenset[Named] = frozenset()


def cases_of(batch: Batch, owner: Any, wanted: Wanted, world: World) -> Iterator[Case | NotReleased]:
    """The cases of one owner; a problem where the new release does not come about."""
    named = (owner.namespace_name, owner.name)
    find: Callable[..., Iterator[Case | NotReleased]] = _CASES[batch.kind]
    release: Any = None
    root = ""
    if named in wanted.released:
        try:
            if batch.kind == "Component":
                release, root = releases.component_release(owner, world, batch.workloads_of)
            else:
                release = _RELEASES[batch.kind](owner)
        except NotReleased as problem:
            yield problem
    bindings = batch.bindings[named]
    fed: list[Any] = []
    if release is not None:
        for item in find(owner, bindings, root, world):
            if isinstance(item, NotReleased):
                yield item
            else:
                fed.append(item.binding.name)
                yield Case(item.binding, NOW, release)
    for binding in bindings:
        key = (binding.namespace_name, binding.name)
        if binding.name in fed:
            if key in wanted.later:
                yield Case(binding, AFTER, release)
            continue
        if key in wanted.now:
            yield Case(binding, NOW)
        if release is not None:
            yield Case(binding, AFTER, release)
        elif key in wanted.later:
            yield Case(binding, AFTER)


def fed_of_component(
    component: Component, bindings: list[Any], root: str, world: World
) -> Iterator[Case | NotReleased]:
    """The binding that auto-deploy feeds, made if there is none."""
    if not component.spec.get("autoDeploy"):
        return
    in_root = [binding for binding in bindings if binding.spec["environment"] == root]
    if len(in_root) > 1:
        yield NotReleased("AutoDeployFailed", f"Failed to handle autoDeploy: {AmbiguousBinding(root)}")
        return
    document = binding_document(component, root, "", labelled=False)
    yield Case(in_root[0] if in_root else made(ReleaseBinding, component, document, world), NOW)


def fed_of_project(project: Any, bindings: list[Any], root: str, world: World) -> Iterator[Case | NotReleased]:
    """The bindings without a pin, and those that the controller would make."""
    yield from (Case(binding, NOW) for binding in bindings if not binding.spec.get("projectRelease"))
    pipeline = project.deployment_pipeline
    if pipeline is None or not are_cells_managed(project):
        return
    covered = {binding.spec["environment"] for binding in bindings}
    for environment in environments_of(pipeline):
        if environment not in covered and world.get("Environment", project.namespace_name, environment) is not None:
            spec = {"owner": {"projectName": project.name}, "environment": environment}
            document = {"metadata": {"name": f"{project.name}-{environment}"}, "spec": spec}
            yield Case(made(ProjectReleaseBinding, project, document, world), NOW)


def fed_of_resource(resource: Any, bindings: list[Any], root: str, world: World) -> Iterator[Case | NotReleased]:
    """The bindings that follow the latest release."""
    for binding in bindings:
        if binding.annotations.get(FOLLOW_ANNOTATION, "").lower() == "true":
            yield Case(binding, NOW)


def made(model: type[PlatformObject], owner: PlatformObject, document: dict[str, Any], world: World) -> Any:
    """A binding that a controller would make, unsaved, in the world from now on."""
    name = document["metadata"]["name"]
    metadata = {"name": name, "namespace": owner.namespace_name}
    admitted, _ = admit(model, None, {"metadata": metadata, "spec": document["spec"]})
    now = timezone.now()
    binding = model(name=name, namespace_id=owner.namespace_name, spec=admitted["spec"], created_at=now)  # type: ignore[misc]
    world.put(binding)
    return binding


_CASES: dict[str, Callable[..., Iterator[Case | NotReleased]]] = {
    "Component": fed_of_component,
    "Project": fed_of_project,
    "Resource": fed_of_resource,
}
_RELEASES: dict[str, Callable[[Any], Any]] = {
    "Project": releases.project_release,
    "Resource": releases.resource_release,
}
