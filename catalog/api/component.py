"""Components: of an existing project, in the namespace of the path, never to be moved."""

from __future__ import annotations

from catalog.api.collection import Collection, Draft, OwnerFilter
from catalog.api.owners import keep_project, label_with, require_owner, require_same_namespace
from catalog.kinds.base import Document
from catalog.kinds.component import Component

label = label_with("projectName")


def shape(draft: Draft) -> None:
    """`autoDeploy` is there only when true."""
    if draft.spec.get("autoDeploy") is False:
        del draft.spec["autoDeploy"]


def present(document: Document) -> Document:
    spec = document["spec"]
    if spec.get("autoDeploy") is not False:
        return document
    return {**document, "spec": {field: value for field, value in spec.items() if field != "autoDeploy"}}


def on_create(draft: Draft) -> None:
    require_same_namespace(draft)
    require_owner(draft, "Project", "projectName")
    label(draft)


def on_replace(draft: Draft) -> None:
    require_same_namespace(draft)
    keep_project(draft)
    label(draft)


COLLECTION = Collection(
    Component,
    filters={"project": OwnerFilter(("project",), must_exist="Project")},
    shape=shape,
    on_create=on_create,
    on_replace=on_replace,
    present=present,
)
