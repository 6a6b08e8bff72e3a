"""`GET …/{type}/schema`: the JSON Schema of a type's parameters, from which wizards are made."""

from __future__ import annotations

from django.http import HttpResponse

from catalog.api.collection import Collection
from catalog.api.crud import existing, in_words_of
from catalog.compiler.errors import ReferenceResolutionError
from catalog.compiler.schema.refs import resolve_refs
from portal.access import guard
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
    held = existing(collection, namespace, name)
    with in_words_of(collection):
        guard.require(call.access, "view", held)
    declared = (held.spec.get("parameters") or {}).get("openAPIV3Schema")
    if not declared:
        return responses.json_body({"type": "object", "properties": {}})
    try:
        return responses.json_body(resolve_refs(declared))
    except ReferenceResolutionError:
        return responses.json_body(declared)
