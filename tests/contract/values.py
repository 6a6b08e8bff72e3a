"""A small generator: the smallest and the fullest value that a schema of the document allows.

Values that mean something (names of objects that exist, expressions, schemas) cannot be made from a schema; they are
given as `known`, by the name of the schema's place: `Component.spec.traits[].name`. All else comes from the schema: its
example, its first choice, its default, or the plainest value of its type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.contract.document import Document, Schema

DEEPEST = 12
ABSENT = object()
"""A known value that says: leave it out."""
PLAIN: Mapping[str, Any] = {"string": "text", "integer": 1, "number": 1, "boolean": True}
TEXTS = {"date-time": "2026-11-21T10:00:00Z", "uri": "https://example.com/x", "email": "a@example.com", "byte": "eA=="}


@dataclass(frozen=True)
class Generator:
    document: Document
    known: Mapping[str, Any]
    is_full: bool
    """Whether optional fields are there too."""
    needed: frozenset[str] = frozenset()
    """Places that the schema leaves open and that no such object can do without."""

    def value(self, schema: Schema, place: str, depth: int = 0) -> Any:
        """A value that the schema allows, or `ABSENT`."""
        for given in (place, general(place)):
            if given in self.known:
                return self.known[given]
        schema = self.merged(schema)
        kind = schema.get("type") or ("object" if "properties" in schema else "")
        if kind == "object":
            return self.object(schema, place, depth)
        if kind == "array":
            wanted = max(schema.get("minItems", 0), 1 if self.is_full else 0)
            made = [self.value(schema["items"], f"{place}[]", depth + 1) for _ in range(wanted)]
            return [item for item in made if item is not ABSENT]
        return self.scalar(schema, kind)

    def object(self, schema: Schema, place: str, depth: int) -> Any:
        if depth > DEEPEST:
            return ABSENT
        made = {}
        for name, field in schema.get("properties", {}).items():
            here = f"{place}.{name}"
            is_wanted = name in schema.get("required", ()) or {here, general(here)} & self.needed or self.is_full
            if is_wanted and not self.document.resolve(field).get("readOnly"):
                value = self.value(field, here, depth + 1)
                if value is not ABSENT:
                    made[name] = value
        more = schema.get("additionalProperties")
        if self.is_full and isinstance(more, dict) and more:
            made["key"] = self.value(more, f"{place}.*", depth + 1)
        return made

    def scalar(self, schema: Schema, kind: str) -> Any:
        if "enum" in schema:
            return schema.get("default", schema["enum"][0])
        if "example" in schema and self.fits(schema, schema["example"]):
            return schema["example"]
        if kind == "string":
            text = TEXTS.get(schema.get("format", ""), "text")
            return text[: schema.get("maxLength", 100)].ljust(schema.get("minLength", 0), "t")
        if kind in ("integer", "number"):
            return max(PLAIN[kind], schema.get("minimum", PLAIN[kind]))
        return PLAIN.get(kind, {})

    def fits(self, schema: Schema, example: Any) -> bool:
        wanted: dict[str, type | tuple[type, ...]] = {
            "string": str,
            "boolean": bool,
            "integer": int,
            "number": (int, float),
        }
        pattern = schema.get("pattern", "")
        return isinstance(example, wanted.get(schema.get("type", ""), object)) and (
            not pattern or bool(re.search(pattern, str(example)))
        )

    def merged(self, schema: Schema) -> Schema:
        """The schema with its reference followed, its parts put together, and the first of its choices taken."""
        schema = self.document.resolve(schema)
        found: dict[str, Any] = {key: value for key, value in schema.items() if key not in ("allOf", "oneOf", "anyOf")}
        parts = [*schema.get("allOf", ()), *schema.get("oneOf", ())[:1], *schema.get("anyOf", ())[:1]]
        for part in map(self.merged, parts):
            properties = dict(found.get("properties", {}))
            for name, field in part.get("properties", {}).items():
                properties[name] = {**properties[name], **field} if name in properties else field
            required = [*found.get("required", ()), *part.get("required", ())]
            found = {**part, **found}
            if properties:
                found["properties"] = properties
            if required:
                found["required"] = required
        return found


def general(place: str) -> str:
    """The place in any kind."""
    return f"*.{place.partition('.')[2]}"
