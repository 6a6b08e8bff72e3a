"""Trait and ClusterTrait: schemas, expressions, and what a trait may do to a component: never to its workload."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from catalog.compiler.admission.component_type import RULES, resource_errors
from catalog.compiler.admission.expressions import Expressions
from catalog.compiler.admission.post_render import post_render_errors, target_errors
from catalog.compiler.admission.schemas import schema_errors, schema_variables
from catalog.compiler.admission.template_structure import WORKLOAD_GROUPS, is_workload, read_structure
from catalog.compiler.admission.variables import TRAIT
from catalog.compiler.admission.verdicts import verdict
from catalog.compiler.documents import Document, items, section, text
from catalog.compiler.messages import quote
from catalog.compiler.schema import FieldError
from catalog.compiler.schema.field_errors import forbidden, invalid, required

_WITH_VALUE: Final = ("add", "replace")
_THE_TYPES: Final = "the primary workload is defined by the ComponentType"


def trait_errors(spec: Document, path: str = "spec") -> Iterator[FieldError]:
    """Return what is wrong with the spec of a trait, of either kind."""
    return verdict(_errors, spec, path)


def frozen_trait_errors(spec: Document, path: str) -> Iterator[FieldError]:
    """Return what is wrong with a trait that a release has frozen: whatever would keep it from being rendered."""
    return verdict(_frozen, spec, path)


def _errors(spec: Document) -> Iterator[FieldError]:
    yield from schema_errors(spec, "")
    yield from _rendering_errors(spec)


def _frozen(spec: Document) -> Iterator[FieldError]:
    yield from schema_errors(spec, "", strict=False)
    yield from _rendering_errors(spec)


def _rendering_errors(spec: Document) -> Iterator[FieldError]:
    for index, create in enumerate(items(spec, "creates")):
        yield from _created_errors(create, f".creates[{index}].template")
    expressions = Expressions({**TRAIT, **schema_variables(spec, composed=True)}, component_macros=True)
    for field in RULES:
        yield from expressions.rules(spec.get(field), f".{field}")
    yield from post_render_errors(expressions, spec, "")
    for index, create in enumerate(items(spec, "creates")):
        yield from resource_errors(expressions, create, f".creates[{index}]")
    for index, patch in enumerate(items(spec, "patches")):
        yield from _patch_errors(expressions, patch, f".patches[{index}]")
    for index, removal in enumerate(items(spec, "removes")):
        yield from _removal_errors(expressions, removal, f".removes[{index}]")


def _created_errors(create: Document, path: str) -> Iterator[FieldError]:
    kind, errors = read_structure(create.get("template"), path)
    yield from errors
    if is_workload(kind):
        yield forbidden(f"{path}.kind", f"traits must not create workload resources (kind {quote(kind)}); {_THE_TYPES}")


def _patch_errors(expressions: Expressions, patch: Document, path: str) -> Iterator[FieldError]:
    errors: list[FieldError] = []
    body = expressions.loop(patch, path, errors)
    yield from errors
    yield from target_errors(body, patch, path)
    for index, operation in enumerate(items(patch, "operations")):
        yield from _operation_errors(body, operation, f"{path}.operations[{index}]")


def _operation_errors(expressions: Expressions, operation: Document, path: str) -> Iterator[FieldError]:
    """Check one operation. Expressions in its path are looked at by a render only, as in the contract."""
    name, value = text(operation, "op"), operation.get("value")
    if name not in (*_WITH_VALUE, "remove"):
        yield invalid(f"{path}.op", name, "invalid patch operation (valid: add, replace, remove)")
    if not text(operation, "path"):
        yield required(f"{path}.path", "patch path is required")
    if name in _WITH_VALUE:
        if value is None:
            yield required(f"{path}.value", f"value is required for '{name}' operation")
        yield from expressions.template(value, f"{path}.value")
    elif name == "remove" and value is not None:
        yield invalid(f"{path}.value", "<value>", "value should not be specified for 'remove' operation")


def _removal_errors(expressions: Expressions, removal: Document, path: str) -> Iterator[FieldError]:
    errors: list[FieldError] = []
    body = expressions.loop(removal, path, errors)
    yield from errors
    target = section(removal, "target")
    kind = text(target, "kind")
    if is_workload(kind) and text(target, "group") in WORKLOAD_GROUPS:
        yield forbidden(
            f"{path}.target.kind", f"traits must not remove workload resources (kind {quote(kind)}); {_THE_TYPES}"
        )
    yield from target_errors(body, removal, path)
