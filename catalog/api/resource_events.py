"""`GET …/releasebindings/{name}/k8sresources/events`: what a plane reports of one object of a binding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.http import HttpResponse, QueryDict

from catalog.api.binding_objects import (
    CHILDREN,
    NO_SUCH_OBJECT,
    BoundRelease,
    answered,
    bound_releases,
    key_of,
    live_documents,
    visible_binding,
)
from catalog.compiler.documents import Document
from catalog.delivery.plane import ObjectKey, require_capability
from catalog.kinds.release_binding import ReleaseBinding
from portal.access.endpoint import Call
from portal.wire import responses
from portal.wire.query import required_parameter, text_parameter
from portal.wire.responses import Refusal


class Wanted(NamedTuple):
    """The object that is asked for. Its namespace is that of the object of this name in the release."""

    group: str
    version: str
    kind: str
    name: str


def bind_object(query: QueryDict) -> Wanted:
    """The object from the query; version, kind and name are required. Raises `Unreadable`."""
    group = text_parameter(query, "group")
    return Wanted(group, *(required_parameter(query, name) for name in ("version", "kind", "name")))


def show_events(call: Call, namespace: str, name: str) -> HttpResponse:
    """200 with `{events}`; 404 for an object that is not the binding's, 501 where the plane shows none."""
    return responses.json_body({"events": events_of(visible_binding(call, namespace, name), call.query)})


def events_of(binding: ReleaseBinding, wanted: Wanted) -> list[Document]:
    """The events of one object of a binding that the caller may see. Raises `Refusal`."""
    with answered():
        bound, key = find(bound_releases(binding), wanted)
        plane, _ = bound.plane()
        return [event_of(event) for event in plane.events(key)]


def find(releases: Sequence[BoundRelease], wanted: Wanted) -> tuple[BoundRelease, ObjectKey]:
    """The release that holds the object, and the object's key. Raises the 404 or a `PlaneError`."""
    for bound in releases:
        for row in bound.rows:
            if (row.group, row.version, row.kind, row.name) == wanted:
                return bound, ObjectKey(*row.identity)
    for bound in releases:
        if wanted.kind in CHILDREN and bound.may_hold(wanted.kind):
            require_capability(bound.plane()[0], "reports_events")
            for document in live_documents(bound):
                key = key_of(document)
                if (key.group, key.kind, key.name) == (wanted.group, wanted.kind, wanted.name):
                    return bound, key
    raise Refusal(404, NO_SUCH_OBJECT)


def event_of(event: Document) -> Document:
    """A core/v1 Event as the contract shows it; events of the newer sort have their times and sources elsewhere."""
    first = event.get("firstTimestamp") or event.get("eventTime")
    shown: dict[str, Any] = {name: event.get(name) or "" for name in ("type", "reason", "message")}
    optional = {
        "count": event.get("count"),
        "firstTimestamp": first,
        "lastTimestamp": event.get("lastTimestamp") or first,
        "source": (event.get("source") or {}).get("component") or event.get("reportingComponent"),
    }
    return shown | {name: value for name, value in optional.items() if value}
