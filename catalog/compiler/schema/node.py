"""A schema as a tree of typed nodes.

``convert`` reads the keywords that Kubernetes knows for custom resources (``JSONSchemaProps``), refuses what a
structural schema must not contain, and ignores the rest: other keywords of JSON Schema have no effect in the contract.
The tree is what defaulting, validation, pruning and list checks work on; they never look at the raw schema.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from catalog.compiler.errors import SchemaError

Number = int | float
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Node:
    """One schema. Absent keywords are None, empty or False; a ``default`` of null has no effect, so None means none."""

    type: str = ""
    format: str = ""
    nullable: bool = False
    default: object = None
    enum: tuple[object, ...] = ()
    minimum: Number | None = None
    maximum: Number | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    multiple_of: Number | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str = ""
    min_items: int | None = None
    max_items: int | None = None
    unique_items: bool = False
    min_properties: int | None = None
    max_properties: int | None = None
    required: tuple[str, ...] = ()
    items: Node | None = None
    properties: Mapping[str, Node] = field(default_factory=dict)
    additional: Node | bool | None = None
    all_of: tuple[Node, ...] = ()
    any_of: tuple[Node, ...] = ()
    one_of: tuple[Node, ...] = ()
    not_: Node | None = None
    int_or_string: bool = False
    preserves_unknown_fields: bool = False
    embedded_resource: bool = False
    list_type: str = ""
    list_map_keys: tuple[str, ...] = ()

    @property
    def types(self) -> tuple[str, ...]:
        """The types a value may have; empty when the schema does not say."""
        if self.int_or_string:
            return ("integer", "string")
        return (self.type,) if self.type else ()


def convert(schema: Mapping[str, object]) -> Node:
    """Return the node of a schema without references.

    Raises ``SchemaError`` that names the place for keywords that a structural schema cannot have (``$ref``, ``id``,
    ``$schema``, ``patternProperties``, ``dependencies``, ``additionalItems``, ``definitions``, a list of ``items``,
    ``x-kubernetes-preserve-unknown-fields: false``) and for keywords whose value has the wrong type.
    """
    return _Reader(schema, "").node()


def strip_vendor_extensions(value: object) -> object:
    """Return ``value`` without the keys ``x-…`` at any level, except ``x-kubernetes-…``.

    As in the reference this also removes properties of such names, which hence have no defaults, and such keys inside
    default values.
    """
    if isinstance(value, Mapping):
        return {key: strip_vendor_extensions(item) for key, item in value.items() if not _is_vendor_extension(key)}
    if isinstance(value, list):
        return [strip_vendor_extensions(item) for item in value]
    return value


def has_vendor_extensions(value: object) -> bool:
    """Say whether ``strip_vendor_extensions`` would remove anything."""
    if isinstance(value, Mapping):
        return any(_is_vendor_extension(key) or has_vendor_extensions(item) for key, item in value.items())
    return isinstance(value, list) and any(map(has_vendor_extensions, value))


def json_number(value: Number) -> Number:
    """Return a number as it reads from the JSON of a stored schema: an integral one is an integer."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**63:
        return int(value)
    return value


def json_value(value: object) -> object:
    """Return a literal of a schema (default, enum value) with its numbers as ``json_number`` reads them."""
    if isinstance(value, (bool, str)) or value is None:
        return value
    if isinstance(value, (int, float)):
        if not math.isfinite(value):
            raise SchemaError("a schema cannot hold infinite numbers or not-a-number")
        return json_number(value)
    if isinstance(value, Mapping):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    raise SchemaError(f"a schema cannot hold a {type(value).__name__}")


def _is_vendor_extension(key: str) -> bool:
    return len(key) > 2 and key.startswith("x-") and not key.startswith("x-kubernetes-")


