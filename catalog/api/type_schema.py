"""`GET …/{type}/schema`: the JSON Schema of a type's parameters, from which wizards are made."""

from __future__ import annotations

from django.http import HttpResponse

from catalog.api.collection import Collection
from catalog.api.crud import visible
from catalog.compiler.errors import ReferenceResolutionError
from catalog.compiler.schema.refs import resolve_refs
from catalog.kinds.base import Document, PlatformObject
from portal.access.endpoint import Call
from portal.wire import responses

TYPE_KINDS = frozenset(
    f"{scope}{kind}"
    for scope in ("", "Cluster")
    for kind in ("ComponentType", "ProjectType", "ResourceType", "Trait", "Workflow")
)


def parameters_schema(call: Call, collection: Collection, namespace: str, name: str) -> HttpResponse:
    """200 with the schema, references resolved, vendor keys kept; an object without properties where none is declared.

    A schema whose references lead nowhere is shown as it is written: the reference answers 500.
    """
    return responses.json_body(schema_of_parameters(visible(call, collection, namespace, name)))


def schema_of_parameters(held: PlatformObject) -> Document:
    """The schema of a type's parameters."""
    declared: Document | None = (held.spec.get("parameters") or {}).get("openAPIV3Schema")
    if not declared:
        return {"type": "object", "properties": {}}
    try:
        resolved: Document = resolve_refs(declared)
    except ReferenceResolutionError:
        return declared
    return resolved
