"""Whether a column is one of many values, as each database finds out quickest.

PostgreSQL gets the values as one array, and plans the same for two as for ten thousand; a list of as many placeholders
takes it eight times as long. SQLite gets placeholders for few values and a JSON array for many, of which it makes a
table of its own. A column without a value is none of them, also where the condition is turned round.
"""

from __future__ import annotations

from typing import Any

import orjson
from django.db.models import F, Lookup, Q

PLACEHOLDERS_MAX = 2000


class OneOf(Lookup):  # type: ignore[type-arg]
    """`column = ANY(values)`; the values are keys or names."""

    lookup_name = "one_of"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any, **_: Any) -> tuple[str, list[Any]]:
        column, parameters = self.process_lhs(compiler, connection)
        values = list(self.rhs)
        if connection.vendor == "postgresql" and isinstance(values[0], int):
            # One text for all: quoting thousands of numbers one by one takes longer than the query.
            found, given = f"{column} = ANY(CAST(%s AS bigint[]))", [f"{{{','.join(map(str, values))}}}"]
        elif connection.vendor == "postgresql":
            found, given = f"{column} = ANY(%s)", [values]
        elif len(values) > PLACEHOLDERS_MAX:
            found = f"{column} IN (SELECT value FROM json_each(%s))"  # noqa: S608 - our own column
            given = [orjson.dumps(values).decode()]
        else:
            found, given = f"{column} IN ({', '.join(['%s'] * len(values))})", values
        # Without the second half, "not one of them" would be unknown for an empty column, and so not true.
        return f"({found} AND {column} IS NOT NULL)", [*parameters, *given, *parameters]


def one_of(column: str, values: Any) -> Q:
    """The rows whose column is one of the values; none for no values."""
    found = sorted(set(values))
    return Q(OneOf(F(column), found)) if found else Q(pk__in=[])
