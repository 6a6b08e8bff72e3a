"""Release bindings: of an existing component, in the namespace of the path."""

from __future__ import annotations

from catalog.api.collection import Collection, Draft, OwnerFilter
from catalog.api.owners import label_with, require_owner, require_same_namespace
from catalog.kinds.release_binding import ReleaseBinding

label = label_with("projectName", "componentName")


def on_create(draft: Draft) -> None:
    require_same_namespace(draft)
    require_owner(draft, "Component", "componentName")
    label(draft)


def on_replace(draft: Draft) -> None:
    require_same_namespace(draft)
    label(draft)


COLLECTION = Collection(
    ReleaseBinding,
    filters={"component": OwnerFilter(("component",))},
    on_create=on_create,
    on_replace=on_replace,
)
