"""The replies of the contract: JSON bodies, its two shapes of errors, and the plain text of its router.

Handlers answer `{"code", "error"}`; the authentication layer answers `{"error", "message"}`; what happens before
either (no such route, a wrong verb, a parameter or a body that cannot be read) is plain text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse
from django.utils.encoding import iri_to_uri
from django.utils.html import escape

from portal.wire import gojson

CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    410: "GONE",
    412: "PRECONDITION_FAILED",
    422: "UNPROCESSABLE_CONTENT",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_ERROR",
    501: "NOT_IMPLEMENTED",
    503: "SERVICE_UNAVAILABLE",
}
FORBIDDEN = "You do not have permission to perform this operation"
INTERNAL_ERROR = "Internal server error"


class Refusal(Exception):
    """A handler's refusal: raised anywhere below a view, answered as `error(status, text)`."""

    def __init__(self, status: int, text: str, code: str = "") -> None:
        super().__init__(text)
        self.status, self.text, self.code = status, text, code

    @property
    def response(self) -> HttpResponse:
        return error(self.status, self.text, self.code)


class Unreadable(Exception):
    """The request cannot be read: answered as 400 in plain text."""


def json_body(value: Any, status: int = 200) -> HttpResponse:
    """A JSON reply."""
    return _sized(gojson.encode(value), status, "application/json")


def encoded_json(body: bytes) -> HttpResponse:
    """A JSON reply whose body has been written before."""
    return _sized(body, 200, "application/json")


def error(status: int, text: str, code: str = "") -> HttpResponse:
    """A handler's error. `code` defaults to the status' own."""
    return json_body({"code": code or CODES[status], "error": text}, status)


def authentication_error(code: str, message: str, status: int = 401) -> HttpResponse:
    """An error of the authentication layer: another shape, by contract."""
    return json_body({"error": code, "message": message}, status)


def text(content: str, status: int = 200, content_type: str = "text/plain") -> HttpResponse:
    """A plain text."""
    return _sized(content.encode(), status, content_type)


def text_error(status: int, message: str) -> HttpResponse:
    """An error of the layer before the handlers."""
    response = text(message + "\n", status, "text/plain; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    return response


def no_content() -> HttpResponse:
    """204 without a body."""
    response = HttpResponse(status=204)
    del response["Content-Type"]
    return response


def method_not_allowed(allowed: Iterable[str]) -> HttpResponse:
    """405, naming what is allowed; HEAD is wherever GET is."""
    methods = set(allowed)
    if "GET" in methods:
        methods.add("HEAD")
    response = text_error(405, "Method Not Allowed")
    response["Allow"] = ", ".join(sorted(methods))
    return response


def not_routed(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """The answer for a path without a route; serves as Django's `handler404`.

    A path with empty or dotted segments is redirected to its clean form with the method kept, as Go's router does.
    """
    clean = clean_path(request.path)
    if clean != request.path:
        query = request.META.get("QUERY_STRING", "")
        location = iri_to_uri(f"{quote(clean)}?{query}" if query else quote(clean))
        body = f'<a href="{escape(location)}">Temporary Redirect</a>.\n\n'
        response = _sized(body.encode(), 307, "text/html; charset=utf-8")
        response["Location"] = location
        return response
    return text_error(404, "404 page not found")


def clean_path(path: str) -> str:
    """A path without empty and dotted segments; a trailing slash stays."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    return "/" + "/".join(kept) + ("/" if path.endswith("/") and kept else "")


def _sized(content: bytes, status: int, content_type: str) -> HttpResponse:
    response = HttpResponse(content, status=status, content_type=content_type)
    response["Content-Length"] = str(len(content))
    return response
