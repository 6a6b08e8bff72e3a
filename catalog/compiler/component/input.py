"""The input of a component render, read from plain documents and checked for completeness.

Called by ``component.render``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.compiler.documents import Document, section, spec_of
from catalog.compiler.errors import InputError

_REQUIRED_DOCUMENTS = ("ComponentType", "Component", "Workload", "Environment", "DataPlane")
_REQUIRED_METADATA = (
    "componentName",
    "componentUID",
    "projectName",
    "projectUID",
    "dataPlaneName",
    "dataPlaneUID",
    "environmentName",
    "environmentUID",
    "name",
    "namespace",
    "componentNamespace",
)


@dataclass(frozen=True, slots=True)
class RenderInput:
    """What a component render reads. Documents in their JSON form; absent ones are empty."""

    component_type: Document
    component: Document
    traits: list[Document]
    workload: Document
    environment: Document
    data_plane: Document
    binding: Document
    secret_references: Mapping[str, Document]
    metadata: Document
    notification_channel: str
    endpoint_items: list[Document]
    resource_items: list[Document]


def read_input(document: Mapping[str, Any]) -> RenderInput:
    """Read the documented form of a render input (see ``component.render``). Raises ``InputError``."""
    missing = [name for name in _REQUIRED_DOCUMENTS if document.get(name) is None]
    if missing:
        raise InputError("invalid input: validation failed: " + "\n".join(map(_required, missing)))
    metadata = document.get("Metadata") or {}
    _check_metadata(metadata)
    if spec_of(document["ComponentType"]).get("resources") is None:
        raise InputError("invalid input: component type has no resources")
    return RenderInput(
        component_type=document["ComponentType"],
        component=document["Component"],
        traits=document.get("Traits") or [],
        workload=document["Workload"],
        environment=document["Environment"],
        data_plane=document["DataPlane"],
        binding=document.get("ReleaseBinding") or {},
        secret_references=document.get("SecretReferences") or {},
        metadata=metadata,
        notification_channel=document.get("DefaultNotificationChannel") or "",
        endpoint_items=document.get("DependencyItems") or [],
        resource_items=document.get("ResourceDependencyItems") or [],
    )


def _check_metadata(metadata: Document) -> None:
    missing = [field for field in _REQUIRED_METADATA if not metadata.get(field)]
    missing += [field for field in ("labels", "annotations") if metadata.get(field) is None]
    if not section(metadata, "podSelectors"):
        missing.append("podSelectors")
    if missing:
        fields = (f"Metadata.{field[0].upper()}{field[1:]}" for field in missing)
        raise InputError("invalid input: validation failed: " + "\n".join(map(_required, fields)))


def _required(field: str) -> str:
    name = field.rpartition(".")[2]
    return f"Key: 'RenderInput.{field}' Error:Field validation for '{name}' failed on the 'required' tag"
