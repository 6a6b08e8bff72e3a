"""The immutable snapshots: component, project and resource releases. They can be listed by what they are of."""

from __future__ import annotations

from catalog.api.collection import Collection, OwnerFilter
from catalog.kinds.component_release import ComponentRelease
from catalog.kinds.project_release import ProjectRelease
from catalog.kinds.resource_release import ResourceRelease

COLLECTIONS = (
    Collection(ComponentRelease, filters={"component": OwnerFilter(("component",))}),
    Collection(ProjectRelease, filters={"project": OwnerFilter(("project",))}),
    Collection(ResourceRelease, filters={"resource": OwnerFilter(("resource",))}),
)
