"""What every reply says about how a browser may treat it.

Pages load nothing from elsewhere and run no script of their own text (save one that carries the page's nonce), nothing
may frame them, and what is behind a sign-in is not kept in caches. Replies of the API are data: they allow nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

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

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.csp_nonce = nonce = secrets.token_urlsafe(16)  # type: ignore[attr-defined]
        response = self.get_response(request)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        policy = PAGE_POLICY.format(nonce=nonce) if is_page else DATA_POLICY
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if request.path.startswith(PRIVATE_PATHS):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
