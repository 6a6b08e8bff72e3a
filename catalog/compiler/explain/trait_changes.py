"""Traits at work, with origins: the twin of catalog.compiler.component.traits. Called by ``objects``."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from catalog.compiler.cel.values import OMIT
from catalog.compiler.component.targets import Target
from catalog.compiler.component.traits import TraitChanges, turns_of
from catalog.compiler.explain.edits import edit
from catalog.compiler.explain.origin import Frame, Place, Step
from catalog.compiler.explain.traced import Traced, grow
from catalog.compiler.explain.walk import TracedResource, faults_at, render_resources, render_template, turn_frames
from catalog.compiler.patch import Operation, apply_operations
from catalog.compiler.patch_path import expand, parse_path


class _Act(NamedTuple):
    """A patch operation ready to be done, and the origins of its value."""

    operation: Operation
    tree: Traced
    step: Step


def apply_changes(
    changes: TraitChanges, resources: list[TracedResource], frame: Frame, spec: Place
) -> list[TracedResource]:
    """Return the resources after a trait's creates, patches and removes. ``spec``: the trait's. Raises ``Fault``."""
    created = [
        item
        for index, template in enumerate(changes.creates)
        for item in render_resources(
            template, Step("trait-create", spec.below("creates", index), frame=frame, resource=f"create #{index}")
        )
    ]
    resources = [*resources, *created]
    for index in range(len(changes.patches)):
        _patch(changes, index, resources, frame, spec.below("patches", index))
    dropped = {
        id(item)
        for index in range(len(changes.removes))
        for item in _removed(changes, index, resources, frame, spec.below("removes", index))
    }
    return [item for item in resources if id(item) not in dropped]


def _patch(changes: TraitChanges, index: int, resources: list[TracedResource], frame: Frame, place: Place) -> None:
    patch = changes.patches[index]
    with faults_at(place):
        scopes = list(turns_of(patch.loop, frame.scope))
    for turn in turn_frames(patch.loop, scopes, frame, place):
        matched = [item for item in resources if patch.target.matches(item.resource)]
        if not matched:
            continue
        acts: list[_Act] = []
        for number, template in enumerate(patch.operations):
            here = place.below("operations", number)
            with faults_at(here.below("path")):
                path = str(template.path.render(turn.scope))
            step = Step("trait-patch", here.below("value"), frame=turn, resource=f"patch #{index}")
            step = replace(step, operation=f"{template.operation} {path}")
            value, tree = None, grow(None, step)
            if template.value is not None:
                value, tree = render_template(template.value.document, step)
            if value is not OMIT:
                acts.append(_Act(Operation(template.operation, path, value), tree, step))
        for item in _selected(patch.target, matched, turn, place):
            for act in acts:
                _do(act, item)


def _do(act: _Act, item: TracedResource) -> None:
    assert act.step.place is not None  # noqa: S101  (made above)
    with faults_at(act.step.place):
        document = item.resource.object
        item.resource.object = apply_operations(document, [act.operation])
        pointers = expand(parse_path(act.operation.path), document)
    item.tree = edit(item.tree, act.operation.op.lower(), pointers, act.tree, act.step)


def _removed(
    changes: TraitChanges, index: int, resources: list[TracedResource], frame: Frame, place: Place
) -> list[TracedResource]:
    removal = changes.removes[index]
    with faults_at(place):
        scopes = list(turns_of(removal.loop, frame.scope))
    found: list[TracedResource] = []
    for turn in turn_frames(removal.loop, scopes, frame, place):
        matched = [item for item in resources if removal.target.matches(item.resource)]
        found += _selected(removal.target, matched, turn, place)
    return found


def _selected(target: Target, matched: list[TracedResource], turn: Frame, place: Place) -> list[TracedResource]:
    with faults_at(place.below("target", "where")):
        chosen = set(map(id, target.filter([item.resource for item in matched], turn.scope)))
    return [item for item in matched if id(item.resource) in chosen]
