"""Objects for tests, made through the one write path, as users make them."""

from __future__ import annotations

from typing import Any

import factory

from catalog import store
from portal.accounts.actor import Actor

TESTER = Actor("tester", surface="cli")


class DocumentFactory(factory.DictFactory):
    """A document; `Factory.create()` also applies it and returns the stored object."""

    class Meta:
        abstract = True

    apiVersion = "openchoreo.dev/v1alpha1"
    metadata = factory.LazyAttribute(lambda document: {"name": document.name, "namespace": document.namespace})
    spec = factory.LazyFunction(dict)

    class Params:
        name = factory.Sequence(lambda number: f"object-{number}")
        namespace = "default"

    @classmethod
    def _create(cls, model_class: Any, *_: Any, **document: Any) -> Any:
        return store.apply(document, TESTER).obj


class NamespaceFactory(DocumentFactory):
    apiVersion = "v1"
    kind = "Namespace"
    metadata = factory.LazyAttribute(lambda document: {"name": document.name})

    class Params:
        name = "default"


class ProjectFactory(DocumentFactory):
    kind = "Project"
    spec = factory.LazyAttribute(
        lambda _: {
            "deploymentPipelineRef": {"name": "default"},
            "type": {"kind": "ClusterProjectType", "name": "default"},
        }
    )


class ComponentFactory(DocumentFactory):
    kind = "Component"
    spec = factory.LazyAttribute(
        lambda document: {
            "owner": {"projectName": document.project},
            "componentType": {"kind": "ClusterComponentType", "name": document.type},
            "autoDeploy": document.auto_deploy,
        }
    )

    class Params:
        project = "default"
        type = "deployment/worker"
        auto_deploy = True


class WorkloadFactory(DocumentFactory):
    kind = "Workload"
    spec = factory.LazyAttribute(
        lambda document: {
            "owner": {"projectName": document.project, "componentName": document.component},
            "container": {"image": document.image},
        }
    )

    class Params:
        project = "default"
        component = "web"
        image = "registry.example/web:1"


class EnvironmentFactory(DocumentFactory):
    kind = "Environment"
    spec = factory.LazyAttribute(
        lambda _: {"dataPlaneRef": {"kind": "ClusterDataPlane", "name": "default"}, "isProduction": False}
    )
