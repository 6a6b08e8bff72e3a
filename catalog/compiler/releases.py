"""Cutting releases: freezing a type, its traits, the values given to them and the workload into one immutable spec.

Called by the Component, Project and Resource controllers and by the call that generates a release.
"""

from __future__ import annotations

from collections.abc import Iterable

from catalog.compiler.documents import Document, items, name_of, section, spec_of, text
from catalog.compiler.errors import InputError, TraitMissingError

# What a release keeps of a workload: its owner is the release's.
_WORKLOAD_FIELDS = ("container", "endpoints", "dependencies")


def component_release_spec(
    component: Document, component_type: Document, traits: Iterable[Document], workload: Document
) -> Document:
    """Return the spec of a ComponentRelease.

    ``component``, ``workload``: documents; ``component_type``: a ComponentType or ClusterComponentType document;
    ``traits``: the Trait and ClusterTrait documents that the type embeds and the component uses, in any order.

    Raises ``TraitMissingError`` when one is not given, ``InputError`` when the component names no type.
    """
    spec = spec_of(component)
    reference = section(spec, "componentType")
    if not text(reference, "name"):
        raise InputError("componentType name cannot be empty")
    frozen = {(text(trait, "kind") or "Trait", name_of(trait)): spec_of(trait) for trait in traits}
    _require(
        items(spec_of(component_type), "traits"), frozen, 'embedded trait "{}" required by ComponentType is missing'
    )
    _require(items(spec, "traits"), frozen, 'component trait "{}" is missing')

    release: Document = {
        "owner": {"projectName": text(section(spec, "owner"), "projectName"), "componentName": name_of(component)},
        "componentType": {
            "kind": text(reference, "kind") or "ComponentType",
            "name": reference["name"],
            "spec": spec_of(component_type),
        },
        "workload": {field: value for field, value in spec_of(workload).items() if field in _WORKLOAD_FIELDS},
    }
    if frozen:
        release["traits"] = [{"kind": kind, "name": name, "spec": frozen[kind, name]} for kind, name in sorted(frozen)]
    if profile := _profile(spec):
        release["componentProfile"] = profile
    return release


def project_release_spec(project: Document, project_type: Document) -> Document:
    """Return the spec of a ProjectRelease from a Project and its ProjectType or ClusterProjectType document."""
    reference = section(spec_of(project), "type")
    release: Document = {
        "owner": {"projectName": name_of(project)},
        "projectType": _frozen_type(reference, "ProjectType", project_type),
    }
    return _with_parameters(release, spec_of(project))


def resource_release_spec(resource: Document, resource_type: Document) -> Document:
    """Return the spec of a ResourceRelease from a Resource and its ResourceType or ClusterResourceType document."""
    spec = spec_of(resource)
    release: Document = {
        "owner": {"projectName": text(section(spec, "owner"), "projectName"), "resourceName": name_of(resource)},
        "resourceType": _frozen_type(section(spec, "type"), "ResourceType", resource_type),
    }
    return _with_parameters(release, spec)


def component_documents(release: Document) -> Document:
    """Return ``ComponentType``, ``Component``, ``Traits`` and ``Workload`` of a render input, read from a release."""
    spec = spec_of(release)
    owner, profile = section(spec, "owner"), section(spec, "componentProfile")
    component_type = section(spec, "componentType")
    return {
        "ComponentType": {"metadata": {"name": text(component_type, "name")}, "spec": section(component_type, "spec")},
        "Component": {
            "metadata": {"name": text(owner, "componentName")},
            "spec": {"owner": owner, "parameters": profile.get("parameters"), "traits": items(profile, "traits")},
        },
        "Traits": [
            {"kind": text(trait, "kind"), "metadata": {"name": text(trait, "name")}, "spec": section(trait, "spec")}
            for trait in items(spec, "traits")
        ],
        "Workload": {"spec": {"owner": owner, **section(spec, "workload")}},
    }


def _require(references: Iterable[Document], frozen: dict[tuple[str, str], Document], message: str) -> None:
    for reference in references:
        if (text(reference, "kind") or "Trait", text(reference, "name")) not in frozen:
            raise TraitMissingError(message.format(text(reference, "name")))


def _profile(component_spec: Document) -> Document:
    profile: Document = {}
    if component_spec.get("parameters") is not None:
        profile["parameters"] = component_spec["parameters"]
    if traits := items(component_spec, "traits"):
        profile["traits"] = [{**trait, "kind": text(trait, "kind") or "Trait"} for trait in traits]
    return profile


def _frozen_type(reference: Document, default_kind: str, type_document: Document) -> Document:
    return {
        "kind": text(reference, "kind") or default_kind,
        "name": text(reference, "name"),
        "spec": spec_of(type_document),
    }


def _with_parameters(release: Document, spec: Document) -> Document:
    if spec.get("parameters") is not None:
        release["parameters"] = spec["parameters"]
    return release
