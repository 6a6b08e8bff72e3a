"""Workflow and ClusterWorkflow: schema, structure of the templates, ids. Runs stay in the namespace made for them.

Expressions of workflows are not checked: whether an external reference exists for them depends on the run.
"""

from __future__ import annotations

from collections.abc import Iterator

from catalog.compiler.admission.schemas import schema_errors
from catalog.compiler.admission.template_structure import NAMESPACE, read_structure
from catalog.compiler.admission.verdicts import verdict
from catalog.compiler.documents import Document, items, section, text
from catalog.compiler.messages import quote
from catalog.compiler.schema import FieldError
from catalog.compiler.schema.field_errors import duplicate, invalid, required


def workflow_errors(spec: Document, path: str = "spec") -> Iterator[FieldError]:
    """Return what is wrong with the spec of a workflow, of either kind."""
    return verdict(_errors, spec, path)


def _errors(spec: Document) -> Iterator[FieldError]:
    yield from _template_errors(spec.get("runTemplate"), ".runTemplate")
    for index, resource in enumerate(items(spec, "resources")):
        yield from _template_errors(resource.get("template"), f".resources[{index}].template")
    for field, name in (("resources", "resource"), ("externalRefs", "externalRef")):
        yield from _duplicate_ids(items(spec, field), f".{field}", name)
    yield from schema_errors(spec, "")


def _template_errors(template: object, path: str) -> Iterator[FieldError]:
    """Check a template, whose namespace is not only allowed but demanded, and to the letter."""
    yield from read_structure(template, path).errors
    metadata = section(template, "metadata") if isinstance(template, dict) else {}
    namespace, where = text(metadata, "namespace"), f"{path}.metadata.namespace"
    if not namespace and metadata.get("namespace") in (None, ""):
        yield required(where, f"metadata.namespace is required and must be set to {quote(NAMESPACE)}")
    elif namespace and namespace != NAMESPACE:
        yield invalid(where, namespace, f"metadata.namespace must be set to {quote(NAMESPACE)}")


def _duplicate_ids(entries: list[Document], path: str, name: str) -> Iterator[FieldError]:
    first_use: dict[str, int] = {}
    for index, entry in enumerate(entries):
        identity = text(entry, "id")
        if identity in first_use:
            used = f"{name} id {quote(identity)} is already used at index {first_use[identity]}"
            yield duplicate(f"{path}[{index}].id", used)
        first_use[identity] = index
