"""Where grants are kept and how objects lie in the hierarchy, as told by the layer that has the models.

This layer decides and knows no kind. `catalog.access` calls `use` once, when Django starts, and `describe` for each
kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Model, Q

from portal.access.actions import Level
from portal.access.place import Place

if TYPE_CHECKING:
    from portal.access.past import Past
    from portal.access.rules import Role, Rule
    from portal.accounts.models import User


@dataclass(frozen=True)
class LevelTables:
    """The tables of one level. A namespace's own name stands in `name`; the others have a `namespace` column."""

    level: Level
    scope: type[Model]
    user_grants: type[Model]
    group_grants: type[Model]


@dataclass(frozen=True)
class MappingOrigin:
    """One entry of a binding's `roleMappings`, which a grant comes from."""

    kind: str
    namespace: str
    name: str
    index: int

    @property
    def binding(self) -> str:
        """`AuthzRoleBinding acme/team`."""
        return f"{self.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"

    def as_json(self) -> dict[str, Any]:
        return {
            "binding": self.binding,
            "kind": self.kind,
            "namespace": self.namespace,
            "name": self.name,
            "index": self.index,
        }


@dataclass(frozen=True)
class Origins:
    """What a stored grant comes from: mappings of bindings, somebody's hand, or both."""

    mappings: tuple[MappingOrigin, ...] = ()
    is_manual: bool = False

    def names(self) -> list[str]:
        """The bindings as texts, and `given by hand`."""
        bindings = list(dict.fromkeys(mapping.binding for mapping in self.mappings))
        return bindings + (["given by hand"] if self.is_manual or not bindings else [])


@dataclass(frozen=True)
class Tables:
    """Everything that the loader reads. `roles` gives the roles by the keys that permissions end with."""

    levels: tuple[LevelTables, ...]
    exceptions: type[Model]
    state: type[Model]
    roles: Callable[[], Mapping[str, Role]]
    find: Callable[[str, str, str], Any]
    """A stored object by kind, namespace and name, None if there is none."""
    origins_of: Callable[[Iterable[Rule]], Mapping[tuple[str, str, int], Origins]]
    """What each of some rules comes from, by `Rule.key`. A fixed number of queries for any number of rules."""
    as_of: Callable[[User, datetime], Past]
    """What a user might do at a moment in the past."""
    is_counted: Callable[[], bool] = lambda: False
    """Whether the database moves the state's version with every change, also of accounts and their tokens."""

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
