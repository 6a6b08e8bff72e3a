"""The operations of endpoints, read from their API schemas.

A type that routes by operation reads them as ``workload.toEndpointResources(endpoint)``. A schema that cannot be read
must not stop a render: its endpoint then has no operations, and routing falls back to the whole endpoint. Called by
``component.context``.
"""

from __future__ import annotations

from collections.abc import Callable

from catalog.compiler.component.openapi_operations import openapi_operations
from catalog.compiler.component.protobuf_methods import protobuf_methods
from catalog.compiler.documents import Document, section, text
from catalog.compiler.errors import CompilerError

_OPENAPI, _PROTO, _GRAPHQL = "openapi", "proto", "graphql"
_TYPE_NAMES = {
    **dict.fromkeys(("openapi", "openapiv3", "oas", "oas3", "swagger"), _OPENAPI),
    **dict.fromkeys(("proto", "protobuf", "grpc"), _PROTO),
    **dict.fromkeys(("graphql", "gql"), _GRAPHQL),
}
_TYPE_OF_ENDPOINT = {"HTTP": _OPENAPI, "gRPC": _PROTO, "GraphQL": _GRAPHQL}
_READERS: dict[str, Callable[[str], list[Document]]] = {_OPENAPI: openapi_operations, _PROTO: protobuf_methods}


def endpoint_operations(endpoints: Document, warnings: list[str]) -> Document:
    """Return the operations by endpoint name; endpoints without any are absent.

    ``endpoints`` are those of a workload's spec, with ``schema{type?, content}``. An operation is
    ``{kind, service?, method?, path?}``, sorted by these. Every schema that cannot be read adds to ``warnings``.
    """
    found: Document = {}
    for name, endpoint in endpoints.items():
        try:
            operations = _operations(endpoint)
        except CompilerError as error:
            warnings.append(f"endpoint {name}: failed to extract the API schema: {error}")
            continue
        if operations:
            found[name] = sorted(operations, key=_order)
    return found


def _operations(endpoint: Document) -> list[Document]:
    schema = section(endpoint, "schema")
    content = text(schema, "content")
    if not content.strip():
        return []
    declared = text(schema, "type").strip().lower()
    schema_type = _TYPE_NAMES.get(declared, declared) or _TYPE_OF_ENDPOINT.get(text(endpoint, "type"), "")
    if not schema_type:
        return []
    reader = _READERS.get(schema_type)
    if reader is None:
        raise CompilerError(f'no extractor registered for schema type "{schema_type}"')
    return reader(content)


def _order(operation: Document) -> tuple[str, str, str, str]:
    return (
        operation["kind"],
        operation.get("service", ""),
        operation.get("path", ""),
        operation.get("method", ""),
    )
