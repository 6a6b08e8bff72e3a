"""Rendered resources, and how traits and post-render rules select them. Called by ``traits`` and ``validations``."""

from __future__ import annotations

from catalog.compiler.control_flow import condition_of
from catalog.compiler.documents import Document, section, text
from catalog.compiler.errors import CompilerError, ResultTypeError
from catalog.compiler.messages import explained, quote, type_name
from catalog.compiler.scope import Scope
from catalog.compiler.template import TemplateSource

DATA_PLANE = "dataplane"


class RenderedResource:
    """An object on its way to a plane. ``object`` is replaced when it is patched, and never changed in place."""

    __slots__ = ("object", "plane")

    def __init__(self, rendered: Document, plane: str) -> None:
        self.object = rendered
        self.plane = plane

    @property
    def identity(self) -> str:
        """``Kind/name``, for messages."""
        metadata = self.object.get("metadata")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        kind = self.object.get("kind")
        kind, name = (value if isinstance(value, str) else "" for value in (kind, name))
        return f"{kind}/{name}" if kind or name else "unknown resource"


class Target:
    """A selection of resources by plane, kind, group and version, and by a condition on each.

    An empty field matches anything; so does the empty group, which is also that of core kinds.
    """

    __slots__ = ("group", "kind", "plane", "version", "where")

    def __init__(self, document: Document, plane: str) -> None:
        self.kind = text(document, "kind")
        self.group = text(document, "group")
        self.version = text(document, "version")
        self.plane = plane
        self.where = condition_of(document, "where", component_macros=True)

    def matches(self, resource: RenderedResource) -> bool:
        """Whether plane, kind, group and version fit; ``where`` is not looked at."""
        if self.plane and resource.plane != self.plane:
            return False
        if self.kind and resource.object.get("kind") != self.kind:
            return False
        if not self.group and not self.version:
            return True
        api_version = resource.object.get("apiVersion")
        group, slash, version = (api_version if isinstance(api_version, str) else "").partition("/")
        if not slash:
            group, version = "", group
        return self.group in ("", group) and self.version in ("", version)

    def filter(self, matched: list[RenderedResource], scope: Scope) -> list[RenderedResource]:
        """Return those of ``matched`` for which ``where`` holds, with the variable ``resource`` bound to each.

        Raises ``ResultTypeError`` when it gives no boolean, and what the template raises.
        """
        if self.where is None:
            return matched
        return [resource for resource in matched if _holds(self.where, scope.bind("resource", resource.object))]


def target_of(document: Document, plane: str) -> Target:
    """Return the target that a patch, removal or post-render rule declares in its field ``target``."""
    return Target(section(document, "target"), plane)


def _holds(where: TemplateSource, scope: Scope) -> bool:
    try:
        result = where.render(scope)
    except CompilerError as error:
        raise explained(error, f"where clause {quote(str(where.document))} evaluation error") from None
    if not isinstance(result, bool):
        clause = quote(str(where.document))
        raise ResultTypeError(f"where clause {clause} must evaluate to boolean, got {type_name(result)}")
    return result
