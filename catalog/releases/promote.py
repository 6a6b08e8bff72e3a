"""Promoting: the release of one environment becomes that of the next one along the project's pipeline.

Only the release moves. What people have set for the target environment (replicas, variables, files) stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catalog import store
from catalog.kinds.component import Component
from catalog.kinds.environment import Environment
from catalog.kinds.release_binding import ReleaseBinding
from catalog.releases.bind import AmbiguousBinding, BoundRelease, bind_release, binding_in, bindings_of
from catalog.releases.pipeline import sources_of
from catalog.store.write import OutcomeAction, Permit
from portal.accounts.actor import Actor


class PromotionRefused(Exception):
    """Why nothing can be promoted, for the person who asked."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """What was promoted: the binding of the target as stored, and what became of it."""

    source: str
    release_name: str
    binding: ReleaseBinding
    action: OutcomeAction


def promote(
    component: Component, target: str, actor: Actor, source: str | None = None, *, permit: Permit | None = None
) -> Promotion:
    """Bind the release of the source environment in `target`.

    `source` may be left out: the first environment whose promotion path leads to the target. Asking for what is
    already so changes nothing. `permit` is asked about the binding before it is written. Raises `PromotionRefused`, a
    `StoreError` or what `permit` raises.
    """
    origin = source_environment(component, target, source)
    if (
        not Environment.objects.system("release")
        .filter(namespace_id=component.namespace_name, name=target, deleted_at=None)
        .exists()
    ):
        raise PromotionRefused(f'Environment "{target}" not found')
    with store.transaction():
        bindings = bindings_of(component)
        try:
            promoted = promotable(binding_in(bindings, origin), origin)
            held = binding_in(bindings, target)
        except AmbiguousBinding as ambiguous:
            raise PromotionRefused(str(ambiguous)) from None
        outcome = bind_release(component, target, promoted, held, actor, labelled=True, permit=permit)
        if outcome is None:
            raise PromotionRefused(f'the binding of environment "{target}" is being deleted')
        binding: Any = outcome.obj
        return Promotion(origin, promoted, binding, outcome.action)


def source_environment(component: Component, target: str, wanted: str | None) -> str:
    """The environment to promote from. Raises `PromotionRefused` if no path of the pipeline leads to the target."""
    project = component.project
    if project is None:
        raise PromotionRefused(f'Project "{component.spec["owner"]["projectName"]}" not found')
    if project.deployment_pipeline is None:
        raise PromotionRefused(f'DeploymentPipeline "{project.spec["deploymentPipelineRef"]["name"]}" not found')
    sources = sources_of(project.deployment_pipeline, target)
    if wanted is None and sources:
        return sources[0]
    if wanted is None or wanted not in sources:
        origin = f'from environment "{wanted}" ' if wanted else ""
        raise PromotionRefused(
            f'no promotion path found {origin}to environment "{target}" '
            f'in deployment pipeline "{project.deployment_pipeline.name}"'
        )
    return wanted


def promotable(bound: BoundRelease | None, source: str) -> str:
    """The name of the release that the source environment runs. Raises `PromotionRefused`."""
    if bound is None or not bound.release_name:
        raise PromotionRefused(f'no release is bound in environment "{source}"')
    if not bound.is_release_there:
        raise PromotionRefused(f'ComponentRelease "{bound.release_name}" of environment "{source}" not found')
    return bound.release_name
