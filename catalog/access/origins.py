"""Where stored grants come from: the mappings of bindings behind them, or somebody's hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db.models import Q

from catalog.access.models import GRANTS, CompiledMapping
from portal.access.rules import Rule
from portal.access.tables import MappingOrigin, Origins

State = CompiledMapping.State


def origins_of(rules: Iterable[Rule]) -> Mapping[tuple[str, str, int], Origins]:
    """What each rule comes from, by `Rule.key`. One query for the mappings, and one for each level for hands."""
    rules = list(rules)
    mappings = mappings_behind([rule for rule in rules if rule.table != "user"])
    manual = {rule.key for rule in rules if rule.table == "user"} | by_hand(rules)
    return {rule.key: Origins(tuple(mappings[rule.key]), rule.key in manual) for rule in rules}


def mappings_behind(rules: Iterable[Rule]) -> dict[tuple[str, str, int], list[MappingOrigin]]:
    """The mappings of some rows, in a fixed order."""
    rows: dict[tuple[str, str], set[int]] = defaultdict(set)
    for rule in rules:
        rows[rule.table, rule.level].add(rule.row)
    found: dict[tuple[str, str, int], list[MappingOrigin]] = defaultdict(list)
    if not rows:
        return found
    wanted = Q()
    for (table, level), keys in rows.items():
        wanted |= Q(level=level, state=state_of(table), grant_row__in=sorted(keys))
    compiled = CompiledMapping.objects.system("explanations name the bindings behind a decision").filter(wanted)
    for row in compiled.order_by("binding_kind", "binding_namespace", "binding_name", "position"):
        table = "exception" if row.state == State.EXCEPTION else "group"
        origin = MappingOrigin(row.binding_kind, row.binding_namespace, row.binding_name, row.position)
        found[table, row.level, row.grant_row or 0].append(origin)
    return found


def state_of(table: str) -> str:
    return State.EXCEPTION if table == "exception" else State.GRANTED


def by_hand(rules: Iterable[Rule]) -> set[tuple[str, str, int]]:
    """Those rows of groups that somebody gave by hand, whatever bindings say."""
    rows: dict[str, set[int]] = defaultdict(set)
    for rule in rules:
        if rule.table == "group":
            rows[rule.level].add(rule.row)
    found: set[tuple[str, str, int]] = set()
    for level, keys in rows.items():
        _, model = GRANTS[level]
        manual = model._default_manager.filter(pk__in=keys, is_manual=True).values_list("pk", flat=True)
        found |= {("group", level, key) for key in manual}
    return found
