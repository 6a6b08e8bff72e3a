"""What every reply says about how a browser may treat it.

Pages load nothing from elsewhere and run no script of their own text (save one that carries the page's nonce), nothing
may frame them, and what is behind a sign-in is not kept in caches. Replies of the API are data: they allow nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware
from django.utils.functional import SimpleLazyObject

from portal.wire.straight import is_of_api

PAGE_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
PRIVATE_PATHS = ("/admin/", "/api/")


class SecurityHeadersMiddleware:
    """Adds the headers; a view that has set one itself keeps it. Templates get `request.csp_nonce`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

        self.of_api: dict[tuple[bool, bool], dict[str, tuple[str, str]]] = {}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        nonce = SimpleLazyObject(lambda: secrets.token_urlsafe(16))
        request.csp_nonce = nonce  # type: ignore[attr-defined]
        response = self.get_response(request)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        is_private = request.path.startswith(PRIVATE_PATHS)
        if is_of_api(request) and not is_page:
            self.complete(request, response, is_private)
            return response
        policy = PAGE_POLICY.format(nonce=nonce) if is_page else DATA_POLICY
        response.headers.setdefault("Content-Security-Policy", policy)
        add(response, is_private)
        if is_of_api(request):
            add_djangos(request, response)
        return response

    def complete(self, request: HttpRequest, response: HttpResponseBase, is_private: bool) -> None:
        """Add to a reply of the API what every one of them says; worked out once."""
        kind = request.is_secure(), is_private
        if kind not in self.of_api:
            empty = HttpResponse(headers={"Content-Security-Policy": DATA_POLICY})
            del empty.headers["Content-Type"]
            add(empty, is_private)
            add_djangos(request, empty)
            self.of_api[kind] = {name.lower(): (name, value) for name, value in empty.headers.items()}
        # Into the mapping itself: Django would check and encode each of these texts once more, for every reply.
        held = response.headers._store  # type: ignore[attr-defined]
        for key, header in self.of_api[kind].items():
            held.setdefault(key, header)


def add(response: HttpResponseBase, is_private: bool) -> None:
    """What all replies say beside their policy."""
    response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
    if is_private:
        response.headers.setdefault("Cache-Control", "no-store")


def add_djangos(request: HttpRequest, response: HttpResponseBase) -> None:
    """What Django's own middleware says on pages: replies of the API do not pass it."""
    for middleware in (SecurityMiddleware, XFrameOptionsMiddleware):
        middleware(lambda _: response).process_response(request, response)
