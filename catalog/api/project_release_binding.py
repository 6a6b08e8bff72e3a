"""Project release bindings: of an existing project."""

from __future__ import annotations

from catalog.api.collection import Collection, Draft, OwnerFilter
from catalog.api.owners import label_with, require_owner
from catalog.kinds.project_release_binding import ProjectReleaseBinding

label = label_with("projectName")


def on_create(draft: Draft) -> None:
    require_owner(draft, "Project", "projectName")
    label(draft)


COLLECTION = Collection(
    ProjectReleaseBinding, filters={"project": OwnerFilter(("project",))}, on_create=on_create, on_replace=label
)
