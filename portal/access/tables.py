"""Where grants are kept and how objects lie in the hierarchy, as told by the layer that has the models.

This layer decides and knows no kind. `catalog.access` calls `use` once, when Django starts, and `describe` for each
kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Model, Q

from portal.access.actions import Level
from portal.access.place import Place

if TYPE_CHECKING:
    from portal.access.rules import Role, Rule


@dataclass(frozen=True)
class LevelTables:
    """The tables of one level. A namespace's own name stands in `name`; the others have a `namespace` column."""

    level: Level
    scope: type[Model]
    user_grants: type[Model]
    group_grants: type[Model]


@dataclass(frozen=True)
class Tables:
    """Everything that the loader reads. `roles` gives the roles by the keys that permissions end with."""

    levels: tuple[LevelTables, ...]
    exceptions: type[Model]
    state: type[Model]
    roles: Callable[[], Mapping[str, Role]]
    find: Callable[[str, str, str], Any]
    """A stored object by kind, namespace and name, None if there is none."""
    bindings_of: Callable[[Rule], list[str]]
    """The bindings behind a rule, as texts; none if it was given by hand."""

    def at(self, level: Level) -> LevelTables:
        return next(tables for tables in self.levels if tables.level == level)


@dataclass(frozen=True)
class Attribute:
    """An attribute of a kind's rows: its value as an expression, and a condition that it is there at all."""

    expression: Any
    present: Q


@dataclass(frozen=True)
class Hierarchy:
    """How the objects of one kind lie in the hierarchy.

    `within` says, for each level at which a grant can hold them, which rows the scope objects of some rules hold.
    `place_of` and `attributes_of` say the same of one object, in names.
    """

    kind: str
    within: Mapping[Level, Callable[[list[Rule]], Q]]
    place_of: Callable[[Any], Place]
    attributes_of: Callable[[Any], Mapping[str, str]] = field(default=lambda obj: {})
    attributes: Mapping[str, Attribute] = field(default_factory=dict)

    def action(self, verb: str) -> str:
        return f"{self.kind}:{verb}"


_tables: list[Tables] = []
_hierarchies: dict[type[Model], Hierarchy] = {}


def use(tables: Tables) -> None:
    """Name the tables; the last call counts."""
    _tables[:] = [tables]


def tables() -> Tables:
    if not _tables:
        raise RuntimeError("no layer has told portal.access where grants are kept")
    return _tables[0]


def describe(model: type[Model], hierarchy: Hierarchy) -> None:
    """Say how a kind lies in the hierarchy."""
    _hierarchies[model] = hierarchy


def hierarchy_of(model: type[Model]) -> Hierarchy:
    """The hierarchy of a kind. Raises `LookupError` for a model that is not protected by this engine."""
    try:
        return _hierarchies[model]
    except KeyError:
        raise LookupError(f"{model.__name__} has no place in the hierarchy; nobody may see it by grants") from None
