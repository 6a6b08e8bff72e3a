"""`GET …/releasebindings/{name}/k8sresources/logs`: the log of a pod of a binding, all containers in one time line.

Only pods that have come of the binding's own objects can be read, whatever else lies in their namespace.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from django.http import HttpResponse, QueryDict

from catalog.api.binding_objects import (
    NO_SUCH_OBJECT,
    BoundRelease,
    answered,
    bound_releases,
    live_documents,
    visible_binding,
)
from catalog.api.noted_reads import note_read
from catalog.compiler.documents import Document
from catalog.delivery.plane import DATA_PLANE, LogLine, NoSuchContainer, NotThere, require_capability
from catalog.kinds.release_binding import ReleaseBinding
from portal.access.endpoint import Call
from portal.wire import responses
from portal.wire.query import integer_parameter, required_parameter, text_parameter
from portal.wire.responses import Refusal

MOST_LINES = 10_000
"""The newest lines of each container; more are for a log store."""


class Wanted(NamedTuple):
    """Whose log, and from when on. No container means all of them."""

    pod: str
    container: str
    since_seconds: int | None


def bind_pod(query: QueryDict) -> Wanted:
    """The pod from the query; no seconds mean all that there is. Raises `Unreadable`."""
    seconds = integer_parameter(query, "sinceSeconds")
    return Wanted(
        required_parameter(query, "podName"),
        text_parameter(query, "container"),
        seconds if seconds and seconds > 0 else None,
    )


def show_logs(call: Call, namespace: str, name: str) -> HttpResponse:
    """200 with `{logEntries: [{timestamp, log, container}]}`.

    404 for a pod that is not the binding's, 400 for a container that it does not have, 501 where the plane shows none.
    """
    return responses.json_body({"logEntries": entries_of(call, visible_binding(call, namespace, name), call.query)})


def entries_of(call: Call, binding: ReleaseBinding, wanted: Wanted) -> list[Document]:
    """The lines of a pod of a binding that the caller may see; the read is written down. Raises `Refusal`."""
    with answered():
        bound, pod = find_pod(bound_releases(binding), wanted.pod)
        containers = containers_of(pod)
        if wanted.container and wanted.container not in containers:
            raise Refusal(400, "Container not found in pod")
        lines = read_lines(bound, pod, wanted, containers)
    note_read(call, "logs:view", binding, pod=wanted.pod, container=wanted.container)
    return [entry_of(line) for line in lines]


def find_pod(releases: Sequence[BoundRelease], name: str) -> tuple[BoundRelease, Document]:
    """The pod and the release that it comes of. Raises the 404 or a `PlaneError`."""
    for bound in releases:
        if bound.target == DATA_PLANE and bound.may_hold("Pod"):
            require_capability(bound.plane()[0], "streams_logs")
            for document in live_documents(bound):
                if document.get("kind") == "Pod" and (document.get("metadata") or {}).get("name") == name:
                    return bound, document
    raise Refusal(404, NO_SUCH_OBJECT)


def containers_of(pod: Document) -> list[str]:
    spec = pod.get("spec") or {}
    return [str(item.get("name")) for field in ("containers", "initContainers") for item in spec.get(field) or ()]


def read_lines(bound: BoundRelease, pod: Document, wanted: Wanted, containers: Sequence[str]) -> list[LogLine]:
    """The lines in the order of time. Of several containers, one that has no log (yet, or any more) is passed over."""
    plane, _ = bound.plane()
    lines: list[LogLine] = []
    for container in [wanted.container] if wanted.container else containers:
        try:
            lines += deque(plane.read_log(pod, container, wanted.since_seconds), MOST_LINES)
        except NoSuchContainer:
            if wanted.container:
                raise Refusal(400, "Container not found in pod") from None
        except NotThere:
            if wanted.container:
                raise
    return sorted(lines, key=moment_of)


def moment_of(line: LogLine) -> tuple[datetime, str]:
    """When a line was written, for sorting: to the microsecond, and then by the text of its fraction."""
    try:
        return datetime.fromisoformat(line.timestamp), line.timestamp
    except ValueError:
        return datetime.min.replace(tzinfo=UTC), line.timestamp


def entry_of(line: LogLine) -> Document:
    return {"timestamp": line.timestamp, "log": line.text, "container": line.container}
