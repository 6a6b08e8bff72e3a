"""Loading what one subject has been given: one query, whatever the number of objects.

The rows are those of the subject's groups and of its own user, on all five levels, with the names of their scopes. So
everything that a request asks is answered from one moment's policy, and the next request sees any change of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils import timezone

from portal.access.actions import Level, action_named
from portal.access.condition import Condition, frozen
from portal.access.lookup import RulesByPlace
from portal.access.place import Place
from portal.access.rules import Role, Rule, usable
from portal.access.subject import Subject, names_one_subject
from portal.access.tables import LevelTables, tables
from portal.accounts.models import User


@dataclass(frozen=True)
class Policy:
    """The rules of one subject at one moment, and the names of the groups that they came from."""

    rules: tuple[Rule, ...] = ()
    groups: frozenset[str] = frozenset()
    version: int = 0
    roles: str = ""
    """What the roles were: `PolicyState.roles`. With `version`, the name of what everybody's rights were."""
    ends_at: datetime | None = None
    """When the first of the rules ends by itself."""
    by_action: dict[tuple[str, bool], RulesByPlace] = field(default_factory=dict, compare=False, repr=False)

    def usable(self, action: str, *, is_agent: bool) -> RulesByPlace:
        """The rules that speak of the action and that this sort of subject may use; sorted once."""
        found = self.by_action.get((action, is_agent))
        if found is None:
            found = RulesByPlace(usable(self.rules, action, is_agent=is_agent))
            self.by_action[action, is_agent] = found
        return found


def load_policy(subject: Subject) -> Policy:
    """Everything that the subject has been given or refused. One query, and two more after a role has changed."""
    names = sorted(subject.entitlements) or [""]
    sql, moments = load_sql(connection.vendor, len(names))
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    user = -1 if subject.user_id is None else subject.user_id
    with connection.cursor() as cursor:
        cursor.execute(sql, [*names, user, *([user if item == "user" else now for item in moments])])
        rows = cursor.fetchall()
    groups, version, state, found = set(), 0, "", []
    for row in rows:
        if row[0] == "mine":
            groups.add(row[9])
        elif row[0] == "state":
            version, state = row[2], row[4]
        else:
            found.append(row)
    if not found:
        return Policy((), frozenset(groups), version, state)
    roles = roles_at(state)
    rules = tuple(rule for row in found if (role := roles.get(row[7])) is not None for rule in (rule_of(row, role),))
    ends = [moment_of(row[11]) for row in found if row[11] is not None]
    return Policy(rules, frozenset(groups), version, state, min(ends, default=None))


