"""guardian's own tools on our tables: what they give is a grant by hand, what they take is no more than that.

`assign_perm`, `remove_perm` and their siblings call the manager of a grant table. A row may be a binding's and a grant
by hand at once: assigning marks it as given by hand too, removing leaves to the binding what is the binding's. Both go
through `catalog.access.grant_rows`, so each is in the audit and counts from the next request on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from guardian.ctypes import get_content_type
from guardian.exceptions import ObjectNotPersisted
from guardian.managers import BaseObjectPermissionManager, _ensure_permission, _get_perm_filter


class GrantManager(BaseObjectPermissionManager):
    """`objects` of every table of grants."""

    def assign_perm(self, perm: Any, user_or_group: Any, obj: Any) -> Any:
        """Give the permission by hand, without an end. Returns the row."""
        from catalog.access import grant_rows

        if getattr(obj, "pk", None) is None:
            raise ObjectNotPersisted(f"Object {obj} needs to be persisted first")
        permission = _ensure_permission(perm, get_content_type(obj))
        return grant_rows.give(self.model, permission, user_or_group, obj)

    def bulk_assign_perm(
        self, perm: Any, user_or_group: Any, queryset: Any, ignore_conflicts: bool = False
    ) -> list[Any]:
        return [self.assign_perm(perm, user_or_group, obj) for obj in queryset]

    def assign_perm_to_many(
        self, perm: Any, users_or_groups: Any, obj: Any, ignore_conflicts: bool = False
    ) -> list[Any]:
        return [self.assign_perm(perm, holder, obj) for holder in users_or_groups]

    def remove_perm(self, perm: Any, user_or_group: Any, obj: Any) -> tuple[int, dict[str, int]]:
        """Take back what was given by hand. Returns how many rows that has ended."""
        return self.bulk_remove_perm(perm, user_or_group, [obj])

    def bulk_remove_perm(self, perm: Any, user_or_group: Any, queryset: Any) -> tuple[int, dict[str, int]]:
        objects = list(queryset)
        return self.take(perm, [user_or_group], objects) if objects else (0, {})

    def remove_perm_from_many(self, perm: Any, users_or_groups: Any, obj: Any) -> tuple[int, dict[str, int]]:
        return self.take(perm, users_or_groups, [obj])

    def take(self, perm: Any, holders: Iterable[Any], objects: list[Any]) -> tuple[int, dict[str, int]]:
        """Take the permission by hand back from each of these holders on each of these objects."""
        from catalog.access import grant_rows

        if any(getattr(obj, "pk", None) is None for obj in objects):
            raise ObjectNotPersisted("the object needs to be persisted first")
        wanted = _get_perm_filter(perm, ctype=get_content_type(objects[0]))
        keys = {f"{self.user_or_group_field}__in": list(holders)}
        rows = self.filter(wanted, is_manual=True, content_object__in=objects, **keys)
        ended = sum(grant_rows.take(row) for row in rows.select_related("permission", "content_object"))
        return ended, {self.model._meta.label: ended} if ended else {}
