"""The contract's OpenAPI document as operations whose answers can be judged."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

METHODS = ("get", "put", "post", "delete")
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Document:
    """The whole document; `resolve` follows its references."""

    whole: Mapping[str, Any]
    validators: dict[str, jsonschema_rs.Draft4Validator] = field(default_factory=dict)

    @cached_property
    def operations(self) -> Mapping[str, Operation]:
        """Every operation by its name, in the document's order."""
        return {operation.name: operation for operation in self.found()}

    def found(self) -> Iterator[Operation]:
        for path, item in self.whole["paths"].items():
            shared = item.get("parameters", [])
            for method in METHODS:
                if method in item:
                    yield Operation(self, method.upper(), path, item[method], tuple(shared))

    def validator(self, schema: Schema) -> jsonschema_rs.Draft4Validator:
        """OpenAPI 3.0 is a dialect of that draft. Each is made once."""
        text = json.dumps(schema, sort_keys=True)
        if text not in self.validators:
            whole = {"allOf": [schema], "components": self.whole["components"]}
            self.validators[text] = jsonschema_rs.Draft4Validator(whole, validate_formats=True)
        return self.validators[text]

    def faults_of(self, schema: Schema, value: Any) -> Iterator[str]:
        """Where a value is not as a schema says."""
        for error in self.validator(schema).iter_errors(value):
            yield f"{'/'.join(map(str, error.instance_path)) or 'the body'}: {error.message[:300]}"

    def undocumented(self, schema: Schema, value: Any, place: str = "") -> Iterator[str]:
        """Places of fields that the schema does not name, where it says what there may be."""
        schema = self.resolve(schema)
        parts = [self.resolve(part) for part in (schema, *schema.get("allOf", ()), *schema.get("oneOf", ()))]
        if isinstance(value, list):
            for item in value:
                yield from self.undocumented(schema.get("items", {}), item, f"{place}[]")
        elif isinstance(value, dict):
            known: dict[str, Schema] = {}
            for part in parts:
                for name, field_schema in part.get("properties", {}).items():
                    known[name] = {"allOf": [known[name], field_schema]} if name in known else field_schema
            more = next((part["additionalProperties"] for part in parts if "additionalProperties" in part), None)
            for name, item in value.items():
                if name in known:
                    yield from self.undocumented(known[name], item, f"{place}.{name}")
                elif isinstance(more, dict):
                    yield from self.undocumented(more, item, f"{place}.*")
                elif known and not more:
                    yield f"{place}.{name}"

    def resolve(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """The node itself, or what its `$ref` leads to."""
        while "$ref" in node:
            found: Any = self.whole
            for step in node["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            node = found
        return node


@dataclass(frozen=True)
class Operation:
    """One operation: `method` and `path` as in the document, `raw` its description there."""

    document: Document
    method: str
    path: str
    raw: Mapping[str, Any]
    shared: tuple[Mapping[str, Any], ...] = ()

    @property
    def name(self) -> str:
        return str(self.raw["operationId"])

    @property
    def is_public(self) -> bool:
        """Whether it needs no token."""
        return self.raw.get("security") == []

    @cached_property
    def parameters(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(self.document.resolve(item) for item in (*self.shared, *self.raw.get("parameters", ())))

    @cached_property
    def body_schema(self) -> Schema | None:
        """The schema of the request's JSON body; None where it has none."""
        body = self.document.resolve(self.raw.get("requestBody", {}))
        content: Mapping[str, Any] = body.get("content", {}).get("application/json", {})
        return content.get("schema")

    @cached_property
    def statuses(self) -> frozenset[int]:
        """The documented statuses, without those that are only meant by `default`."""
        return frozenset(int(status) for status in self.raw["responses"] if status != "default")

    def content_types(self, status: int) -> Mapping[str, Schema]:
        """The documented forms of a reply, with their schemas; {} for no body."""
        replies = self.raw["responses"]
        reply = self.document.resolve(replies.get(str(status)) or replies["default"])
        return {name: media.get("schema", {}) for name, media in reply.get("content", {}).items()}

    def is_at(self, method: str, path: str) -> bool:
        """Whether a request with that path, without its query, is one of this operation."""
        return method == self.method and bool(self.pattern.fullmatch(path))

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        parts = re.split(r"\{[^}]*\}", self.path)
        return re.compile("[^/]+".join(re.escape(part) for part in parts))

    def faults(self, status: int, content_type: str, body: bytes) -> list[str]:
        """What of a reply is not as documented: sentences, none if all is well."""
        if status not in self.statuses and "default" not in self.raw["responses"]:
            return [f"status {status} is not documented: {body[:300]!r}"]
        forms = self.content_types(status)
        if not forms:
            return [f"a body where none is documented: {body[:300]!r}"] if body and status == 204 else []
        media = content_type.partition(";")[0].strip()
        if media not in forms:
            return [f"content type {media} at {status}, documented {', '.join(forms)}: {body[:300]!r}"]
        if media != "application/json":
            return []
        return list(self.document.faults_of(forms[media], json.loads(body)))


def read(conformance: Path) -> Document:
    """The document in the conformance data."""
    source = conformance / "openapi" / "openchoreo-api.yaml"
    # Times in its examples are texts, as in JSON.
    return Document(json.loads(json.dumps(yaml.load(source.read_bytes(), yaml.CSafeLoader), default=str)))
