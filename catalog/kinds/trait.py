"""Trait: a capability that components take on: objects to create, patches and removals. ClusterTrait is its twin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.compiler.admission import trait_errors
from catalog.kinds.base import Document, FieldError, Namespaced
from catalog.kinds.rules import from_compiler
from catalog.kinds.schema import Schema, array, obj
from catalog.kinds.shapes import schema_section
from catalog.kinds.templating import (
    both_forms_of_validations,
    loops_without_variable,
    patches,
    post_render_rules,
    removes,
    template,
    validation_rules,
)


def trait_spec() -> Schema:
    """The spec of both trait kinds."""
    return obj(
        {
            "parameters": schema_section(),
            "environmentConfigs": schema_section(),
            "validations": validation_rules(),
            "preRenderValidations": validation_rules(),
            "postRenderValidations": post_render_rules(),
            "creates": array(template(identified=False)),
            "patches": patches(),
            "removes": removes(),
        }
    )


def trait_violations(spec: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    """The rules of a trait's spec, also where a release has frozen it."""
    yield from both_forms_of_validations(spec, path)
    for field in ("creates", "patches", "postRenderValidations", "removes"):
        yield from loops_without_variable(spec.get(field), f"{path}.{field}")


class Trait(Namespaced):
    kind = "Trait"
    plural = "traits"
    printer_columns = (("Age", "metadata.creationTimestamp"),)
    spec_schema = trait_spec()

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return trait_violations(new["spec"], "spec")

    @classmethod
    def content_violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return from_compiler(trait_errors(new["spec"]))
