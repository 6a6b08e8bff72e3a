"""The inverse of `portal.access.policy`: for one action at one place, all rows that speak of it, whoever they are for.

Only the scope objects at the place and around it are looked at, by their names, and only permissions that cover the
action: three queries a level, whatever the number of objects and users.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils import timezone

from portal.access.actions import any_covers
from portal.access.condition import Condition, frozen
from portal.access.place import Place
from portal.access.policy import place_at, roles_at
from portal.access.rules import Role, Rule
from portal.access.subject import names_one_subject
from portal.access.tables import LevelTables, tables

REASON = "who may do something at a place, asked by somebody with the right to know"


@dataclass
class Around:
    """The rules at a place and around it that speak of an action, by whom they are for."""

    by_group: dict[str, list[Rule]] = field(default_factory=lambda: defaultdict(list))
    by_user: dict[int, list[Rule]] = field(default_factory=lambda: defaultdict(list))
    group_ids: dict[str, int] = field(default_factory=dict)


def rules_around(action: str, place: Place) -> Around:
    """Every row at the place and around it that speaks of the action and has not ended."""
    roles = {identity: role for identity, role in current_roles().items() if any_covers(role.patterns, action)}
    found = Around()
    for level in tables().levels:
        for row in rows_of(level, place, sorted(roles)):
            rule = rule_of(level, row, roles[row["permission"]])
            if not rule.place.contains(place):
                continue
            if rule.table == "user":
                found.by_user[row["holder"]].append(rule)
            else:
                found.by_group[rule.via].append(rule)
                found.group_ids[rule.via] = row["holder"]
    return found


def current_roles() -> Mapping[int, Role]:
    """What each permission stands for now."""
    rows = opened(tables().state).values_list("roles", flat=True)
    state = rows.first()
    return {} if state is None else roles_at(str(state))


def rows_of(level: LevelTables, place: Place, permissions: list[int]) -> Iterator[dict[str, Any]]:
    """The rows of a level's three tables on the one scope object that holds the place."""
    where = scope_names(level, place)
    if where is None or not permissions:
        return
    for table, model in (
        ("group", level.group_grants),
        ("user", level.user_grants),
        ("exception", tables().exceptions),
    ):
        scope = level.level if table == "exception" else "content_object"
        columns = {"row": "pk", "permission": "permission_id", "scope": f"{scope}_id"}
        columns["holder"] = "user_id" if table == "user" else "group_id"
        if table != "user":
            columns["via"] = "group__name"
        if table == "exception":
            columns |= {"effect": "effect", "conditions": "conditions"}
        columns |= {name: f"{scope}__{column}" for name, column in name_columns(level).items()}
        rows = opened(model).filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()),
            permission_id__in=permissions,
            **{f"{scope}__isnull": False},
            **{f"{scope}__{column}": name for column, name in where.items()},
        )
        for values in rows.values_list(*columns.values()):
            yield {"table": table, **dict(zip(columns, values, strict=True))}


def opened(model: Any) -> Any:
    """The rows of a table, through its door if it has one."""
    rows = model.objects
    return rows.system(REASON) if hasattr(rows, "system") else rows.all()


def scope_names(level: LevelTables, place: Place) -> dict[str, str] | None:
    """The names of a level's scope object that holds the place; None if there can be none."""
    if level.level == "cluster":
        return {}
    if level.level == "namespace":
        return {"name": place.namespace} if place.namespace else None
    name = getattr(place, level.level)
    return {"namespace_id": place.namespace, "name": name} if place.namespace and name else None


def name_columns(level: LevelTables) -> dict[str, str]:
    """The columns that name a scope object."""
    match level.level:
        case "cluster":
            return {}
        case "namespace":
            return {"leaf": "name"}
        case "project":
            return {"namespace": "namespace_id", "leaf": "name"}
    return {"namespace": "namespace_id", "project": "project__name", "leaf": "name"}


def rule_of(level: LevelTables, row: Mapping[str, Any], role: Role) -> Rule:
    """A row as a rule, the same as `policy` makes of it."""
    via = row.get("via", "")
    return Rule(
        effect=row.get("effect", "allow"),
        level=level.level,
        place=place_at(level.level, row.get("namespace", ""), row.get("project") or "", row.get("leaf", "")),
        role=role,
        via=via,
        is_own=row["table"] == "user" or names_one_subject(via),
        table=row["table"],
        row=row["row"],
        scope=row["scope"],
        conditions=tuple(
            Condition(tuple(item["actions"]), item["expression"], frozen(item["tree"]))
            for item in row.get("conditions", ())
        ),
    )
