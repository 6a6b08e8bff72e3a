"""Where something is: the path of names from the cluster down to a component or a resource."""

from __future__ import annotations

from dataclasses import dataclass

from portal.access.actions import Level


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the hierarchy. Empty names end it: `Place()` is the cluster, `Place("acme", "shop")` a project."""

    namespace: str = ""
    project: str = ""
    component: str = ""
    resource: str = ""

    @property
    def level(self) -> Level:
        """What the innermost name is."""
        if self.component:
            return "component"
        if self.resource:
            return "resource"
        if self.project:
            return "project"
        return "namespace" if self.namespace else "cluster"

    @property
    def path(self) -> str:
        """The contract's text for it: `*`, or `ns/acme/project/shop/component/cart`."""
        if not self.namespace:
            return "*"
        parts = ["ns", self.namespace]
        for name in ("project", "component", "resource"):
            if value := getattr(self, name):
                parts += [name, value]
        return "/".join(parts)

    def contains(self, other: Place) -> bool:
        """Whether the other place is this one or lies within it.

        A component is known by its namespace and name; its project counts only where both places name one.
        """
        if not self.namespace:
            return True
        if self.namespace != other.namespace:
            return False
        if self.component or self.resource:
            return (
                self.component == other.component
                and self.resource == other.resource
                and (not self.project or not other.project or self.project == other.project)
            )
        return not self.project or self.project == other.project
