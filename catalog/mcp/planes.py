"""Tools about planes: where things run, are built and are observed. They are only read here."""

from __future__ import annotations

from catalog.mcp.types import TypeKind, getting, listing
from portal.mcp.arguments import OBJECT, TEXT

PLANES = (
    TypeKind("DataPlane", "dataplane", "clusters on which environments lie", plural="data_planes"),
    TypeKind("WorkflowPlane", "workflowplane", "clusters on which workflows run", plural="workflow_planes"),
    TypeKind("ObservabilityPlane", "observability_plane", "where logs, metrics and traces go"),
)
RESULT = {"name": TEXT, "spec": OBJECT, "status": TEXT, "agentConnection": OBJECT}

TOOLS = tuple(tool for of in PLANES for tool in (listing(of), getting(of, RESULT)))
