"""Label selectors in SQL: one condition for each requirement, the same on SQLite and PostgreSQL.

Django's own JSON lookups read a label called "1" as a list index and know no path with dots or slashes on every
database, so the two small expressions below ask for one label by its whole name.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from django.db.models import BooleanField, F, Func, Q, TextField, Value
from django.db.models.lookups import IsNull

from portal.wire.selectors import Requirement


class LabelValue(Func):
    """The value of one label of a row as text, NULL where the row has no such label."""

    arity = 2
    output_field = TextField()

    def __init__(self, key: str) -> None:
        super().__init__(F("labels"), Value(key))
        self.key = key

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:
        column, parameters = compiler.compile(self.source_expressions[0])
        return f"JSON_EXTRACT({column}, %s)", [*parameters, f'$."{self.key}"']

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:
        column, parameters = compiler.compile(self.source_expressions[0])
        return f"({column} ->> %s)", [*parameters, self.key]


class LabelIs(Func):
    """Whether a row has a label of that value. PostgreSQL has an index for it (`catalog.store.indexes`)."""

    arity = 1
    output_field = BooleanField()

    def __init__(self, key: str, value: str) -> None:
        super().__init__(F("labels"))
        self.key, self.value = key, value

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:
        column, parameters = compiler.compile(self.source_expressions[0])
        return f"(JSON_EXTRACT({column}, %s) = %s)", [*parameters, f'$."{self.key}"', self.value]

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:
        column, parameters = compiler.compile(self.source_expressions[0])
        return f"({column} @> CAST(%s AS jsonb))", [*parameters, orjson.dumps({self.key: self.value}).decode()]


class LabelCompares(Func):
    """Whether a label is a whole number above (or below) another. Labels that are no numbers never are."""

    arity = 2
    output_field = BooleanField()

    def __init__(self, key: str, sign: str, number: int) -> None:
        super().__init__(LabelValue(key), Value(number))
        self.sign = sign

    def as_sqlite(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:
        value, parameters = compiler.compile(self.source_expressions[0])
        number, number_parameters = compiler.compile(self.source_expressions[1])
        sql = (
            f"(CASE WHEN {value} NOT GLOB '*[^0-9]*' AND LENGTH({value}) BETWEEN 1 AND 18"
            f" THEN CAST({value} AS INTEGER) {self.sign} {number} ELSE 0 END)"
        )
        return sql, [*parameters, *parameters, *parameters, *number_parameters]

    def as_postgresql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:
        value, parameters = compiler.compile(self.source_expressions[0])
        number, number_parameters = compiler.compile(self.source_expressions[1])
        sql = (
            f"(CASE WHEN {value} ~ '^[0-9]{{1,18}}$' THEN CAST({value} AS BIGINT) {self.sign} {number} ELSE FALSE END)"
        )
        return sql, [*parameters, *parameters, *number_parameters]


def condition_of(requirement: Requirement) -> Any:
    """The condition on rows with a `labels` column that a requirement stands for."""
    value = LabelValue(requirement.key)
    match requirement.operator:
        case "exists":
            return IsNull(value, False)
        case "absent":
            return IsNull(value, True)
        case "in":
            return one_of(requirement)
        case "notin":
            # Two conditions, because NOT of a comparison with NULL is not true in SQL.
            return Q(IsNull(value, True)) | ~Q(one_of(requirement))
    sign = ">" if requirement.operator == "gt" else "<"
    return LabelCompares(requirement.key, sign, int(requirement.values[0]))


def one_of(requirement: Requirement) -> Q:
    """The label has one of the values."""
    condition = Q()
    for wanted in requirement.values:
        condition |= Q(LabelIs(requirement.key, wanted))
    return condition


def filter_by_labels(rows: Any, requirements: Iterable[Requirement]) -> Any:
    """The rows that meet every requirement."""
    for requirement in requirements:
        rows = rows.filter(condition_of(requirement))
    return rows
