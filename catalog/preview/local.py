"""Compiling local files together with what is stored: the manifests of whatever the files name or concern.

Unlike a preview this compares nothing, and it renders also for environments that a component has not been deployed to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from catalog.compiler.explain import path_text
from catalog.kinds.base import Document, PlatformObject
from catalog.kinds.registry import kind_named
from catalog.manifests.reading import Entry
from catalog.preview.cases import made
from catalog.preview.examining import Examination, MaySee, Result
from catalog.preview.impact import OWNER_FIELDS, OWNERS, Impact, find_impact
from catalog.preview.loading import BINDING_OF, batches
from catalog.preview.rehearsing import Rehearsed, rehearse
from catalog.preview.world import World
from catalog.releases.pipeline import environments_of
from portal.accounts.actor import Actor


@dataclass
class LocalRender:
    """What became of the documents, and what is rendered, by owner and environment."""

    rehearsed: Rehearsed
    results: list[Result]

    def location(self, result: Result) -> str:
        """File and line of what a failure is about: the field to blame, else the document of the owner; "" if that is
        not among the files."""
        failure = result.failure
        if failure is not None and failure.place is not None:
            entry = self.rehearsed.entry_of(failure.place.kind, failure.place.name)
            if entry is not None:
                return entry.location(path_text(failure.place.path))
        entry = self.rehearsed.entry_of(result.kind, result.owner)
        return "" if entry is None else entry.location()


def render_locally(
    entries: Iterable[Entry],
    actor: Actor,
    default_namespace: str = "default",
    environment: str = "",
    *,
    may_see: MaySee = lambda obj: True,
) -> LocalRender:
    """Render all that the documents name or concern, as it would be with its newest release; stores nothing.

    In every environment of the project's pipeline, or in the one that is given. `may_see` says of owners and bindings
    whether the asker may see them; others are left out.
    """
    rehearsed = rehearse(entries, actor, default_namespace)
    world = World(rehearsed.after)
    impact = find_impact(rehearsed.named, world)
    add_owners_of_bindings(impact, world)
    for kind in OWNER_FIELDS:
        make_bindings(kind, impact, world, environment)
    examination = Examination(world, keep_entries=True, may_see=may_see)
    examination.examine(impact)
    newest: dict[tuple[str, str, str, str], Result] = {}
    for result in examination.results:
        if result.is_hidden:
            continue
        if environment in ("", result.environment) or not result.environment:
            key = (result.kind, result.namespace, result.owner, result.environment)
            if key not in newest or result.moment != "now":
                newest[key] = result
    return LocalRender(rehearsed, list(newest.values()))


def rendered_items(rendered: LocalRender) -> Iterator[Document]:
    """What is rendered, one item for each owner, environment and plane."""
    for result in rendered.results:
        for plane, entries in (result.entries or {}).items():
            yield {
                "kind": result.kind,
                "namespace": result.namespace,
                "name": result.owner,
                "environment": result.environment,
                "targetPlane": plane,
                "objects": [entry["object"] for entry in entries],
            }


def add_owners_of_bindings(impact: Impact, world: World) -> None:
    """Whoever has a binding among the files is rendered too."""
    for key in impact.rendered:
        binding = world.read(key.kind, key.namespace, key.name)
        if binding is not None:
            kind = OWNERS[key.kind]
            impact.released[kind].add((key.namespace, binding.spec["owner"][OWNER_FIELDS[kind]]))


def make_bindings(kind: str, impact: Impact, world: World, environment: str) -> None:
    """Give the owners bindings in the environments where they have none. Project bindings make themselves."""
    if kind == "Project":
        return
    for batch in batches(kind, impact.owners(kind), world):
        for owner in batch.owners:
            bindings = batch.bindings[owner.namespace_name, owner.name]
            bound = {binding.spec["environment"] for binding in bindings}
            for missing in [name for name in wanted_environments(owner, environment) if name not in bound]:
                spec = {"owner": owner_reference(owner), "environment": missing}
                document = {"metadata": {"name": f"{owner.name}-{missing}"}, "spec": spec}
                made(kind_named(BINDING_OF[kind]), owner, document, world)


def wanted_environments(owner: Any, environment: str) -> Iterator[str]:
    """The environment that is asked for, or all of the pipeline."""
    if environment:
        yield environment
    elif owner.project is not None and owner.project.deployment_pipeline is not None:
        yield from environments_of(owner.project.deployment_pipeline)


def owner_reference(owner: PlatformObject) -> dict[str, str]:
    return {"projectName": owner.spec["owner"]["projectName"], OWNER_FIELDS[owner.kind]: owner.name}
