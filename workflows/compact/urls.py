"""The route of compact mode, with and without a slash at the end. Included at `mcp/compact` by `portal.urls`."""

from __future__ import annotations

from django.urls import path

from portal.mcp.view import serve
from workflows.compact.server import COMPACT

urlpatterns = [path(ending, serve(COMPACT)) for ending in ("", "/")]
