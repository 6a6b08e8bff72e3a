"""Component: the instances of its traits have names of their own. Types and traits are looked at by its controller."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.compiler.documents import Document, items, text
from catalog.compiler.schema import FieldError
from catalog.compiler.schema.field_errors import duplicate


def component_errors(spec: Document) -> Iterator[FieldError]:
    """Return what is wrong with the spec of a component."""
    return duplicate_instances(items(spec, "traits"), "spec.traits")


def duplicate_instances(traits: list[Document], path: str) -> Iterator[FieldError]:
    """Yield the instances that have the name of one before them."""
    seen: set[str] = set()
    for index, trait in enumerate(traits):
        instance = text(trait, "instanceName")
        if instance in seen:
            yield duplicate(f"{path}[{index}].instanceName", instance)
        seen.add(instance)
