"""Pointing an environment's binding at a release: what auto-deploy, promotion and rollback have in common.

Only the release's name changes; the settings that people have made for the environment stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from catalog import store
from catalog.compiler import labels
from catalog.kinds.base import API_VERSION, Document
from catalog.kinds.component import Component
from catalog.kinds.release_binding import ReleaseBinding
from catalog.store.write import Outcome, Permit
from portal.accounts.actor import Actor


class AmbiguousBinding(Exception):
    """A component has more than one binding in an environment, so none of them is the one to change."""

    def __init__(self, environment: str) -> None:
        self.environment = environment
        super().__init__(f'found multiple ReleaseBinding objects for environment "{environment}"')


@dataclass(frozen=True, slots=True)
class BoundRelease:
    """Which release a component runs in an environment, and by which binding."""

    binding: str
    environment: str
    release_name: str
    is_release_there: bool
    is_terminating: bool

    def runs(self, release_name: str) -> bool:
        """Whether it names that release, and the release exists and is the component's."""
        return self.release_name == release_name and self.is_release_there


def bindings_of(component: Component) -> list[BoundRelease]:
    """All bindings of a component. One query, without their statuses."""
    rows = ReleaseBinding.objects.system("release").filter(component_id=component.pk).order_by("name")
    project = component.spec["owner"]["projectName"]
    columns = rows.values_list("name", "spec", "component_release__component_id", "deleted_at")
    return [
        BoundRelease(
            binding=name,
            environment=spec["environment"],
            release_name=spec.get("releaseName") or "",
            is_release_there=release_of == component.pk,
            is_terminating=deleted_at is not None,
        )
        for name, spec, release_of, deleted_at in columns
        if spec["owner"]["projectName"] == project
    ]


def binding_in(bindings: Iterable[BoundRelease], environment: str) -> BoundRelease | None:
    """The one binding in an environment, or None. Raises `AmbiguousBinding`."""
    found = [binding for binding in bindings if binding.environment == environment]
    if len(found) > 1:
        raise AmbiguousBinding(environment)
    return found[0] if found else None


def bind_release(
    component: Component,
    environment: str,
    release_name: str,
    held: BoundRelease | None,
    actor: Actor,
    *,
    labelled: bool = False,
    permit: Permit | None = None,
) -> Outcome | None:
    """Point the binding at the release; make it, as `{component}-{environment}`, if there is none.

    `held` is what `binding_in` found. `labelled` puts the labels of project and component on a new binding, as those
    made by people have them. A binding that is being deleted is left alone: None. `permit` is asked about the binding
    and what it is to become. Raises `StoreError`s and what `permit` raises.
    """
    namespace = component.namespace_name
    if held is None:
        document = binding_document(component, environment, release_name, labelled)
        if permit is not None:
            permit(None, document)
        return Outcome(store.create(document, actor), "created")
    if held.is_terminating:
        return None
    binding = store.get("ReleaseBinding", namespace, held.binding)
    document = store.to_document(binding, with_status=False)
    if document["spec"].get("releaseName") != release_name:
        document["spec"] = {**document["spec"], "releaseName": release_name}
    if permit is not None:
        permit(binding, document)
    return store.put(document, actor)


def binding_document(component: Component, environment: str, release_name: str, labelled: bool) -> Document:
    """The document of a new binding."""
    project = component.spec["owner"]["projectName"]
    marks = {labels.PROJECT: project, labels.COMPONENT: component.name} if labelled else {}
    return {
        "apiVersion": API_VERSION,
        "kind": "ReleaseBinding",
        "metadata": {
            "name": f"{component.name}-{environment}",
            "namespace": component.namespace_name,
            "labels": marks,
        },
        "spec": {
            "owner": {"projectName": project, "componentName": component.name},
            "environment": environment,
            "releaseName": release_name,
        },
    }
