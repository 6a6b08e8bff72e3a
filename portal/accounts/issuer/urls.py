"""The issuer's routes: `/oauth/…` and `/.well-known/…`."""

from functools import partial

from django.urls import path

from portal.access.endpoint import public
from portal.accounts.issuer import discovery, endpoints, pages
from portal.accounts.issuer.claims import MCP_PATHS

urlpatterns = [
    path(".well-known/oauth-protected-resource", public(discovery.protected_resource)),
    *(
        path(f".well-known/oauth-protected-resource{where}", public(partial(discovery.protected_resource, path=where)))
        for where in MCP_PATHS
    ),
    path(
        "observer/.well-known/oauth-protected-resource",
        public(partial(discovery.protected_resource, path="/observer/mcp")),
    ),
    path(".well-known/openid-configuration", public(discovery.openid_configuration)),
    path(".well-known/oauth-authorization-server", public(discovery.openid_configuration)),
    path("oauth/authorize", pages.page(pages.Authorize.as_view())),
    path("oauth/sign-in", pages.page(pages.SignIn.as_view())),
    path("oauth/sign-out", pages.page(pages.sign_out)),
    path("oauth/device", pages.page(pages.device_page)),
    path("oauth/token", endpoints.token),
    path("oauth/revoke", endpoints.revoke),
    path("oauth/device_authorization", endpoints.device_authorization),
    path("oauth/jwks", endpoints.key_set),
    path("oauth/userinfo", endpoints.userinfo),
]
