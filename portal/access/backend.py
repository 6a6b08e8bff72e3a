"""Django's question, answered by the engine: `user.has_perm("catalog.component:view", component)`.

guardian's backend knows the rows of one object. This one climbs from the object to its project, its namespace and the
cluster, and counts roles, denies, conditions and ends; so it says what every other surface says. Without an object, or
for an object that has no place in the hierarchy, guardian and Django answer as they always do.
"""

from __future__ import annotations

from typing import Any

from guardian.backends import ObjectPermissionBackend

from portal.access.actions import action_named
from portal.access.engine import Access
from portal.access.tables import hierarchy_of
from portal.accounts.models import User


class HierarchyBackend(ObjectPermissionBackend):  # type: ignore[misc]
    """guardian's backend for objects of the platform, with everything that decides about them."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Whether the user may do an action to an object: `component:view`, with or without an application before it.

        A permission as guardian's rows name it, `project|component:view`, asks for its action too: the row alone would
        know of no deny and no end. Every question reads the rights anew, in one query; a request has its own `Access`.
        """
        if obj is None or not isinstance(user_obj, User):
            return bool(super().has_perm(user_obj, perm, obj))
        try:
            hierarchy = hierarchy_of(type(obj))
        except LookupError:
            return bool(super().has_perm(user_obj, perm, obj))
        action = perm.rpartition(".")[2].rpartition("|")[2]
        if action_named(action) is None:
            return False
        return Access.of(user_obj).allows(action, hierarchy.place_of(obj), hierarchy.attributes_of(obj))
