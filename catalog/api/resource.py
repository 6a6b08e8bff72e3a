"""Resources (managed infrastructure): of an existing project, never to be moved."""

from __future__ import annotations

from catalog.api.collection import Collection, Draft, OwnerFilter
from catalog.api.owners import keep_project, label_with, require_owner
from catalog.kinds.resource import Resource

label = label_with("projectName")


def on_create(draft: Draft) -> None:
    require_owner(draft, "Project", "projectName")
    label(draft)


def on_replace(draft: Draft) -> None:
    keep_project(draft)
    label(draft)


COLLECTION = Collection(
    Resource,
    filters={"project": OwnerFilter(("project",), must_exist="Project")},
    on_create=on_create,
    on_replace=on_replace,
)
