"""The access log: one JSON line for every request, with who sent it and never with what signs them in.

A line holds no query string and no header but the user agent's cleaned text: keys could be in either. It goes to
standard output, everything else to standard error, so that a collector can take it as it is. `X-Request-ID` ties it to
revisions and audit events; it is not echoed to the client, by contract.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponseBase

from portal.audit.operation import Operation, current

log = logging.getLogger("stagecraft.access")
PROBES = frozenset({"/health", "/ready"})
PATH_MAX = 500


class AccessLogMiddleware:
    """Inside of the audit's frame, which knows who has called. Probes that succeed are left out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not log.isEnabledFor(logging.INFO):
            return self.get_response(request)
        began = time.perf_counter()
        response = self.get_response(request)
        if request.path not in PROBES or response.status_code >= 400:
            line = line_of(request, response, time.perf_counter() - began, current())
            # As `log.info`, which would also look for the line of code that calls it.
            log.handle(logging.LogRecord(log.name, logging.INFO, "", 0, orjson.dumps(line).decode(), None, None))
        return response


def line_of(
    request: HttpRequest, response: HttpResponseBase, seconds: float, operation: Operation | None
) -> dict[str, Any]:
    """What the log says of a request; empty fields are left out."""
    origin = operation.origin if operation is not None else None
    length = response.headers.get("Content-Length", "")
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "request_id": origin.request_id if origin else "",
        "client_request_id": origin.client_request_id if origin else "",
        "method": (request.method or "")[:20],
        "path": request.path[:PATH_MAX],
        "status": response.status_code,
        "ms": round(seconds * 1000, 1),
        "bytes": int(length) if length.isdigit() else None,
        **caller_of(request, operation),
        "ip": origin.source_ip if origin else None,
        "agent": origin.user_agent if origin else "",
    }
    return {key: value for key, value in line.items() if value not in (None, "")}


def caller_of(request: HttpRequest, operation: Operation | None) -> dict[str, str]:
    """Who sent it, as far as it is known without asking the database."""
    if operation is not None and operation.actor is not None:
        return {
            "user": operation.actor.name,
            "kind": operation.actor.kind,
            "on_behalf_of": operation.on_behalf_of,
            "credential": operation.credential,
        }
    signed_in = getattr(request, "_cached_user", None)  # what Django has read for a page, if it has
    if signed_in is None or not signed_in.is_authenticated:
        return {}
    return {"user": signed_in.get_username(), "kind": signed_in.principal_kind, "credential": "session"}
