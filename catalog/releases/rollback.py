"""Rolling back: an environment returns to a release that it ran before.

Where auto-deploy feeds an environment, it would undo this within a second; so there a rollback is refused unless the
caller lets it stop auto-deploy, which is part of the same change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catalog import store
from catalog.kinds.component import Component
from catalog.kinds.component_release import ComponentRelease
from catalog.kinds.release_binding import ReleaseBinding
from catalog.releases.bind import AmbiguousBinding, BoundRelease, bind_release, binding_in, bindings_of
from catalog.releases.pipeline import InvalidPipeline, root_environment
from catalog.releases.rollback_plan import RollbackPlan, plan_change
from catalog.store.write import Permit
from portal.accounts.actor import Actor


class RollbackRefused(Exception):
    """Why there is no way back, for the person who asked."""


@dataclass(frozen=True, slots=True)
class Rollback:
    """What was rolled back: the binding as stored, from which release to which, and whether auto-deploy was stopped."""

    binding: ReleaseBinding
    from_release: str
    to_release: str
    has_stopped_auto_deploy: bool


def roll_back(
    component: Component,
    environment: str,
    actor: Actor,
    release_name: str | None = None,
    *,
    stop_auto_deploy: bool = False,
    ignore_dependencies: bool = False,
    permit: Permit | None = None,
) -> Rollback:
    """Bind an earlier release in the environment: `release_name`, or the one that ran before the present one.

    Refused where it would leave a consumer without its endpoint, or itself without what it needs, unless
    `ignore_dependencies`. `permit` is asked about each object before it is written. Raises `RollbackRefused`, a
    `StoreError` or what `permit` raises.
    """
    must_stop = is_fed_by_auto_deploy(component, environment)
    if must_stop and not stop_auto_deploy:
        raise RollbackRefused(
            f'auto-deploy keeps environment "{environment}" at the newest release of component "{component.name}"; '
            "stop auto-deploy with the rollback, or roll back what the release is made of"
        )
    with store.transaction():
        bound = the_binding(component, environment)
        target = release_name or previous_release(component, bound)
        check_release(component, target)
        plan = plan_change(component, environment, bound.release_name, target)
        if plan.refusals and not ignore_dependencies:
            raise RollbackRefused(f'release "{target}" cannot run there now: {"; ".join(plan.refusals)}')
        if must_stop:
            document = store.to_document(component, with_status=False)
            document["spec"] = {**document["spec"], "autoDeploy": False}
            if permit is not None:
                permit(component, document)
            store.put(document, actor)
        outcome = bind_release(component, environment, target, bound, actor, permit=permit)
        if outcome is None:
            raise RollbackRefused(f'the binding of environment "{environment}" is being deleted')
        binding: Any = outcome.obj
        return Rollback(binding, bound.release_name, target, must_stop)


def plan_rollback(component: Component, environment: str, release_name: str | None = None) -> RollbackPlan:
    """What the rollback would change and break. Raises `RollbackRefused` where there is no way back."""
    bound = the_binding(component, environment)
    target = release_name or previous_release(component, bound)
    check_release(component, target)
    stops = is_fed_by_auto_deploy(component, environment)
    return plan_change(component, environment, bound.release_name, target, stops_auto_deploy=stops)


def is_fed_by_auto_deploy(component: Component, environment: str) -> bool:
    """Whether auto-deploy points this environment at each new release."""
    if not component.spec.get("autoDeploy") or component.project is None:
        return False
    pipeline = component.project.deployment_pipeline
    try:
        return pipeline is not None and root_environment(pipeline) == environment
    except InvalidPipeline:
        return False


def the_binding(component: Component, environment: str) -> BoundRelease:
    """The binding to roll back. Raises `RollbackRefused`."""
    try:
        bound = binding_in(bindings_of(component), environment)
    except AmbiguousBinding as ambiguous:
        raise RollbackRefused(str(ambiguous)) from None
    if bound is None:
        raise RollbackRefused(f'no release is bound in environment "{environment}"')
    return bound


def previous_release(component: Component, bound: BoundRelease) -> str:
    """The release that ran before the present one and still exists. Raises `RollbackRefused`."""
    past = [name for name in past_releases(component, bound) if name != bound.release_name]
    rows = ComponentRelease.objects.system("release").filter(namespace_id=component.namespace_name, name__in=past)
    existing = set(rows.values_list("name", flat=True))
    for name in past:
        if name in existing:
            return name
    raise RollbackRefused(f'environment "{bound.environment}" has not run another release that still exists')


def past_releases(component: Component, bound: BoundRelease) -> list[str]:
    """The releases that the binding has named, the latest first, each once."""
    rows = store.history("ReleaseBinding", component.namespace_name, bound.binding).order_by("-sequence")
    names = []
    for document in rows.values_list("after", flat=True):
        if document is None:
            break  # what came before belongs to a former binding of this name
        names.append(document["spec"].get("releaseName"))
    return list(dict.fromkeys(name for name in names if name))


def check_release(component: Component, name: str) -> None:
    """The release exists and is this component's. Raises `RollbackRefused`."""
    release = (
        ComponentRelease.objects.system("release")
        .filter(namespace_id=component.namespace_name, name=name)
        .only("spec")
        .first()
    )
    if release is None:
        raise RollbackRefused(f'ComponentRelease "{name}" not found')
    owner = release.spec["owner"]
    if (owner["projectName"], owner["componentName"]) != (component.spec["owner"]["projectName"], component.name):
        raise RollbackRefused(f'ComponentRelease "{name}" belongs to another component, "{owner["componentName"]}"')