class _Reader:
    """Reads the keywords of one schema object; null stands for absent, as in the JSON decoder of the reference."""

    def __init__(self, schema: object, place: str) -> None:
        self.place = place
        if not isinstance(schema, Mapping):
            raise self._error("", "must be an object")
        self.schema: Mapping[str, object] = {key: value for key, value in schema.items() if value is not None}

    def node(self) -> Node:
        self._refuse_unsupported()
        return Node(
            type=self._text("type"),
            format=self._text("format"),
            nullable=self._flag("nullable"),
            default=json_value(self.schema.get("default")),
            enum=tuple(map(json_value, self._list("enum", lambda value, _: value))),
            minimum=self._number("minimum"),
            maximum=self._number("maximum"),
            exclusive_minimum=self._flag("exclusiveMinimum"),
            exclusive_maximum=self._flag("exclusiveMaximum"),
            multiple_of=self._number("multipleOf"),
            min_length=self._size("minLength"),
            max_length=self._size("maxLength"),
            pattern=self._text("pattern"),
            min_items=self._size("minItems"),
            max_items=self._size("maxItems"),
            unique_items=self._flag("uniqueItems"),
            min_properties=self._size("minProperties"),
            max_properties=self._size("maxProperties"),
            required=tuple(sorted(self._list("required", self._as_text))),
            items=self._items(),
            properties=self._properties(),
            additional=self._additional(),
            all_of=tuple(self._list("allOf", self._child)),
            any_of=tuple(self._list("anyOf", self._child)),
            one_of=tuple(self._list("oneOf", self._child)),
            not_=self._child(self.schema["not"], "not") if "not" in self.schema else None,
            int_or_string=self._flag("x-kubernetes-int-or-string"),
            preserves_unknown_fields=self._flag("x-kubernetes-preserve-unknown-fields"),
            embedded_resource=self._flag("x-kubernetes-embedded-resource"),
            list_type=self._text("x-kubernetes-list-type"),
            list_map_keys=tuple(self._list("x-kubernetes-list-map-keys", self._as_text)),
        )

    def _refuse_unsupported(self) -> None:
        for keyword in ("id", "$schema", "$ref"):
            if self._text(keyword):
                raise self._error(keyword, "is not supported")
        for keyword in ("patternProperties", "dependencies", "definitions"):
            value = self.schema.get(keyword, {})
            if not isinstance(value, Mapping) or value:
                raise self._error(keyword, "is not supported")
        if "additionalItems" in self.schema:
            raise self._error("additionalItems", "is not supported")
        if self.schema.get("x-kubernetes-preserve-unknown-fields") is False:
            raise self._error("x-kubernetes-preserve-unknown-fields", "must be true or absent")

    def _items(self) -> Node | None:
        items = self.schema.get("items")
        if items is None:
            return None
        if isinstance(items, list):
            raise self._error("items", "must be a schema, not a list of schemas")
        return self._child(items, "items")

    def _properties(self) -> Mapping[str, Node]:
        properties = self.schema.get("properties", {})
        if not isinstance(properties, Mapping):
            raise self._error("properties", "must be an object")
        # A null property is an empty schema in the reference's decoder.
        return {name: self._child({} if s is None else s, f"properties.{name}") for name, s in properties.items()}

    def _additional(self) -> Node | bool | None:
        additional = self.schema.get("additionalProperties")
        if additional is None or isinstance(additional, bool):
            return additional
        return self._child(additional, "additionalProperties")

    def _child(self, schema: object, place: str) -> Node:
        return _Reader(schema, f"{self.place}.{place}" if self.place else place).node()

    def _text(self, keyword: str) -> str:
        return self._as_text(self.schema.get(keyword, ""), keyword)

    def _as_text(self, value: object, keyword: str) -> str:
        if not isinstance(value, str):
            raise self._error(keyword, "must be a string")
        return value

    def _flag(self, keyword: str) -> bool:
        value = self.schema.get(keyword, False)
        if not isinstance(value, bool):
            raise self._error(keyword, "must be a boolean")
        return value

    def _number(self, keyword: str) -> Number | None:
        value = self.schema.get(keyword)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise self._error(keyword, "must be a number")
        return json_number(value)

    def _size(self, keyword: str) -> int | None:
        value = self._number(keyword)
        if value is not None and not isinstance(value, int):
            raise self._error(keyword, "must be an integer")
        return value

    def _list(self, keyword: str, read: Callable[[object, str], T]) -> list[T]:
        value = self.schema.get(keyword, [])
        if not isinstance(value, list):
            raise self._error(keyword, "must be a list")
        return [read(item, f"{keyword}[{index}]") for index, item in enumerate(value)]

    def _error(self, keyword: str, reason: str) -> SchemaError:
        place = ".".join(part for part in (self.place, keyword) if part) or "the schema"
        return SchemaError(f"{place} {reason}")
