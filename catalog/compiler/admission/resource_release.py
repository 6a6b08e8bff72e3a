"""ResourceRelease: its parameters fit the frozen type, and the type can be rendered. Checked when it is made."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.compiler.admission.resource_type import resource_type_errors
from catalog.compiler.admission.schemas import parameter_errors
from catalog.compiler.documents import Document, section, spec_of
from catalog.compiler.schema import FieldError


def resource_release_errors(spec: Document) -> Iterator[FieldError]:
    """Return what is wrong with the spec of a new resource release. Its parameters are not defaulted first."""
    frozen = spec_of(section(spec, "resourceType"))
    yield from parameter_errors(frozen.get("parameters"), spec.get("parameters"), "spec.parameters", "ResourceType")
    yield from resource_type_errors(frozen, "spec.resourceType.spec")
