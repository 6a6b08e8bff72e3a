"""Where the values of a binding's manifests come from, as `manage.py explain` shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, QueryDict

from catalog.api.permitted import visible
from catalog.kinds.base import PlatformObject
from catalog.kinds.release_binding import ReleaseBinding
from catalog.manifests import explaining
from catalog.manifests.explaining import NotExplained
from portal.access.endpoint import Call
from portal.wire import responses
from portal.wire.query import text_parameter
from portal.wire.responses import Refusal


@dataclass(frozen=True, slots=True)
class ExplainQuery:
    """`object` as `Kind/name`, kind or resource id; `field` with dots. Without an object, the objects are listed."""

    object: str
    field: str

    @classmethod
    def bind(cls, query: QueryDict) -> ExplainQuery:
        return cls(object=text_parameter(query, "object"), field=text_parameter(query, "field"))


def show_explanation(call: Call, model: type[PlatformObject], namespace: str, name: str) -> HttpResponse:
    """200 with the origins of the fields; 404 for no such binding, object or field; 409 if nothing can be rendered."""
    if model is not ReleaseBinding:
        raise Refusal(404, f"{model.kind} not found")
    held: Any = visible(call, model, namespace, name)
    query: ExplainQuery = call.query
    try:
        explanation = explaining.explain_binding(held)
    except NotExplained as problem:
        raise Refusal(409, str(problem)) from None
    if not query.object:
        objects = [{"id": identity, **explaining.object_document(item)} for identity, item in explanation.objects]
        return responses.json_body({"objects": objects})
    try:
        item = explaining.select_object(explanation, query.object)
        fields = explaining.select_fields(item, query.field)
    except NotExplained as problem:
        raise Refusal(404, str(problem)) from None
    return responses.json_body(explaining.explanation_document(explanation, item, fields))
