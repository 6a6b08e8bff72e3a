"""Reading custom resources in their JSON form.

The contract treats an absent field, a null and an empty value alike in most places. These functions say so once, and
take a value of the wrong type for an absent one: specs are admitted by their schema before, rendered manifests are
whatever an author's template gave. Documents are never changed by the compiler.
"""

from __future__ import annotations

from typing import Any

import orjson

from catalog.compiler.errors import InputError

Document = dict[str, Any]


def section(document: Document | None, field: str) -> Document:
    """Return the object in a field, or an empty one when there is none."""
    value = document.get(field) if document else None
    return value if isinstance(value, dict) else {}


def items(document: Document | None, field: str) -> list[Any]:
    """Return the list in a field, or an empty one when there is none."""
    value = document.get(field) if document else None
    return value if isinstance(value, list) else []


def objects(document: Document | None, field: str) -> list[Document]:
    """Return the objects among the items of the list in a field."""
    return [item for item in items(document, field) if isinstance(item, dict)]


def text(document: Document | None, field: str) -> str:
    """Return the text in a field, or an empty one when there is none."""
    value = document.get(field) if document else None
    return value if isinstance(value, str) else ""


def spec_of(document: Document | None) -> Document:
    """Return a resource's ``spec``."""
    return section(document, "spec")


def name_of(document: Document | None) -> str:
    """Return a resource's ``metadata.name``."""
    return text(section(document, "metadata"), "name")


def namespace_of(document: Document | None) -> str:
    """Return a resource's ``metadata.namespace``."""
    return text(section(document, "metadata"), "namespace")


def uid_of(document: Document | None) -> str:
    """Return a resource's ``metadata.uid``."""
    return text(section(document, "metadata"), "uid")


def content_of(document: object) -> bytes:
    """Return the JSON text of a document: equal content, equal text. What is derived from it is cached by it.

    Raises ``InputError`` for what JSON cannot hold.
    """
    try:
        return orjson.dumps(document)
    except TypeError as error:
        raise InputError(f"a document must be plain JSON data: {error}") from None
