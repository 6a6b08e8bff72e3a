"""Components of the OpenAPI document: the kinds as the API shows them, made from the schemas that admit them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.api.collection import Collection
from catalog.api.routes import collections_by_route
from catalog.kinds.base import Document

TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
MOMENT = {"type": "string", "format": "date-time"}

SHARED: Mapping[str, Document] = {
    "ObjectMeta": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "maxLength": 253},
            "namespace": {"type": "string", "maxLength": 63},
            "uid": {"type": "string", "format": "uuid", "readOnly": True},
            "labels": TEXTS,
            "annotations": TEXTS,
            "creationTimestamp": {**MOMENT, "readOnly": True},
            "deletionTimestamp": {**MOMENT, "readOnly": True},
            "deletionGracePeriodSeconds": {"type": "integer", "readOnly": True},
        },
    },
    "Pagination": {"type": "object", "properties": {"nextCursor": {"type": "string"}}},
    "ErrorResponse": {
        "type": "object",
        "required": ["code", "error"],
        "properties": {"code": {"type": "string"}, "error": {"type": "string"}},
    },
    "AuthenticationError": {
        "type": "object",
        "required": ["error", "message"],
        "properties": {"error": {"type": "string"}, "message": {"type": "string"}},
    },
    "JSONSchema": {"type": "object", "additionalProperties": True},
}


def schemas() -> dict[str, Document]:
    """Every component by its name: what all share, each kind, and each kind's list."""
    found = dict(SHARED)
    for collection in collections_by_route().values():
        found.update(schemas_of(collection))
    return found


def schemas_of(collection: Collection) -> Iterator[tuple[str, Document]]:
    """A kind and its list."""
    model = collection.model
    properties: Document = {"metadata": {"$ref": "#/components/schemas/ObjectMeta"}}
    if model.spec_schema:
        properties["spec"] = plain(model.spec_schema)
    if model.kind != "Namespace":
        properties = {
            "apiVersion": {"type": "string", "enum": [model.api_version], "readOnly": True},
            "kind": {"type": "string", "enum": [model.kind], "readOnly": True},
            **properties,
        }
    properties["status"] = {"type": "object", "additionalProperties": True, "readOnly": True}
    yield model.kind, {"type": "object", "required": ["metadata"], "properties": properties}
    items = {"type": "array", "items": {"$ref": f"#/components/schemas/{model.kind}"}}
    pagination = {"$ref": "#/components/schemas/Pagination"}
    yield (
        f"{model.kind}List",
        {"type": "object", "required": ["items"], "properties": {"items": items, "pagination": pagination}},
    )


def plain(schema: Any) -> Any:
    """A structural schema as OpenAPI knows it: Kubernetes' own keywords said in the common ones."""
    if isinstance(schema, list):
        return [plain(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept = {key: value for key, value in schema.items() if not key.startswith("x-kubernetes-")}
    found = {key: plain(value) for key, value in kept.items()}
    if schema.get("x-kubernetes-int-or-string"):
        found["anyOf"] = [{"type": "integer"}, {"type": "string"}]
        found.pop("type", None)
    if schema.get("x-kubernetes-preserve-unknown-fields"):
        found.setdefault("additionalProperties", True)
    return found
