"""Grants as people ask for them: who has what at a place, what somebody has, what nobody uses.

Reads the eleven tables (users' and groups' grants of five levels, and exceptions) as one list: a page costs a fixed
number of queries, whatever the number of grants. Who may see the list is the caller's question (`hand_grants.may_see`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.auth.models import Group, Permission
from django.db.models import CharField, Exists, F, OuterRef, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from catalog.access.models import GRANTS, CompiledMapping, GrantUse, PolicyException
from catalog.access.permissions import SCOPES, roles_by_key
from portal.access.actions import LEVELS, Level
from portal.access.place import Place
from portal.access.policy import place_at
from portal.access.rules import Role
from portal.accounts.models import User

WHY = "lists of grants, for who may see them"
COLUMNS = ("at", "source", "key", "scope", "holder", "may", "gives", "ends", "hand", "hand_ends", "author", "since")
LEVEL_ORDER = {level: str(number) for number, level in enumerate(LEVELS)}


@dataclass(frozen=True)
class Binding:
    """A document that a grant rests on."""

    kind: str
    namespace: str
    name: str
    position: int

    @property
    def label(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


@dataclass(frozen=True)
class Grant:
    """One row as it is shown. `table`, `level` and `row` find it."""

    table: str
    level: Level
    row: int
    scope: int
    """The key of the scope object."""
    place: Place
    holder_kind: str
    """`user` or `group`."""
    holder_id: int
    holder: str
    role: Role
    effect: str
    expires_at: datetime | None
    is_manual: bool
    hand_expires_at: datetime | None
    granted_by: str
    granted_at: datetime
    conditions: Sequence[Mapping[str, Any]] = ()
    bindings: tuple[Binding, ...] = ()
    used_at: datetime | None = None
    changed_at: datetime | None = None
    owner: User | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        return f"{self.table}:{self.level}:{self.row}"

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def origin(self) -> str:
        """`manual`, `binding`, or `both`."""
        return "both" if self.is_manual and self.bindings else "manual" if self.is_manual else "binding"

    @property
    def what(self) -> str:
        """`developer`, or a single action."""
        return self.role.name


class Scope(NamedTuple):
    """Whole levels (no keys), or some scope objects of a level."""

    level: Level
    keys: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Wanted:
    """Which grants: at some scopes, of some holders, by hand or not, in use or not. All conditions hold together."""

    scopes: tuple[Scope, ...] = tuple(Scope(level) for level in LEVELS)
    users: tuple[int, ...] | None = None
    groups: tuple[int, ...] | None = None
    origin: str = ""
    """`manual` or `binding`."""
    unused_since: datetime | None = None
    """Only what was given before that moment, allows something, and has not been used since."""
    permissions: tuple[int, ...] | None = None
    is_expired: bool | None = None


def grants_query(wanted: Wanted) -> Any:
    """The keys of all grants that are wanted, as one query in a fixed order: outer places first."""
    parts = [part for scope in wanted.scopes for part in parts_of(scope, wanted)]
    if not parts:
        return GrantUse.objects.none()
    first, *others = parts
    return first.union(*others, all=True).order_by("at", "scope", "source", "holder", "may", "key")


def parts_of(scope: Scope, wanted: Wanted) -> list[Any]:
    """The three tables of one level, narrowed. A query that cannot give anything is left out."""
    is_open = wanted.users is None and wanted.groups is None
    tables = []
    if is_open or wanted.users:
        tables.append("user")
    if is_open or wanted.groups:
        tables += ["group"] if wanted.origin == "manual" else ["group", "exception"]
    return [part_of(table, scope, wanted) for table in tables]


def part_of(table: str, scope: Scope, wanted: Wanted) -> Any:
    """The rows of one table of a level that are wanted, in the columns of all."""
    user_grants, group_grants = GRANTS[scope.level]
    if table == "exception":
        rows: Any = PolicyException.objects.system(WHY).filter(level=scope.level)
    else:
        rows = (user_grants if table == "user" else group_grants)._default_manager.all()
    who, key = "user_id" if table == "user" else "group_id", "content_object_id"
    holders = wanted.users if table == "user" else wanted.groups
    if not (wanted.users is None and wanted.groups is None):
        rows = rows.filter(**{f"{who}__in": holders or ()})
    if table == "exception":
        key = f"{scope.level}_id"
    return columns(narrowed(rows, table, scope, key, wanted), table, scope.level, key, who)


def narrowed(rows: Any, table: str, scope: Scope, key: str, wanted: Wanted) -> Any:
    """The rows of one table that are wanted."""
    if scope.keys is not None:
        rows = rows.filter(**{f"{key}__in": scope.keys})
    if wanted.permissions is not None:
        rows = rows.filter(permission__in=wanted.permissions)
    if wanted.origin == "manual":
        rows = rows.filter(is_manual=True)
    elif wanted.origin == "binding" and table != "exception":
        rows = rows.filter(Q(is_manual=False) | Exists(behind(scope.level)))
    if wanted.is_expired is not None:
        ended = Q(expires_at__lte=timezone.now())
        rows = rows.filter(ended) if wanted.is_expired else rows.filter(Q(expires_at=None) | ~ended)
    if wanted.unused_since is not None:
        uses = GrantUse.objects.filter(table=table, level=scope.level, row=OuterRef("pk"))
        rows = rows.filter(~Exists(uses.filter(used_at__gte=wanted.unused_since)), granted_at__lt=wanted.unused_since)
        rows = rows.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))
        rows = rows.filter(effect="allow") if table == "exception" else rows
    return rows


def behind(level: Level) -> Any:
    """The mappings of the row that an outer query looks at."""
    return CompiledMapping.objects.system(WHY).filter(
        level=level, state=CompiledMapping.State.GRANTED, grant_row=OuterRef("pk")
    )


def columns(rows: Any, table: str, level: Level, key: str, who: str) -> Any:
    """One table's rows in the columns of all."""
    is_exception = table == "exception"
    text = CharField()
    shown = {
        "at": Value(LEVEL_ORDER[level], output_field=text),
        "source": Value(table, output_field=text),
        "key": F("pk"),
        "scope": F(key),
        "holder": F(who),
        "may": F("permission_id"),
        "gives": F("effect") if is_exception else Value("allow", output_field=text),
        "ends": F("expires_at"),
        "hand": Value(False) if is_exception else F("is_manual"),
        "hand_ends": F("expires_at") if is_exception else F("hand_expires_at"),
        "author": Value("", output_field=text) if is_exception else Coalesce(F("granted_by"), Value("")),
        "since": F("granted_at"),
    }
    return rows.order_by().annotate(**shown).values_list(*COLUMNS)


