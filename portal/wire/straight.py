"""Requests of programs go straight to their view: what serves pages is left out for them.

Sessions, cookies, messages, CSRF tokens, static files and the like cost a request more than finding its object does,
and the API has no use for them: it knows its callers by bearer tokens, and reads no cookie. So in `MIDDLEWARE` whatever
stands behind `StraightToView` is for pages only. The headers that two of those add to every reply are added to the
API's by `portal.wire.security`; Django's CSRF check of views that are not exempt stays, as it hangs on the view.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase

GetResponse = Callable[[HttpRequest], HttpResponseBase]
API_PATHS = ("/api/", "/exec/", "/mcp", "/observer/", "/health", "/ready")


class StraightToView:
    """Passes what is below `API_PATHS` by all middleware behind this one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self.to_view = innermost(get_response)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return (self.to_view if is_of_api(request) else self.get_response)(request)


def is_of_api(request: HttpRequest) -> bool:
    """Whether the request is a program's, by its path."""
    return request.path_info.startswith(API_PATHS)


def innermost(get_response: GetResponse) -> GetResponse:
    """What calls the view, at the end of a chain of middleware.

    Django wraps each link in a function that turns exceptions into replies; `__wrapped__` of that is the middleware.
    Where a link is of another form (under ASGI they are made synchronous) the chain stays whole from there.
    """
    link: Any = get_response
    while (middleware := getattr(link, "__wrapped__", None)) is not None and hasattr(middleware, "get_response"):
        link = middleware.get_response
    return link  # type: ignore[no-any-return]
