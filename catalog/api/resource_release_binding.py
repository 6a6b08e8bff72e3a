"""Resource release bindings: of an existing resource."""

from __future__ import annotations

from catalog.api.collection import Collection, Draft, OwnerFilter
from catalog.api.owners import label_with, require_owner
from catalog.kinds.resource_release_binding import ResourceReleaseBinding

label = label_with("projectName", "resourceName")


def on_create(draft: Draft) -> None:
    require_owner(draft, "Resource", "resourceName")
    label(draft)


COLLECTION = Collection(
    ResourceReleaseBinding, filters={"resource": OwnerFilter(("resource",))}, on_create=on_create, on_replace=label
)