def read(rows: Iterable[tuple[Any, ...]]) -> list[Grant]:
    """Rows of `grants_query` with everything that a page shows. At most a dozen queries, whatever the number."""
    rows = list(rows)
    if not rows:
        return []
    level_of = {number: level for level, number in LEVEL_ORDER.items()}
    by_level: dict[str, set[int]] = defaultdict(set)
    keys: dict[tuple[str, str], set[int]] = defaultdict(set)
    for row in rows:
        by_level[level_of[row[0]]].add(row[3])
        keys[row[1], level_of[row[0]]].add(row[2])
    places = {level: places_of(level, wanted) for level, wanted in by_level.items()}  # type: ignore[arg-type]
    users = User.objects.in_bulk({row[4] for row in rows if row[1] == "user"})
    groups = dict(Group.objects.filter(pk__in={row[4] for row in rows if row[1] != "user"}).values_list("pk", "name"))
    roles = roles_of({row[5] for row in rows})
    bindings, uses, conditions = bindings_of(keys), uses_of(keys), conditions_of(keys)
    found = []
    for number, table, key, scope, holder, may, gives, ends, hand, hand_ends, author, since in rows:
        level = level_of[number]
        place = places[level].get(scope)
        if place is None or may not in roles:
            continue
        used = uses.get((table, level, key), (None, None))
        who = users.get(holder) if table == "user" else None
        found.append(
            Grant(
                table,
                level,
                key,
                scope,
                place,
                holder_kind="user" if table == "user" else "group",
                holder_id=holder,
                holder=who.get_username() if who else groups.get(holder, ""),
                role=roles[may],
                effect=gives,
                expires_at=ends,
                is_manual=bool(hand),
                hand_expires_at=hand_ends if hand else None,
                granted_by=author,
                granted_at=since,
                conditions=conditions.get(key, ()) if table == "exception" else (),
                bindings=tuple(bindings.get((table, level, key), ())),
                used_at=used[0],
                changed_at=used[1],
                owner=who,
            )
        )
    return found


