"""The walk over templates that makes a document and the tree of its origins together.

Every text is rendered by itself, with the compiled templates that a render uses too. So the place of each value, and
of each fault, is known to the letter. Called by ``trait_changes``, ``objects`` and ``fault``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from catalog.compiler.cel.values import OMIT
from catalog.compiler.component.renderer import ResourceTemplate
from catalog.compiler.component.targets import RenderedResource
from catalog.compiler.control_flow import Loop
from catalog.compiler.errors import CompilerError, KeyTemplateError
from catalog.compiler.explain.origin import Frame, Place, Step, Turn
from catalog.compiler.explain.traced import Traced, grow
from catalog.compiler.scope import Scope
from catalog.compiler.template import compile_template


class Fault(Exception):
    """Something that cannot be rendered, and where it stands."""

    def __init__(self, place: Place, error: CompilerError) -> None:
        super().__init__(str(error))
        self.place = place
        self.error = error


class TracedResource:
    """A rendered resource with the origins of all its values. Both are replaced when it is patched."""

    __slots__ = ("resource", "tree")

    def __init__(self, resource: RenderedResource, tree: Traced) -> None:
        self.resource = resource
        self.tree = tree


@contextmanager
def faults_at(place: Place) -> Iterator[None]:
    """Turn the compiler's errors into faults of that place."""
    try:
        yield
    except CompilerError as error:
        raise Fault(place, error) from error


def render_resources(template: ResourceTemplate, step: Step) -> Iterator[TracedResource]:
    """Yield what a resource template gives. ``step.place``: the template's entry in its list. Raises ``Fault``."""
    place, frame = _place(step), _frame(step)
    with faults_at(place):
        scopes = list(template.turns(frame.scope))
    for turn in turn_frames(template.loop, scopes, frame, place):
        inner = replace(step, place=place.below("template"), frame=turn)
        rendered, tree = render_template(template.template.document, inner)
        if isinstance(rendered, dict):
            yield TracedResource(RenderedResource(rendered, template.plane), tree)


def turn_frames(loop: Loop | None, scopes: Iterable[Scope], frame: Frame, place: Place) -> Iterator[Frame]:
    """Yield the frame of each turn of a loop, or ``frame`` with the one scope where there is none.

    ``scopes``: those of the turns; ``place``: the entry that holds ``forEach``.
    """
    if loop is None:
        yield from (replace(frame, scope=scope) for scope in scopes)
        return
    turns = list(scopes)
    if not turns:
        return
    looped = loop.items.render(frame.scope)
    keys = sorted(looped) if isinstance(looped, dict) else range(len(turns))
    for key, scope in zip(keys, turns, strict=True):
        turn = Turn(loop.variable, key, str(loop.items.document), place.below("forEach"), frame)
        yield replace(frame, scope=scope, turn=turn)


def render_template(document: object, step: Step) -> tuple[object, Traced]:
    """Return a template's value, or ``OMIT``, and the tree of its origins. ``step.place``: where ``document`` stands.

    Raises ``Fault``.
    """
    place = _place(step)
    if isinstance(document, dict):
        entries: dict[str, object] = {}
        below: dict[str, Traced] = {}
        for written, content in document.items():
            key = _key(written, replace(step, place=place.below(written)))
            value, tree = render_template(content, replace(step, place=place.below(written)))
            if value is not OMIT:
                entries[key], below[key] = value, tree
        return entries, Traced(grow(None, replace(step, text={})).origin, below)
    if isinstance(document, list):
        items = [render_template(item, replace(step, place=place.below(index))) for index, item in enumerate(document)]
        kept = [(value, tree) for value, tree in items if value is not OMIT]
        return [value for value, _ in kept], Traced(grow(None, replace(step, text=[])).origin, [t for _, t in kept])
    act = replace(step, text=document)
    with faults_at(place):
        value = act.replay()
    return value, grow(value, act)


def _key(written: str, step: Step) -> str:
    scope = _frame(step).scope
    with faults_at(_place(step)):
        key = compile_template(written, scope.variables, component_macros=True).render(scope.bindings)
        if not isinstance(key, str):
            raise KeyTemplateError(f"dynamic map key '{written}' must evaluate to a string")
    return key


def _place(step: Step) -> Place:
    assert step.place is not None  # noqa: S101  (steps of templates have one)
    return step.place


def _frame(step: Step) -> Frame:
    assert step.frame is not None  # noqa: S101  (steps of templates have one)
    return step.frame
