"""What is told of a value: the act of the render that gave it, the text behind the act, and whom the text spoke of.

A ``Step`` is one act: a text of a template, the value of a patch operation, a label of the platform. It may give a
whole tree of values; the ``Origin`` of each of them says where in the step's result it stands, and what stood in its
place before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from catalog.compiler.manifest import to_json
from catalog.compiler.scope import Scope
from catalog.compiler.template import compile_template
from catalog.compiler.template_scan import Expression, scan

StepKind = Literal["template", "trait-create", "trait-patch", "platform-label", "pod-hash", "network-policy"]
"""Whose act gave a value: the type's, a trait's, or the platform's."""

FieldPath = tuple[str | int, ...]
"""A place in a document: keys and list indexes."""


@dataclass(frozen=True, slots=True)
class Place:
    """A field of a document that somebody wrote."""

    kind: str
    name: str
    path: FieldPath

    def below(self, *steps: str | int) -> Place:
        """Return a place further down in the same document."""
        return Place(self.kind, self.name, (*self.path, *steps))


@dataclass(frozen=True, slots=True)
class TraitUse:
    """One use of a trait.

    ``place``: where the use is declared, in the type for an embedded trait; ``outer``: the frame of the type, which the
    parameters of an embedded trait are written in.
    """

    kind: str
    name: str
    instance: str
    is_embedded: bool
    place: Place
    outer: Frame


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a loop: what its variable stands for.

    ``key`` is an index, or a key where the loop is over a map; ``text`` is what is looped over, in the variables of
    ``outer``.
    """

    variable: str
    key: int | str
    text: str
    place: Place
    outer: Frame


@dataclass(frozen=True, slots=True)
class Frame:
    """The variables that a text sees, and whose they are: the type's, or those of one use of a trait."""

    scope: Scope
    trait: TraitUse | None = None
    turn: Turn | None = None


@dataclass(frozen=True, eq=False)
class Step:
    """One act of a render.

    ``text`` is the template as written at ``place``, a literal of any JSON type included; acts of the platform have
    neither but say by ``computed`` what they give. ``resource`` is the id of the template that the act belongs to,
    or the number of a trait's create; ``operation`` is a patch operation and its path.
    """

    kind: StepKind
    place: Place | None = None
    text: object = None
    frame: Frame | None = None
    resource: str = ""
    operation: str = ""
    computed: Callable[[], object] | None = None

    @cached_property
    def expressions(self) -> tuple[str, ...]:
        """The expressions in the text, in its order; none for a literal."""
        if not isinstance(self.text, str):
            return ()
        return tuple(piece.text for piece in scan(self.text) if isinstance(piece, Expression))

    def replay(self) -> object:
        """Do it again and return what it gives. Raises as it did then."""
        if self.computed is not None:
            return self.computed()
        assert self.frame is not None  # noqa: S101  (only computed steps have none)
        scope = self.frame.scope
        return compile_template(self.text, scope.variables, component_macros=True).render(scope.bindings)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from: a step, the place in the step's result, and the origin of what it has replaced."""

    step: Step
    within: FieldPath = ()
    before: Origin | None = None

    def replay(self) -> object:
        """Return the value by doing the step again, as plain JSON."""
        value = self.step.replay()
        for key in self.within:
            value = value[key]  # type: ignore[index]
        return to_json(value)

    @property
    def history(self) -> tuple[Origin, ...]:
        """This origin and those before it, the first one first."""
        found: list[Origin] = []
        origin: Origin | None = self
        while origin is not None:
            found.append(origin)
            origin = origin.before
        return tuple(reversed(found))
