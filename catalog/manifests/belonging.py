"""What belongs to an object and goes with it, in the order in which it goes; and what had belonged to one that is gone.

The order is that of the controllers: each asks for the deletion of a stage and waits for it before the next. For
deletion plans and for undelete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from catalog.compiler import labels
from catalog.controllers.namespace import stages
from catalog.kinds.base import Document, PlatformObject
from catalog.kinds.registry import BY_KIND
from catalog.manifests.rendered import RENDERED_KINDS, releases_of

Stage = tuple[str, ...]
BY_FOREIGN_KEY: Mapping[str, tuple[Stage, ...]] = {
    "Project": (("Component", "Resource"), ("ProjectReleaseBinding",), ("ProjectRelease",)),
    "Component": (("ReleaseBinding", "ComponentRelease", "Workload"),),
    "Resource": (("ResourceReleaseBinding",), ("ResourceRelease",)),
    "Environment": (("ReleaseBinding", "ResourceReleaseBinding"), ("ProjectReleaseBinding",)),
}
"""Kinds whose rows point at their owner by a foreign key of its name."""


def children_of(obj: PlatformObject) -> Iterator[list[PlatformObject]]:
    """The stages of what goes before the object does, each waited for by the next."""
    if obj.kind == "Namespace":
        for models in stages():
            yield [child for model in models for child in rows_of(model, namespace_id=obj.name)]
    elif obj.kind in BY_FOREIGN_KEY:
        for stage in BY_FOREIGN_KEY[obj.kind]:
            yield [child for kind in stage for child in rows_of(BY_KIND[kind], **{f"{obj.kind.lower()}_id": obj.pk})]
        if obj.kind == "Component":
            yield list(runs_of(obj))
    elif obj.kind in RENDERED_KINDS - {"RenderedRelease"}:
        yield list(releases_of(obj))


def rows_of(model: type[PlatformObject], **narrowed: Any) -> Iterable[PlatformObject]:
    found: Iterable[PlatformObject] = model.objects.system("deletion").filter(**narrowed).order_by("name")
    return found


def runs_of(component: PlatformObject) -> Iterable[PlatformObject]:
    """A component's workflow runs, which say whose they are in labels."""
    named = {labels.PROJECT: component.spec["owner"]["projectName"], labels.COMPONENT: component.name}
    wanted = {f"labels__{key}": value for key, value in named.items()}
    return rows_of(BY_KIND["WorkflowRun"], namespace_id=component.namespace_name, **wanted)


# By documents, for what is gone ---------------------------------------------------------------------------------------


def had_belonged(kind: str, namespace: str, name: str, owner: Document) -> Callable[[str, str, Document], bool]:
    """Whether an object of that kind, namespace and document went with this one, which is gone or going.

    `owner` is the document of the object itself.
    """

    def belongs(other: str, where: str, document: Document) -> bool:
        if kind == "Namespace":
            return where == name
        if where != namespace:
            return False
        spec = document.get("spec") or {}
        owned_by = spec.get("owner") or {}
        match kind:
            case "Project":
                return bool(owned_by.get("projectName") == name)
            case "Component":
                in_project = owned_by.get("projectName") == owner["spec"]["owner"]["projectName"]
                labelled = (document["metadata"].get("labels") or {}).get(labels.COMPONENT) == name
                return bool(in_project and owned_by.get("componentName") == name) or (
                    other == "WorkflowRun" and labelled
                )
            case "Resource":
                return bool(owned_by.get("resourceName") == name)
            case "Environment":
                return name in (spec.get("environment"), spec.get("environmentName"))
        references = document["metadata"].get("ownerReferences") or ()
        return any(item.get("kind") == kind and item.get("name") == name for item in references)

    return belongs
