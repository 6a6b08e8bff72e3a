"""What was rendered for a binding: the manifests as they are sent to the plane, and how each fares there."""

from __future__ import annotations

from django.http import HttpResponse, QueryDict

from catalog.api.permitted import visible
from catalog.kinds.base import PlatformObject
from catalog.manifests.rendered import RENDERED_KINDS, as_yaml, rendered_of, state_of
from portal.access.endpoint import Call
from portal.wire import responses
from portal.wire.query import text_parameter
from portal.wire.responses import Refusal, Unreadable

FORMATS = ("json", "yaml")


def bind_format(query: QueryDict) -> str:
    """`format=json` (unless told) or `format=yaml`."""
    wanted = text_parameter(query, "format") or "json"
    if wanted not in FORMATS:
        raise Unreadable(f"Invalid format for parameter format: {wanted!r} is none of {', '.join(FORMATS)}")
    return wanted


def show_manifests(call: Call, model: type[PlatformObject], namespace: str, name: str) -> HttpResponse:
    """200 with one entry for each rendered release, or with one YAML stream of all manifests."""
    if model.kind not in RENDERED_KINDS:
        raise Refusal(404, f"{model.kind} not found")
    held = visible(call, model, namespace, name)
    rendered = rendered_of(held)
    if call.query == "yaml":
        objects = [row for item in rendered for row in item.objects]
        return responses.text(as_yaml(objects), content_type="application/yaml")
    return responses.json_body(
        {
            "renderedReleases": [
                {
                    "name": item.release.name,
                    "targetPlane": item.target_plane,
                    "objects": [{**state_of(row), "object": row.manifest.body} for row in item.objects],
                }
                for item in rendered
            ]
        }
    )
