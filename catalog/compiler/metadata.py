"""The variable ``metadata`` of renders: names, namespaces, labels, all derived from documents.

The names are the contract's own, to the last character: they are what runs on the planes. Called by the controllers
that render bindings.
"""

from __future__ import annotations

from catalog.compiler import labels
from catalog.compiler.documents import Document, name_of, namespace_of, section, spec_of, text, uid_of
from catalog.compiler.names import LABEL_LIMIT, RESOURCE_NAME_LIMIT, kubernetes_name


def data_plane_namespace(namespace: str, project: str, environment: str) -> str:
    """Return the name of a cell's namespace on the data plane."""
    return kubernetes_name(LABEL_LIMIT, "dp", namespace, project, environment)


def component_metadata(
    release: Document, component: Document, project: Document, environment: Document, data_plane: Document
) -> Document:
    """Return ``metadata`` for a ComponentRelease in an environment.

    The other documents give their names and uids. ``labels`` and ``podSelectors`` are equal sets; ``annotations`` is
    empty.
    """
    owner = section(spec_of(release), "owner")
    namespace = namespace_of(release)
    project_name, component_name = text(owner, "projectName"), text(owner, "componentName")
    environment_name = name_of(environment)
    identity = {
        labels.NAMESPACE: namespace,
        labels.PROJECT: project_name,
        labels.COMPONENT: component_name,
        labels.ENVIRONMENT: environment_name,
        labels.COMPONENT_UID: uid_of(component),
        labels.ENVIRONMENT_UID: uid_of(environment),
        labels.PROJECT_UID: uid_of(project),
    }
    return {
        "name": kubernetes_name(RESOURCE_NAME_LIMIT, component_name, environment_name),
        "namespace": data_plane_namespace(namespace, project_name, environment_name),
        "componentNamespace": namespace,
        "componentName": component_name,
        "componentUID": uid_of(component),
        **_surroundings(project_name, project, environment, data_plane),
        "labels": identity,
        "annotations": {},
        "podSelectors": dict(identity),
    }


def project_metadata(binding: Document, project: Document, environment: Document, data_plane: Document) -> Document:
    """Return ``metadata`` for a ProjectReleaseBinding; ``annotations`` are the binding's."""
    namespace = namespace_of(binding)
    project_name = text(section(spec_of(binding), "owner"), "projectName")
    return {
        "namespace": data_plane_namespace(namespace, project_name, name_of(environment)),
        "projectNamespace": namespace,
        **_surroundings(project_name, project, environment, data_plane),
        "labels": _shared_labels(namespace, project_name, project, environment),
        "annotations": _annotations(binding),
    }


def resource_metadata(
    binding: Document, resource: Document, project: Document, environment: Document, data_plane: Document
) -> Document:
    """Return ``metadata`` for a ResourceReleaseBinding; ``annotations`` are the binding's."""
    owner = section(spec_of(binding), "owner")
    namespace = namespace_of(binding)
    project_name, resource_name = text(owner, "projectName"), text(owner, "resourceName")
    return {
        "name": kubernetes_name(RESOURCE_NAME_LIMIT, f"r_{resource_name}", name_of(environment)),
        "namespace": data_plane_namespace(namespace, project_name, name_of(environment)),
        "resourceNamespace": namespace,
        "resourceName": resource_name,
        "resourceUID": uid_of(resource),
        **_surroundings(project_name, project, environment, data_plane),
        "labels": {
            **_shared_labels(namespace, project_name, project, environment),
            labels.RESOURCE: resource_name,
            labels.RESOURCE_UID: uid_of(resource),
        },
        "annotations": _annotations(binding),
    }


def _surroundings(project_name: str, project: Document, environment: Document, data_plane: Document) -> Document:
    return {
        "projectName": project_name,
        "projectUID": uid_of(project),
        "environmentName": name_of(environment),
        "environmentUID": uid_of(environment),
        "dataPlaneName": name_of(data_plane),
        "dataPlaneUID": uid_of(data_plane),
    }


def _shared_labels(namespace: str, project_name: str, project: Document, environment: Document) -> Document:
    return {
        labels.NAMESPACE: namespace,
        labels.PROJECT: project_name,
        labels.PROJECT_UID: uid_of(project),
        labels.ENVIRONMENT: name_of(environment),
        labels.ENVIRONMENT_UID: uid_of(environment),
    }


def _annotations(binding: Document) -> Document:
    return dict(section(section(binding, "metadata"), "annotations"))
