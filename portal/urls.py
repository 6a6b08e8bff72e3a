"""All routes, gathered from the layers."""

from django.contrib import admin
from django.urls import include, path

from catalog.api.urls import routes_of_kinds

urlpatterns = [
    *routes_of_kinds,
    path("admin/", admin.site.urls),
    path("api/stagecraft/v1/", include("portal.audit.urls")),
    path("", include("portal.access.urls")),
    path("", include("portal.accounts.issuer.urls")),
    path("", include("portal.mcp.urls")),
    path("mcp/compact", include("workflows.compact.urls")),
    path("observer/", include("workflows.observer.urls")),
    path("", include("workflows.runs.urls")),
    path("", include("workflows.webhooks.urls")),
    path("", include("catalog.api.urls")),
]

# What no route answers is plain text, by contract.
handler404 = "portal.wire.responses.not_routed"
