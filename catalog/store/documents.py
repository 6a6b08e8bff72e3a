"""Documents and rows: what a caller sends, and what a reader gets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from catalog.kinds.base import API_GROUP, Document, PlatformObject
from catalog.kinds.registry import UnknownKind, kind_named
from catalog.store.errors import Malformed


@dataclass(frozen=True, slots=True)
class Key:
    """What identifies an object by name. `namespace` is "" for cluster kinds."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {where}{self.name}"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A document whose outer form has been checked: the kind is known and the metadata is well-typed."""

    model: type[PlatformObject]
    key: Key
    labels: dict[str, str]
    annotations: dict[str, str]
    owner_references: list[dict[str, Any]]
    spec: dict[str, Any]


def parse(document: object, *, default_namespace: str = "default") -> Incoming:
    """Check the outer form of a document.

    `apiVersion` must belong to the platform's group (`v1` for Namespace); status, uid and other read-only metadata
    are ignored, as the contract wants. Raises `Malformed`, or `UnknownKind` for kinds that are not the platform's.
    """
    if not isinstance(document, Mapping):
        raise Malformed(f"expected an object with apiVersion, kind and metadata, found {type_name(document)}")
    kind = document.get("kind")
    if not isinstance(kind, str) or not kind:
        raise Malformed("kind: Required value: every document names its kind")
    api_version = document.get("apiVersion")
    if not isinstance(api_version, str) or not api_version:
        raise Malformed("apiVersion: Required value: every document names its API version")
    model = kind_named(kind)
    group = api_version.partition("/")[0] if "/" in api_version else ""
    if api_version != model.api_version and group != API_GROUP:
        raise UnknownKind(kind, api_version)
    metadata = document.get("metadata")
    if not isinstance(metadata, Mapping):
        raise Malformed("metadata: Required value: metadata.name identifies the object")
    name = metadata.get("name")
    if not isinstance(name, str) or not name:
        raise Malformed("metadata.name: Required value: name or generateName is required")
    namespace = ""
    if model.namespaced:
        given = metadata.get("namespace") or default_namespace
        if not isinstance(given, str):
            raise Malformed(f"metadata.namespace: must be of type string, found {type_name(given)}")
        namespace = given
    if "\0" in name or "\0" in namespace:
        raise Malformed("metadata.name: names may not contain the NUL character")
    spec = document.get("spec")
    if spec is None:
        spec = {}
    elif not isinstance(spec, dict):
        raise Malformed(f"spec: must be of type object, found {type_name(spec)}")
    return Incoming(
        model=model,
        key=Key(kind, namespace, name),
        labels=string_map(metadata, "labels"),
        annotations=string_map(metadata, "annotations"),
        owner_references=owner_references(metadata),
        spec=spec,
    )


def owner_references(metadata: Mapping[str, Any]) -> list[dict[str, Any]]:
    references = metadata.get("ownerReferences") or []
    if not isinstance(references, list) or not all(isinstance(item, dict) for item in references):
        raise Malformed("metadata.ownerReferences: must be a list of objects")
    return references


def string_map(metadata: Mapping[str, Any], field: str) -> dict[str, str]:
    """Labels or annotations, absent meaning none."""
    value = metadata.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"metadata.{field}: must be of type object, found {type_name(value)}")
    for key, text in value.items():
        if not isinstance(text, str):
            raise Malformed(f"metadata.{field}.{key}: must be of type string, found {type_name(text)}")
    return dict(value)


def type_name(value: object) -> str:
    """The JSON name of a value's type, as error texts use it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, Mapping) else "array"


def to_document(obj: PlatformObject, *, with_status: bool = True, packed: bool = False) -> Document:
    """The whole object as Kubernetes would print it. `packed` leaves the spec in its stored form."""
    metadata: dict[str, Any] = {"name": obj.name}
    if obj.namespaced:
        metadata["namespace"] = obj.namespace_name
    metadata["uid"] = str(obj.uid)
    if obj.labels:
        metadata["labels"] = obj.labels
    if obj.annotations:
        metadata["annotations"] = obj.annotations
    metadata["generation"] = obj.generation
    metadata["creationTimestamp"] = timestamp(obj.created_at)
    if obj.deleted_at is not None:
        metadata["deletionTimestamp"] = timestamp(obj.deleted_at)
    if obj.finalizers:
        metadata["finalizers"] = obj.finalizers
    if obj.owner_references:
        metadata["ownerReferences"] = obj.owner_references
    document: Document = {"apiVersion": obj.api_version, "kind": obj.kind, "metadata": metadata}
    if obj.kind != "Namespace":
        document["spec"] = obj.spec if packed else obj.full_spec()
    if with_status:
        document["status"] = obj.status
    return document


def key_of(obj: PlatformObject) -> Key:
    """The key of a stored object."""
    return Key(obj.kind, obj.namespace_name, obj.name)


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as the contract writes times."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"