def moment_of(value: Any) -> datetime:
    """A moment as a cursor gives it: SQLite has texts, in UTC."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def rule_of(row: tuple[Any, ...], role: Role) -> Rule:
    """A row of the query as a rule."""
    table, level, identity, scope, namespace, project, leaf, _, effect, via, conditions, _ = row
    return Rule(
        effect=effect,
        level=level,
        place=place_at(level, namespace, project or "", leaf),
        role=role,
        via=via,
        is_own=table == "user" or names_one_subject(via),
        table=table,
        row=identity,
        scope=scope,
        conditions=conditions_of(conditions) if conditions else (),
    )


def place_at(level: Level, namespace: str, project: str, leaf: str) -> Place:
    """The place of a scope object, from its names."""
    match level:
        case "cluster":
            return Place()
        case "namespace":
            return Place(leaf)
        case "project":
            return Place(namespace, leaf)
        case "component":
            return Place(namespace, project, component=leaf)
    return Place(namespace, project, resource=leaf)


@lru_cache(maxsize=1024)
def conditions_of(text: str) -> tuple[Condition, ...]:
    """The stored conditions of an exception."""
    return tuple(
        Condition(tuple(item["actions"]), item["expression"], frozen(item["tree"])) for item in json.loads(text)
    )


@lru_cache(maxsize=32)
def load_sql(vendor: str, names: int) -> tuple[str, tuple[str, ...]]:
    """The query, and what each parameter behind the names and the user is: "user" or "now".

    Columns: table, level, row, scope, namespace, project, name, permission, effect, via, conditions, end.
    """
    quote = connection.ops.quote_name
    group, members = Group._meta.db_table, User.groups.through._meta.db_table  # type: ignore[attr-defined]
    state = quote(tables().state._meta.db_table)
    no_end = "CAST(NULL AS timestamp with time zone)" if vendor == "postgresql" else "NULL"
    parts = [
        f"SELECT 'mine', '', id, 0, '', '', '', 0, '', name, '', {no_end} FROM mine",  # noqa: S608
        f"SELECT 'state', '', version, 0, CAST(roles AS TEXT), '', '', 0, '', '', '', {no_end} FROM {state}",  # noqa: S608
    ]
    parameters: list[str] = []
    for level in tables().levels:
        scope, columns = scope_columns(level)
        user_table, group_table = (quote(model._meta.db_table) for model in (level.user_grants, level.group_grants))
        exceptions = quote(tables().exceptions._meta.db_table)
        own_key = f"t.{level.level}_id"
        lasts = "(t.expires_at IS NULL OR t.expires_at > %s)"
        given, excepted = scope.format("t.content_object_id"), scope.format(own_key)
        start, ends = f"'{level.level}', t.id", "t.expires_at"
        # Only names of our own tables and columns are put together here.
        parts += [
            f"SELECT 'group', {start}, t.content_object_id, {columns}, t.permission_id, 'allow', mine.name, '', {ends}"  # noqa: S608
            f" FROM mine JOIN {group_table} t ON t.group_id = mine.id {given} WHERE {lasts}",
            f"SELECT 'user', {start}, t.content_object_id, {columns}, t.permission_id, 'allow', '', '', {ends}"  # noqa: S608
            f" FROM {user_table} t {given} WHERE t.user_id = %s AND {lasts}",
            f"SELECT 'exception', {start}, {own_key}, {columns}, t.permission_id, t.effect,"  # noqa: S608
            f" mine.name, CAST(t.conditions AS TEXT), {ends} FROM mine JOIN {exceptions} t ON t.group_id = mine.id"
            f" {excepted} WHERE {own_key} IS NOT NULL AND {lasts}",
        ]
        parameters += ["now", "user", "now", "now"]
    marks = ", ".join(["%s"] * names)
    mine = (
        f"SELECT g.id, g.name FROM {quote(group)} g WHERE g.name IN ({marks}) UNION"  # noqa: S608
        f" SELECT g.id, g.name FROM {quote(group)} g JOIN {quote(members)} m ON m.group_id = g.id WHERE m.user_id = %s"
    )
    return f"WITH mine AS ({mine}) " + " UNION ALL ".join(parts), tuple(parameters)


def scope_columns(level: LevelTables) -> tuple[str, str]:
    """The joins that name a scope object, with a place for its key, and the three columns: namespace, project, name."""
    quote = connection.ops.quote_name
    scope = quote(level.scope._meta.db_table)
    match level.level:
        case "cluster":
            return "", "'', '', ''"
        case "namespace":
            return f"JOIN {scope} s ON s.id = {{0}}", "'', '', s.name"
        case "project":
            return f"JOIN {scope} s ON s.id = {{0}}", "s.namespace, '', s.name"
    project = quote(tables().at("project").scope._meta.db_table)
    join = f"JOIN {scope} s ON s.id = {{0}} LEFT JOIN {project} p ON p.id = s.project_id"
    return join, "s.namespace, p.name, s.name"


_roles: dict[str, Mapping[int, Role]] = {}


def roles_at(state: str) -> Mapping[int, Role]:
    """The meaning of every permission, read anew after each change of a role: two queries and the roles."""
    key = str(UUID(state))
    if key not in _roles:
        fresh = read_roles()
        _roles.clear()
        _roles[key] = fresh
    return _roles[key]


def read_roles() -> dict[int, Role]:
    """Permissions end in an action (`project|component:view`) or in a role's key (`project|authzrole#12`)."""
    roles = tables().roles()
    models = [level.scope for level in tables().levels]
    types = ContentType.objects.get_for_models(*models).values()
    found = {}
    for identity, codename in Permission.objects.filter(content_type__in=types).values_list("pk", "codename"):
        _, bar, meaning = codename.partition("|")
        if not bar:
            continue  # Django's own: add, change, delete, view
        if meaning in roles:
            found[identity] = roles[meaning]
        elif action_named(meaning) is not None:  # nothing else: whoever makes up `component|*` has nothing
            found[identity] = Role(meaning, (meaning,))
    return found
