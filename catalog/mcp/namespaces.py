"""Tools about namespaces."""

from __future__ import annotations

from catalog.mcp import objects
from catalog.mcp.declare import META, PAGE, WRITTEN, WRITTEN_ALWAYS, one, page_of
from portal.access.endpoint import Call
from portal.mcp.arguments import TEXT
from portal.mcp.registry import Arguments, Document, Tool


def list_namespaces(call: Call, given: Arguments) -> Document:
    return objects.listed(call, "Namespace", given, "namespaces")


def create_namespace(call: Call, given: Arguments) -> Document:
    return objects.written(objects.created(call, "Namespace", given, given["name"], {}), "created")


TOOLS = (
    Tool(
        "list_namespaces",
        "List namespaces",
        "The namespaces that you may see.",
        list_namespaces,
        one("namespace:view"),
        ("namespace",),
        arguments=PAGE,
        result=page_of("namespaces"),
        always=("namespaces",),
    ),
    Tool(
        "create_namespace",
        "Create a namespace",
        "Create a namespace, with what every namespace needs.",
        create_namespace,
        one("namespace:create"),
        ("namespace",),
        arguments={"name": TEXT, **META},
        required=("name",),
        result=WRITTEN,
        always=WRITTEN_ALWAYS,
        effect="create",
    ),
)
