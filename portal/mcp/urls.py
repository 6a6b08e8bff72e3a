"""The routes of the MCP endpoints, with and without a slash at the end: clients write both."""

from __future__ import annotations

from django.urls import path

from portal.mcp.server import CONTROL_PLANE
from portal.mcp.view import serve

urlpatterns = [path(route, serve(CONTROL_PLANE)) for route in ("mcp", "mcp/")]
