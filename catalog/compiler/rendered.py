"""Rendered releases: names, ids, labels and specs of what a binding puts on a plane.

A RenderedRelease holds the final manifests for one plane, each under an id that follows it to the plane and back.
Called by the controllers that render bindings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from catalog.compiler import labels
from catalog.compiler.documents import Document, name_of, namespace_of, section, spec_of, text
from catalog.compiler.names import LABEL_LIMIT, RESOURCE_NAME_LIMIT, kubernetes_name

OBSERVABILITY_PLANE = "observabilityplane"


def resource_id(rendered: Document, index: int) -> str:
    """Return the id of a component's object at a position: ``kind-name``, shortened to fit a label."""
    kind, name = rendered.get("kind"), section(rendered, "metadata").get("name")
    if not (isinstance(kind, str) and kind and isinstance(name, str) and name):
        return f"resource-{index}"
    readable = f"{kind.lower()}-{name}"
    if len(readable.encode()) <= LABEL_LIMIT:
        return readable
    return kubernetes_name(LABEL_LIMIT, kind.lower(), name)


def component_entries(objects: Iterable[Document]) -> list[Document]:
    """Return the ``{id, object}`` entries for a component's objects on one plane, in their order."""
    return [{"id": resource_id(rendered, index), "object": rendered} for index, rendered in enumerate(objects)]


def rendered_release(binding: Document, entries: Sequence[Document], plane: str = "dataplane") -> Document:
    """Return the RenderedRelease of a binding for one plane: metadata (name, namespace, labels) and spec.

    ``binding`` is a ReleaseBinding, ProjectReleaseBinding or ResourceReleaseBinding: its owner tells which.
    ``entries``: ``{id, object}``.
    """
    spec = spec_of(binding)
    owner, environment = section(spec, "owner"), text(spec, "environment")
    namespace = namespace_of(binding)
    owned_labels = {
        labels.NAMESPACE: namespace,
        labels.PROJECT: text(owner, "projectName"),
        labels.ENVIRONMENT: environment,
    }
    for field, label in (("componentName", labels.COMPONENT), ("resourceName", labels.RESOURCE)):
        if owner.get(field):
            owned_labels[label] = owner[field]
    return {
        "apiVersion": "openchoreo.dev/v1alpha1",
        "kind": "RenderedRelease",
        "metadata": {
            "name": rendered_release_name(owner, environment, plane),
            "namespace": namespace,
            "labels": owned_labels,
        },
        "spec": {
            "owner": {key: value for key, value in owner.items() if value},
            "environmentName": environment,
            "targetPlane": plane,
            "resources": list(entries),
        },
    }


def rendered_release_name(owner: Document, environment: str, plane: str = "dataplane") -> str:
    """Return the name of the RenderedRelease of a binding's owner in an environment on a plane."""
    if component := text(owner, "componentName"):
        suffix = "-observability" if plane == OBSERVABILITY_PLANE else ""
        return f"{component}-{environment}{suffix}"
    if resource := text(owner, "resourceName"):
        return kubernetes_name(RESOURCE_NAME_LIMIT, f"r_{resource}", environment)
    return kubernetes_name(RESOURCE_NAME_LIMIT, f"p_{text(owner, 'projectName')}", environment)


def has_namespace(entries: Iterable[Document], namespace: str) -> bool:
    """Tell whether a project's entries contain the core Namespace that its components will live in."""
    return any(
        entry["object"].get("apiVersion") == "v1"
        and entry["object"].get("kind") == "Namespace"
        and name_of(entry["object"]) == namespace
        for entry in entries
    )