def places_of(level: Level, keys: Iterable[int]) -> dict[int, Place]:
    """The places of scope objects. One query."""
    if level == "cluster":
        return {key: Place() for key in keys}
    rows = SCOPES[level].objects.system(WHY).filter(pk__in=set(keys))  # type: ignore[attr-defined]
    if level == "namespace":
        return {key: Place(name) for key, name in rows.values_list("pk", "name")}
    names = ["pk", "namespace_id", "name", *([] if level == "project" else ["project__name"])]
    return {
        key: place_at(level, where, (more[0] or "") if more else "", name)
        for key, where, name, *more in rows.values_list(*names)
    }


def roles_of(permissions: Iterable[int]) -> dict[int, Role]:
    """What permissions give. Three queries at most."""
    codenames = dict(Permission.objects.filter(pk__in=set(permissions)).values_list("pk", "codename"))
    meanings = {key: codename.partition("|")[2] for key, codename in codenames.items()}
    roles = roles_by_key() if any("#" in meaning for meaning in meanings.values()) else {}
    return {
        key: roles[meaning] if "#" in meaning else Role(meaning, (meaning,))
        for key, meaning in meanings.items()
        if "#" not in meaning or meaning in roles
    }


Keys = Mapping[tuple[str, str], set[int]]


def any_of(keys: Keys, column: str, tables: Iterable[str] = ("user", "group", "exception")) -> Q:
    """The rows of all tables and levels, in one condition."""
    found = Q(pk__in=[])
    for (table, level), rows in keys.items():
        if table in tables:
            found |= Q(
                level=level, **({"table": table} if column == "row" else state_of(table)), **{f"{column}__in": rows}
            )
    return found


def state_of(table: str) -> dict[str, Any]:
    states = CompiledMapping.State
    return {"state": states.EXCEPTION if table == "exception" else states.GRANTED}


def bindings_of(keys: Keys) -> dict[tuple[str, str, int], list[Binding]]:
    """The mappings behind rows. One query."""
    found: dict[tuple[str, str, int], list[Binding]] = defaultdict(list)
    mappings = CompiledMapping.objects.system(WHY).filter(any_of(keys, "grant_row", ("group", "exception")))
    for mapping in mappings.order_by("binding_kind", "binding_namespace", "binding_name", "position"):
        table = "exception" if mapping.state == CompiledMapping.State.EXCEPTION else "group"
        shown = Binding(mapping.binding_kind, mapping.binding_namespace, mapping.binding_name, mapping.position)
        found[table, mapping.level, mapping.grant_row].append(shown)
    return found


def uses_of(keys: Keys) -> dict[tuple[str, str, int], tuple[datetime, datetime | None]]:
    """When rows were last used. One query."""
    rows = GrantUse.objects.filter(any_of(keys, "row"))
    return {
        (table, level, row): (used, changed)
        for table, level, row, used, changed in rows.values_list("table", "level", "row", "used_at", "changed_at")
    }


def conditions_of(keys: Keys) -> dict[int, Any]:
    """The conditions of exceptions. One query if there are any."""
    wanted = {row for (table, _), rows in keys.items() if table == "exception" for row in rows}
    if not wanted:
        return {}
    return dict(PolicyException.objects.system(WHY).filter(pk__in=wanted).values_list("pk", "conditions"))


def grant_of(key: str) -> Grant | None:
    """The grant of `table:level:row`, None if there is none."""
    table, _, rest = key.partition(":")
    level, _, row = rest.partition(":")
    if level not in GRANTS or not row.isdecimal():
        return None
    if table not in ("user", "group", "exception"):
        return None
    found = read(part_of(table, Scope(level), Wanted()).filter(pk=int(row)))  # type: ignore[arg-type]
    return found[0] if found else None
