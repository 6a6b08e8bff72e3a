"""Traits: what one adds to the resources rendered so far, changes in them, and takes away.

In this order: ``creates``, ``patches``, ``removes``; each trait sees the work of those before it. A target that
matches nothing is no error. Called by ``component.pipeline`` once per trait instance.
"""

from __future__ import annotations

from collections.abc import Iterable

from catalog.compiler.cel.values import OMIT
from catalog.compiler.component.renderer import ResourceTemplate
from catalog.compiler.component.targets import DATA_PLANE, RenderedResource, target_of
from catalog.compiler.control_flow import Loop, loop_of
from catalog.compiler.documents import Document, items, text
from catalog.compiler.errors import CompilerError, PatchError, ResultTypeError, TraitPatchError
from catalog.compiler.messages import explained, type_name
from catalog.compiler.patch import Operation, apply_operations
from catalog.compiler.scope import Scope
from catalog.compiler.template import TemplateSource


class TraitChanges:
    """What a trait's spec does to resources, ready to be applied with any instance's scope."""

    __slots__ = ("creates", "name", "patches", "removes")

    def __init__(self, name: str, spec: Document) -> None:
        self.name = name
        self.creates = [
            ResourceTemplate(declared, f"trait {name} create #{index}")
            for index, declared in enumerate(items(spec, "creates"))
        ]
        self.patches = [_Patch(declared) for declared in items(spec, "patches")]
        self.removes = [_Removal(declared) for declared in items(spec, "removes")]

    def apply(self, resources: list[RenderedResource], scope: Scope) -> list[RenderedResource]:
        """Return the resources after this trait. Patched ones are changed in place (their ``object`` is replaced).

        Raises ``TraitPatchError``, ``ResultTypeError`` and what templates raise.
        """
        created = [created for template in self.creates for created in template.render(scope)]
        resources = [*resources, *created]
        for index, patch in enumerate(self.patches):
            try:
                patch.apply(resources, scope)
            except CompilerError as error:
                raise explained(error, f"failed to apply trait patch #{index} for trait {self.name}") from None
        dropped: set[int] = set()
        for index, removal in enumerate(self.removes):
            try:
                dropped.update(map(id, removal.select(resources, scope)))
            except CompilerError as error:
                raise explained(error, f"failed to apply trait remove #{index} for trait {self.name}") from None
        return [resource for resource in resources if id(resource) not in dropped] if dropped else resources


class _Patch:
    __slots__ = ("loop", "operations", "target")

    def __init__(self, document: Document) -> None:
        self.loop = loop_of(document, component_macros=True)
        self.target = target_of(document, text(document, "targetPlane") or DATA_PLANE)
        self.operations = [_OperationTemplate(operation) for operation in items(document, "operations")]

    def apply(self, resources: list[RenderedResource], scope: Scope) -> None:
        for turn in turns_of(self.loop, scope):
            matched = [resource for resource in resources if self.target.matches(resource)]
            if not matched:
                continue
            selected = self.target.filter(matched, turn)
            # Rendered even when the condition leaves no resource: faults of the operations must surface.
            operations = [rendered for operation in self.operations if (rendered := operation.render(turn)) is not None]
            for resource in selected:
                try:
                    resource.object = apply_operations(resource.object, operations)
                except PatchError as error:
                    raise TraitPatchError(f"failed to apply patches to {resource.identity}: {error}") from error


class _OperationTemplate:
    __slots__ = ("operation", "path", "value")

    def __init__(self, document: Document) -> None:
        self.operation = text(document, "op")
        self.path = TemplateSource(text(document, "path"), component_macros=True)
        # A removal's value is never looked at, not even to find faults in it.
        has_value = self.operation != "remove" and "value" in document
        self.value = TemplateSource(document["value"], component_macros=True) if has_value else None

    def render(self, scope: Scope) -> Operation | None:
        """Return the operation, or ``None`` when its value is omitted: then there is nothing to do."""
        path = self.path.render(scope)
        if not isinstance(path, str):
            raise ResultTypeError(f"path '{self.path.document}' must evaluate to string, got {type_name(path)}")
        value = None if self.value is None else self.value.render(scope)
        return None if value is OMIT else Operation(self.operation, path, value)


class _Removal:
    __slots__ = ("loop", "target")

    def __init__(self, document: Document) -> None:
        self.loop = loop_of(document, component_macros=True)
        # No default here: a document that has not been through admission removes from any plane.
        self.target = target_of(document, text(document, "targetPlane"))

    def select(self, resources: list[RenderedResource], scope: Scope) -> list[RenderedResource]:
        selected: list[RenderedResource] = []
        for turn in turns_of(self.loop, scope):
            matched = [resource for resource in resources if self.target.matches(resource)]
            selected += self.target.filter(matched, turn)
        return selected


def turns_of(loop: Loop | None, scope: Scope) -> Iterable[Scope]:
    """Return the scopes of a loop's turns, or the one scope where there is no loop."""
    return (scope,) if loop is None else loop.scopes(scope)
