"""`GET …/environments/{name}/wirelogs`: an environment's network traffic as server-sent events.

The plane's own events are passed on as they come. Refusals before the first are plain text, by contract.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.http import HttpResponseBase, StreamingHttpResponse

from catalog import store
from catalog.api.streaming import (
    TextRefusal,
    component_named,
    place_of_component,
    require,
    room_for,
    still_permitted,
    watched,
)
from catalog.controllers.planes import resolve_data_plane
from catalog.delivery.drivers import location_of, plane_at
from catalog.delivery.plane import Plane, PlaneError, Unsupported, require_capability
from catalog.kinds.environment import Environment
from portal.access.endpoint import Call
from portal.access.place import Place
from portal.audit import operation as audit

ACTION = "wirelogs:view"
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
FORBIDDEN = "you do not have permission to view wirelogs for this scope"


def stream_wirelogs(call: Call, namespace: str, name: str) -> HttpResponseBase:
    """200 with a stream of events; 400, 403 and 502 in plain text."""
    project, component = (call.request.GET.get(field, "") for field in ("project", "component"))
    try:
        place = scope_of(namespace, name, project, component)
        require(call, ACTION, place, name, "Environment", TextRefusal(403, FORBIDDEN))
        plane = plane_of(namespace, name)
        room = room_for(call)
        flows = flows_of(plane, namespace, name, place)
    except TextRefusal as refusal:
        return refusal.response
    note(call, namespace, name, place)
    stream = watched(flows, lambda: still_permitted(call, ACTION, place, name), room)
    response = StreamingHttpResponse(stream, content_type="text/event-stream")
    response["Cache-Control"] = "no-cache, no-transform"
    response["X-Accel-Buffering"] = "no"
    return response


def scope_of(namespace: str, environment: str, project: str, component: str) -> Place:
    """What is asked for, the component at its real owner. Raises `TextRefusal`."""
    if component and not project:
        raise TextRefusal(400, "component filter requires project filter")
    given = {"namespace": namespace, "environment": environment, "project": project, "component": component}
    for field, value in given.items():
        if (value or field in ("namespace", "environment")) and not NAME.fullmatch(value):
            raise TextRefusal(400, f"invalid {field} parameter")
    if not component:
        return Place(namespace, project)
    place = place_of_component(component_named(namespace, component))
    if place.project != project:
        raise TextRefusal(403, FORBIDDEN)
    return place


def plane_of(namespace: str, name: str) -> Plane:
    """The environment's data plane. Raises `TextRefusal`."""
    environment = store.get_or_none("Environment", namespace, name)
    if not isinstance(environment, Environment):
        raise TextRefusal(
            400,
            f'failed to resolve data plane: environment "{name}" not found: '
            f'environments.openchoreo.dev "{name}" not found',
        )
    data_plane = resolve_data_plane(environment)
    if data_plane is None:
        raise TextRefusal(400, f'failed to resolve data plane: environment "{name}" has no data plane reference')
    try:
        return plane_at(location_of(data_plane))
    except PlaneError as error:
        raise TextRefusal(502, f"failed to connect to data plane: {error}") from None


def flows_of(plane: Plane, namespace: str, environment: str, place: Place) -> Iterator[bytes]:
    """The plane's stream, begun. Raises `TextRefusal`."""
    try:
        require_capability(plane, "streams_flows")
        return plane.stream_flows(namespace, environment, place.project, place.component)
    except Unsupported as error:
        raise TextRefusal(502, f"gateway error: {error}") from None
    except PlaneError as error:
        raise TextRefusal(502, f"failed to connect to data plane: {error}") from None


def note(call: Call, namespace: str, environment: str, place: Place) -> None:
    """Who looks into traffic is written down, although nothing changes."""
    opened = audit.current()
    if opened is not None:
        audit.conclude(opened, "success", 200, {"environment": environment, "scope": place.path})
