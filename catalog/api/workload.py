"""Workloads: of an existing component."""

from __future__ import annotations

from catalog.api.collection import Collection, Draft, OwnerFilter
from catalog.api.owners import label_with, require_owner
from catalog.kinds.workload import Workload

label = label_with("projectName", "componentName")


def on_create(draft: Draft) -> None:
    require_owner(draft, "Component", "componentName")
    label(draft)


COLLECTION = Collection(
    Workload, filters={"component": OwnerFilter(("component",))}, on_create=on_create, on_replace=label
)
