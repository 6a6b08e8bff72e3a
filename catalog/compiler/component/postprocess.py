"""What happens to all resources of a component after its type and traits have had their say.

Platform labels on everything; a hash of the other data-plane resources on the pod template of the workload, so that a
changed configuration restarts its pods; a last structural check; the final order. Called by ``component.pipeline``.
"""

from __future__ import annotations

from collections.abc import Sequence

from catalog.compiler import labels
from catalog.compiler.component.targets import DATA_PLANE, RenderedResource
from catalog.compiler.documents import Document
from catalog.compiler.errors import StructureError
from catalog.compiler.gohash import compute_hash
from catalog.compiler.manifest import missing_field

_WORKLOAD_KINDS = {"deployment": "Deployment", "statefulset": "StatefulSet"}


def add_labels(resources: Sequence[RenderedResource], platform_labels: Document) -> None:
    """Set the platform's labels on every resource; they win over rendered ones. Raises ``StructureError``."""
    for resource in resources:
        metadata = resource.object.get("metadata")
        if not isinstance(metadata, dict):
            raise StructureError("failed to post-process resources: failed to add labels: resource missing metadata")
        own = metadata.get("labels")
        merged = {**own, **platform_labels} if isinstance(own, dict) else dict(platform_labels)
        resource.object = {**resource.object, "metadata": {**metadata, "labels": merged}}


def add_resource_hash(resources: Sequence[RenderedResource], workload_type: str) -> None:
    """Annotate the pod template of the first Deployment or StatefulSet with the hash of what it may depend on.

    Only for those two workload types, and only if the data plane gets other resources. Raises ``StructureError``
    when the workload has no ``spec``.
    """
    workload_kind = _WORKLOAD_KINDS.get(workload_type)
    if workload_kind is None:
        return
    others = [
        resource
        for resource in resources
        if resource.plane == DATA_PLANE and resource.object.get("kind") != workload_kind
    ]
    workload = next((resource for resource in resources if resource.object.get("kind") == workload_kind), None)
    if not others or workload is None:
        return
    contents = [
        {field: value for field, value in resource.object.items() if field != "metadata"}
        for resource in in_order(others)
    ]
    workload.object = _with_pod_annotation(
        workload.object, workload_kind, labels.RESOURCE_HASH_ANNOTATION, compute_hash(contents)
    )


def check_structure(resources: Sequence[RenderedResource]) -> None:
    """Raise ``StructureError`` for the first resource without apiVersion, kind, metadata or metadata.name."""
    for index, resource in enumerate(resources):
        kind = resource.object.get("kind")
        name = f"resource #{index} ({kind})" if kind and isinstance(kind, str) else f"resource #{index}"
        if missing := missing_field(resource.object, ("apiVersion", "kind")):
            raise StructureError(f"validation failed: {name} missing {missing}")


def in_order(resources: Sequence[RenderedResource]) -> list[RenderedResource]:
    """Sort by kind, apiVersion, namespace and name; equals keep their order."""
    return sorted(resources, key=_sort_key)


def _sort_key(resource: RenderedResource) -> tuple[str, str, str, str]:
    document = resource.object
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        metadata = {}
    return (
        _text(document.get("kind")),
        _text(document.get("apiVersion")),
        _text(metadata.get("namespace")),
        _text(metadata.get("name")),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _with_pod_annotation(workload: Document, kind: str, annotation: str, value: str) -> Document:
    spec = workload.get("spec")
    if not isinstance(spec, dict):
        prefix = "failed to post-process resources: failed to add dp-resource-hash annotation"
        raise StructureError(f"{prefix}: failed to add annotation to {kind}: resource missing spec")
    template, metadata, annotations = _path(spec, "template", "metadata", "annotations")
    metadata = {**metadata, "annotations": {**annotations, annotation: value}}
    return {**workload, "spec": {**spec, "template": {**template, "metadata": metadata}}}


def _path(document: Document, *fields: str) -> list[Document]:
    """Return the nested objects along ``fields``; what is no object counts as an empty one."""
    found = []
    for field in fields:
        value = document.get(field)
        document = value if isinstance(value, dict) else {}
        found.append(document)
    return found
