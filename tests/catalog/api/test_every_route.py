"""Every route and method says which action it asks for, or that anybody may call it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from portal.access.actions import action_named
from portal.access.endpoint import ANYONE

PUBLIC = {
    "observer/health",
    "health",
    "ready",
    "version",
    "openapi.json",
    # The same document as pages.
    "reference/",
    "reference/operations/<str:name>/",
    "reference/schemas/<str:name>/",
    "api/v1alpha1/autobuild",  # signed by the host of the repository
    # How to sign in, and signing in itself. Userinfo asks for its token itself.
    ".well-known/oauth-protected-resource",
    ".well-known/oauth-protected-resource/mcp",
    ".well-known/oauth-protected-resource/mcp/compact",
    ".well-known/oauth-protected-resource/observer/mcp",
    "observer/.well-known/oauth-protected-resource",
    ".well-known/openid-configuration",
    ".well-known/oauth-authorization-server",
    "oauth/authorize",
    "oauth/sign-in",
    "oauth/sign-out",
    "oauth/device",
    "oauth/token",
    "oauth/revoke",
    "oauth/device_authorization",
    "oauth/jwks",
    "oauth/userinfo",
}
ADMIN = "admin/"  # Django's, by sessions; its model admins ask the engine themselves
DECIDED_IN_ITS_QUERY = {"api/stagecraft/v1/audit"}


def routes(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in (resolver or get_resolver()).url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, path)
        elif isinstance(pattern, URLPattern):
            yield path, pattern.callback


def test_every_route_and_method_declares_an_action() -> None:
    seen = 0
    for path, view in routes():
        if path.startswith(ADMIN) or path in DECIDED_IN_ITS_QUERY:
            continue
        if getattr(view, "is_public", False):
            assert path in PUBLIC
            continue
        for method, handler in view.handlers.items():
            kind, _, verb = handler.action.partition(":")
            declares = handler.action == ANYONE or action_named(handler.action) is not None
            assert declares or (kind == "{kind}" and action_named(f"component:{verb}")), (method, path, handler.action)
            seen += 1
    assert seen >= 20
