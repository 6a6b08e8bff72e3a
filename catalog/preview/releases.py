"""The releases that controllers would cut from the objects of a world, unsaved."""

from __future__ import annotations

from typing import TypeVar

import orjson
from django.utils import timezone

from catalog import store
from catalog.compiler.errors import CompilerError
from catalog.compiler.releases import project_release_spec, resource_release_spec
from catalog.controllers import component_checks
from catalog.controllers.component_checks import FindWorkloads, NotReady
from catalog.controllers.release_cut import type_not_found
from catalog.kinds.base import Document, PlatformObject
from catalog.kinds.component import Component
from catalog.kinds.component_release import ComponentRelease
from catalog.kinds.project import Project
from catalog.kinds.project_release import ProjectRelease
from catalog.kinds.resource import Resource
from catalog.kinds.resource_release import ResourceRelease
from catalog.preview.world import World
from catalog.releases.cut import frozen_spec
from catalog.store.admission import admit

Release = TypeVar("Release", bound=PlatformObject)


class NotReleased(Exception):
    """Why an object would get no release: `reason` as in the conditions of its controller."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def component_release(component: Component, world: World, workloads: FindWorkloads) -> tuple[ComponentRelease, str]:
    """The release of a component, and the environment that it enters first. Raises `NotReleased`."""
    try:
        parts, root = component_checks.check(component, workloads, world.traits_of)
        spec = frozen_spec(component, parts)
    except NotReady as problem:
        raise NotReleased(problem.reason, problem.message) from None
    except CompilerError as problem:
        raise NotReleased("InvalidConfiguration", str(problem)) from None
    return unsaved(ComponentRelease, component, spec, "AutoDeployFailed"), root


def project_release(project: Project) -> ProjectRelease:
    """The release of a project. Raises `NotReleased`."""
    project_type = project.cluster_project_type or project.project_type
    if project_type is None:
        raise NotReleased("ProjectTypeNotFound", type_not_found(project.spec["type"]))
    spec = project_release_spec(store.to_document(project), store.to_document(project_type))
    return unsaved(ProjectRelease, project, spec, "ReleaseFailed")


def resource_release(resource: Resource) -> ResourceRelease:
    """The release of a resource. Raises `NotReleased`."""
    resource_type = resource.cluster_resource_type or resource.resource_type
    if resource_type is None:
        raise NotReleased("ResourceTypeNotFound", type_not_found(resource.spec["type"]))
    spec = resource_release_spec(store.to_document(resource), store.to_document(resource_type))
    return unsaved(ResourceRelease, resource, spec, "ReleaseFailed")


def unsaved(model: type[Release], owner: PlatformObject, spec: Document, reason: str) -> Release:
    """A release as the store would keep it: admission completes it, and may refuse it."""
    namespace = owner.namespace_name
    metadata = {"name": owner.name, "namespace": namespace}
    admitted, errors = admit(model, None, {"metadata": metadata, "spec": spec})
    if errors:
        raise NotReleased(reason, "; ".join(str(error) for error in errors))
    # As it comes back from the database: with its keys in order.
    spec = orjson.loads(orjson.dumps(admitted["spec"], option=orjson.OPT_SORT_KEYS))
    return model(name=owner.name, namespace_id=namespace, spec=spec, created_at=timezone.now())
