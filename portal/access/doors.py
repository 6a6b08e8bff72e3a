"""Rows that nobody reads by accident: a query of a protected model asks nothing until it has gone through a door.

    Component.objects.for_subject(access, "view")      what a subject may see, or do some other verb to
    access.visible(Component.objects.filter(...))      the same, said from the other side
    Component.objects.system("reconcile")              everything, for the platform's own work, with the reason

A query that went through none can be built, narrowed and handed on, but raises `ClosedQuery` when the database would be
asked: read, counted, changed or deleted, by itself or inside of another query. So a surface that forgets to ask the
engine fails in its first test, and does not leak. Rows that have been read lead to others by their foreign keys, and
Django saves and deletes single rows through `_base_manager`, which has no doors; nothing else may
(`tests/portal/access/test_doors.py` keeps the list). What a queryset has gone through is one attribute of it: asking
costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models

from portal.access.tables import hierarchy_of

if TYPE_CHECKING:
    from portal.access.engine import Access


class ClosedQuery(RuntimeError):
    """A query of protected rows was about to be asked on nobody's behalf. A mistake in the code, never of a user."""

    def __init__(self, model: type[models.Model], operation: str) -> None:
        name = model.__name__
        super().__init__(
            f"{operation} of {name} rows without a door: say whose rights count, by "
            f"{name}.objects.for_subject(access, verb) or access.visible(…), or why the platform itself may, by "
            f'{name}.objects.system("reason")'
        )


class ProtectedQuerySet(models.QuerySet[Any]):
    """A queryset that must go through a door before it is evaluated. Everything derived from it keeps the door."""

    door = ""
    """What it went through, for readers of a debugger: the system's reason, or a subject and an action."""

    def system(self, reason: str) -> Self:
        """All rows, for the platform's own work. `reason` says which, in a few words."""
        if not reason.strip():
            raise ValueError("system() needs a reason")
        return self.through(reason)

    def for_subject(self, access: Access, verb: str = "view") -> Self:
        """The rows that the subject may do the verb to."""
        found: Self = access.filter(self, hierarchy_of(self.model).action(verb))
        return found

    def through(self, door: str) -> Self:
        """This query, open. For the engine and for `system`."""
        opened: Self = self._chain()
        opened.door = door
        return opened

    def statement(self) -> tuple[str, tuple[Any, ...]]:
        """The query as text and its parameters, for who reads rows as the database gives them (`portal.prepared`)."""
        self.guarded("reading")
        return self.query.sql_with_params()

    def guarded(self, operation: str) -> None:
        """Raise unless a door was taken. `none()` asks nothing and needs none."""
        if not self.door and not self.query.is_empty():
            raise ClosedQuery(self.model, operation)

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone.door = self.door
        return clone

    # Whatever asks the database ---------------------------------------------------------------------------------------

    def _fetch_all(self) -> None:
        if self._result_cache is None:  # type: ignore[has-type]
            self.guarded("reading")
        super()._fetch_all()  # type: ignore[misc]

    def iterator(self, *args: Any, **kwargs: Any) -> Any:
        self.guarded("reading")
        return super().iterator(*args, **kwargs)

    def aiterator(self, *args: Any, **kwargs: Any) -> Any:
        self.guarded("reading")
        return super().aiterator(*args, **kwargs)

    def aggregate(self, *args: Any, **kwargs: Any) -> Any:
        self.guarded("aggregation")
        return super().aggregate(*args, **kwargs)

    def count(self) -> int:
        self.guarded("counting")
        return super().count()

    def exists(self) -> bool:
        self.guarded("looking for any")
        return super().exists()

    def explain(self, **kwargs: Any) -> str:  # type: ignore[override]
        self.guarded("explanation")
        return super().explain(**kwargs)

    def raw(self, *args: Any, **kwargs: Any) -> Any:
        self.guarded("raw reading")
        return super().raw(*args, **kwargs)

    def create(self, **kwargs: Any) -> Any:
        self.guarded("creation")
        return super().create(**kwargs)

    def update_or_create(self, *args: Any, **kwargs: Any) -> Any:
        self.guarded("change")
        return super().update_or_create(*args, **kwargs)

    def bulk_create(self, *args: Any, **kwargs: Any) -> Any:
        self.guarded("creation")
        return super().bulk_create(*args, **kwargs)

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        self.guarded("change")
        return super().bulk_update(*args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        self.guarded("change")
        return super().update(**kwargs)

    update.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        self.guarded("deletion")
        return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def _raw_delete(self, using: Any) -> Any:
        self.guarded("deletion")
        return super()._raw_delete(using)  # type: ignore[misc]

    def _update(self, values: Any) -> Any:
        self.guarded("change")
        return super()._update(values)  # type: ignore[misc]

    # Inside of another query ------------------------------------------------------------------------------------------

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        # What may not be seen may not narrow what is seen, either.
        self.guarded("a subquery")
        return super().resolve_expression(*args, **kwargs)  # type: ignore[misc]

    def _combinator_query(self, combinator: str, *others: Any, **kwargs: Any) -> Any:
        for other in (self, *others):
            if isinstance(other, ProtectedQuerySet):
                other.guarded(combinator)
        return super()._combinator_query(combinator, *others, **kwargs)  # type: ignore[misc]

    def _merge_sanity_check(self, other: Any) -> None:
        # `a | b`, `a & b`, `a ^ b`: each side needs its own door, or the result would have that of the first.
        self.guarded("a combination")
        other.guarded("a combination")
        super()._merge_sanity_check(other)  # type: ignore[misc]


class ProtectedManager(models.Manager.from_queryset(ProtectedQuerySet)):  # type: ignore[misc]
    """`objects` of every protected model."""


def opened(queryset: Any, door: str) -> Any:
    """A queryset that the engine has narrowed or is about to; one without doors stays as it is."""
    return queryset.through(door) if isinstance(queryset, ProtectedQuerySet) else queryset
