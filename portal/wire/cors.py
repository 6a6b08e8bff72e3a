"""Pages of other origins that call the API from a browser, as `CORS_ALLOWED_ORIGINS` lets them.

With the setting empty no reply speaks of origins and OPTIONS is refused like any other verb, as in the reference.
Only exact origins count, never a pattern. The admin and other pages are never opened: they live by cookies.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

from portal.wire.responses import no_content

OPEN_PATHS = ("/api/", "/.well-known/", "/openapi.json", "/version", "/mcp", "/observer/")
METHODS = "GET, POST, PUT, DELETE, OPTIONS"
HEADERS = "Authorization, Content-Type, If-Match, If-None-Match, X-Request-ID"
EXPOSED = "ETag, WWW-Authenticate"
MAX_AGE_SECONDS = 600


class CorsMiddleware:
    """Answers preflights and marks replies for the origins that are allowed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not settings.CORS_ALLOWED_ORIGINS or not request.path.startswith(OPEN_PATHS):
            return self.get_response(request)
        origin = request.headers.get("Origin", "")
        is_allowed = origin in settings.CORS_ALLOWED_ORIGINS
        is_preflight = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        response = no_content() if is_allowed and is_preflight else self.get_response(request)
        patch_vary_headers(response, ["Origin"])
        if is_allowed:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Allow-Credentials"] = "true"
            response["Access-Control-Expose-Headers"] = EXPOSED
        if is_allowed and is_preflight:
            response["Access-Control-Allow-Methods"] = METHODS
            response["Access-Control-Allow-Headers"] = HEADERS
            response["Access-Control-Max-Age"] = str(MAX_AGE_SECONDS)
        return response
