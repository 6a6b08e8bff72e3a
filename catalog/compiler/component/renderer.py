"""Resource templates of a type, and of a trait's ``creates``: condition, loop, template, plane.

Called by ``component.pipeline`` and ``component.traits``.
"""

from __future__ import annotations

from collections.abc import Iterator

from catalog.compiler.component.targets import DATA_PLANE, RenderedResource
from catalog.compiler.control_flow import condition_of, is_true, loop_of
from catalog.compiler.documents import Document, text
from catalog.compiler.errors import CompilerError, ResultTypeError, StructureError
from catalog.compiler.manifest import missing_field
from catalog.compiler.messages import explained, type_name
from catalog.compiler.scope import Scope
from catalog.compiler.template import TemplateSource


class ResourceTemplate:
    """One entry of a type's ``resources`` or of a trait's ``creates``. ``name`` is how messages call it."""

    __slots__ = ("condition", "loop", "name", "plane", "template")

    def __init__(self, document: Document, name: str) -> None:
        self.name = name
        self.condition = condition_of(document, "includeWhen", component_macros=True)
        self.loop = loop_of(document, component_macros=True)
        self.template = TemplateSource(document.get("template"), component_macros=True)
        self.plane = text(document, "targetPlane") or DATA_PLANE

    def render(self, scope: Scope) -> list[RenderedResource]:
        """Return what the template gives: nothing, one resource, or one for each turn of its loop.

        The condition is asked once, before the loop, and does not see the loop's variable.
        Raises ``ResultTypeError`` and what templates raise.
        """
        return [RenderedResource(self._object(turn), self.plane) for turn in self.turns(scope)]

    def turns(self, scope: Scope) -> Iterator[Scope]:
        """Yield the scope of each time that the template is rendered: never, once, or once for each turn."""
        try:
            if not is_true(self.condition, scope, "includeWhen"):
                return iter(())
        except CompilerError as error:
            raise explained(error, f"failed to evaluate includeWhen for {self.name}") from None
        if self.loop is None:
            return iter((scope,))
        try:
            return self.loop.scopes(scope)
        except CompilerError as error:
            raise explained(error, f"failed to evaluate forEach for {self.name}") from None

    def _object(self, scope: Scope) -> Document:
        try:
            rendered = self.template.render(scope)
        except CompilerError as error:
            raise explained(error, f"failed to render template for {self.name}") from None
        if not isinstance(rendered, dict):
            raise ResultTypeError(f"template must render to object for {self.name}, got {type_name(rendered)}")
        return rendered


def check_base_resource(resource: RenderedResource, name: str) -> None:
    """Raise ``StructureError`` when a type's resource lacks kind, apiVersion, metadata or metadata.name."""
    if missing := missing_field(resource.object, ("kind", "apiVersion")):
        raise StructureError(f"{name} missing required field '{missing}'")
