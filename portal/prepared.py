"""One row by what names it, with the statement written once: for the look-ups that every request makes.

Django takes far longer to write such a statement than the database to answer it, so its text is made once for each
process and kept, with what turns the database's values into Python's. The rows come out as Django makes them.

    by_name = prepare(lambda name: Thing.objects.filter(name=name), "name")
    thing = by_name.row(name="web")

And many rows as the database's driver gives them, for who knows better than Django what their columns are to become.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import QuerySet
from django.db.models.base import ModelState
from django.db.models.query import get_related_populators

Converter = Callable[[Any, Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """`converters` are a column's number, what converts its value, and the expression that this is called with. `start`
    and `end` bound the row's own columns, `fields` are their names; `populators` make the rows that it leads to."""

    model: Any
    sql: str
    converters: tuple[tuple[int, Converter, Any], ...]
    fields: list[str]
    start: int
    end: int
    populators: tuple[Any, ...]

    def row(self, **parameters: Any) -> Any:
        """The row, None if there is none."""
        database = connections[DEFAULT_DB_ALIAS]  # itself: `connection` looks it up for every attribute
        with database.cursor() as cursor:
            cursor.execute(self.sql, parameters)
            found = cursor.fetchone()
        if found is None:
            return None
        values = list(found)
        for column, convert, expression in self.converters:
            values[column] = convert(values[column], expression, database)
        # As `from_db`, without a look at each field of the model: nobody listens to the making of rows. A column that
        # was not asked for is read when it is asked for, as always.
        row = object.__new__(self.model)
        row.__dict__.update(zip(self.fields, values[self.start : self.end], strict=True))
        row._state = state = ModelState()
        state.adding, state.db = False, DEFAULT_DB_ALIAS
        for populator in self.populators:
            populator.populate(values, row)
        return row


def prepare(query: Callable[..., QuerySet[Any]], *parameters: str) -> Prepared:
    """The statement of a query as Django writes it for this database. `query` is called with the name of each parameter
    in the place of its value, so these must be of columns that hold texts."""
    rows = query(*parameters).order_by()
    compiler = rows.query.get_compiler(connection.alias)
    sql, given = compiler.as_sql()
    columns = compiler.klass_info["select_fields"]
    converters = compiler.get_converters([expression for expression, _, _ in compiler.select])
    return Prepared(
        model=rows.model,
        sql=with_names(sql, given),
        converters=tuple(
            (column, convert, expression)
            for column, (found, expression) in sorted(converters.items())
            for convert in found
        ),
        fields=[compiler.select[column][0].target.attname for column in columns],
        start=columns[0],
        end=columns[-1] + 1,
        populators=tuple(get_related_populators(compiler.klass_info, compiler.select, connection.alias)),  # type: ignore[call-arg]
    )


@dataclass(frozen=True, slots=True)
class Statement:
    """A query for some columns. `constants` are those of its parameters that are always the same."""

    sql: str
    constants: dict[str, Any]

    def rows(self, **parameters: Any) -> list[tuple[Any, ...]]:
        """The rows, their values as the driver gives them."""
        return as_given(self.sql, {**self.constants, **parameters})


def statement(query: Callable[..., QuerySet[Any]], *parameters: str) -> Statement:
    """The same for a query with `values_list`; beside the named parameters it may have constants."""
    marks = {f"<{name}>": name for name in parameters}
    rows: Any = query(*marks)
    sql, given = rows.statement() if hasattr(rows, "statement") else rows.query.sql_with_params()
    constants = {f"constant_{place}": value for place, value in enumerate(given) if value not in marks}
    names = [marks.get(value, f"constant_{place}") for place, value in enumerate(given)]
    return Statement(with_names(sql, names), constants)


def with_names(sql: str, names: Sequence[Any]) -> str:
    """A statement whose parameters have these names."""
    return sql % tuple(f"%({name})s" for name in names)


def as_given(sql: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement, their values as the driver gives them."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(sql, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def rows_as_given(rows: Any) -> list[tuple[Any, ...]]:
    """The same of a protected queryset with `values_list`."""
    try:
        return as_given(*rows.statement())
    except EmptyResultSet:
        return []
