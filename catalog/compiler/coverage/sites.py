"""The places of a type at which something is rendered: templates, conditions, loops.

One entry for each template, condition and loop that a pipeline hands to the template engine, with its path from the
document's root. Which fields these are is the contract's; the list here follows the plans of the pipelines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from catalog.compiler.documents import Document, objects, section

FieldPath = tuple[str | int, ...]
Role = Literal["template", "condition", "loop"]

_SPEC: FieldPath = ("spec",)
_RULES = ("validations", "preRenderValidations")


@dataclass(frozen=True, slots=True)
class Site:
    """A place: ``role`` says what becomes of its value, ``document`` is what the author wrote there."""

    path: FieldPath
    role: Role
    document: Any


def sites_of(kind: str, spec: Document) -> list[Site]:
    """Return the places of a type, trait or workflow, in the order of its document. Other kinds have none."""
    found = _SITES.get(kind.removeprefix("Cluster"))
    return [] if found is None else list(found(spec))


def _component_type(spec: Document) -> Iterator[Site]:
    for index, trait in enumerate(objects(spec, "traits")):
        for field in ("parameters", "environmentConfigs"):
            yield from _field(trait, (*_SPEC, "traits", index), field, "template")
    yield from _rules(spec)
    yield from _post_render_rules(spec)
    yield from _entries(spec, "resources")


def _trait(spec: Document) -> Iterator[Site]:
    yield from _rules(spec)
    yield from _post_render_rules(spec)
    yield from _entries(spec, "creates")
    for field in ("patches", "removes"):
        for index, entry in enumerate(objects(spec, field)):
            path = (*_SPEC, field, index)
            yield from _field(entry, path, "forEach", "loop")
            yield from _field(section(entry, "target"), (*path, "target"), "where", "condition")
            for number, operation in enumerate(objects(entry, "operations")):
                yield from _operation(operation, (*path, "operations", number))


def _operation(operation: Document, path: FieldPath) -> Iterator[Site]:
    # A path is most often plain text, which is no achievement to reach.
    if "${" in str(operation.get("path")):
        yield from _field(operation, path, "path", "template")
    if operation.get("op") != "remove":
        yield from _field(operation, path, "value", "template")


def _project_type(spec: Document) -> Iterator[Site]:
    yield from _rules(spec)
    yield from _entries(spec, "resources")


def _resource_type(spec: Document) -> Iterator[Site]:
    yield from _entries(spec, "resources")
    for index, output in enumerate(objects(spec, "outputs")):
        path = (*_SPEC, "outputs", index)
        yield from _field(output, path, "value", "template")
        for source in ("secretKeyRef", "configMapKeyRef"):
            for field in ("name", "key"):
                yield from _field(section(output, source), (*path, source), field, "template")


def _workflow(spec: Document) -> Iterator[Site]:
    yield from _field(spec, _SPEC, "runTemplate", "template")
    yield from _entries(spec, "resources")
    for index, reference in enumerate(objects(spec, "externalRefs")):
        yield from _field(reference, (*_SPEC, "externalRefs", index), "name", "template")


def _entries(spec: Document, field: str) -> Iterator[Site]:
    for index, entry in enumerate(objects(spec, field)):
        path = (*_SPEC, field, index)
        yield from _field(entry, path, "includeWhen", "condition")
        yield from _field(entry, path, "forEach", "loop")
        yield from _field(entry, path, "readyWhen", "condition")
        yield from _field(entry, path, "template", "template")


def _rules(spec: Document) -> Iterator[Site]:
    for field in _RULES:
        for index, rule in enumerate(objects(spec, field)):
            yield from _field(rule, (*_SPEC, field, index), "rule", "condition")


def _post_render_rules(spec: Document) -> Iterator[Site]:
    for index, rule in enumerate(objects(spec, "postRenderValidations")):
        path = (*_SPEC, "postRenderValidations", index)
        yield from _field(rule, path, "when", "condition")
        yield from _field(rule, path, "forEach", "loop")
        yield from _field(section(rule, "target"), (*path, "target"), "where", "condition")
        yield from _field(rule, path, "rule", "condition")


def _field(document: Document, path: FieldPath, field: str, role: Role) -> Iterator[Site]:
    value = document.get(field)
    if value is not None and value != "":
        yield Site((*path, field), role, value)


_SITES = {
    "ComponentType": _component_type,
    "Trait": _trait,
    "ProjectType": _project_type,
    "ResourceType": _resource_type,
    "Workflow": _workflow,
}
