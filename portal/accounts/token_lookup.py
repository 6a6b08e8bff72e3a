"""The row of an access token with the accounts behind it: the one query that every request makes.

Django takes longer to write this statement than the database to answer it, so its text is made once and kept. The
objects come out as Django makes them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import connection
from django.db.models.query import get_related_populators

from portal.accounts.models import AccessToken

BEHIND = ("user", "user__owner", "on_behalf_of")


class Statement(NamedTuple):
    """`converters` by column: what turns a value of the database into Python's, with the expression they are called
    with. `start` and `end` bound the token's own columns, `names` are their fields."""

    sql: str
    converters: dict[int, tuple[list[Callable[..., Any]], Any]]
    names: list[str]
    start: int
    end: int
    populators: list[Any]


def token_by_digest(digest: str) -> AccessToken | None:
    """The token with its user, the user's owner and whom it acts for; None if there is none."""
    statement = prepared(connection.alias)
    with connection.cursor() as cursor:
        cursor.execute(statement.sql, [digest])
        found = cursor.fetchone()
    if found is None:
        return None
    row = list(found)
    for column, (converters, expression) in statement.converters.items():
        for convert in converters:
            row[column] = convert(row[column], expression, connection)
    token: AccessToken = AccessToken.from_db(connection.alias, statement.names, row[statement.start : statement.end])
    for populator in statement.populators:
        populator.populate(row, token)
    return token


@lru_cache(maxsize=4)
def prepared(alias: str) -> Statement:
    """The statement as Django writes it for this database."""
    query = AccessToken.objects.select_related(*BEHIND).filter(digest="").order_by().query
    compiler = query.get_compiler(alias)
    sql, _ = compiler.as_sql()
    columns = compiler.klass_info["select_fields"]
    return Statement(
        sql=sql,
        converters=compiler.get_converters([expression for expression, _, _ in compiler.select]),
        names=[compiler.select[column][0].target.attname for column in columns],
        start=columns[0],
        end=columns[-1] + 1,
        populators=get_related_populators(compiler.klass_info, compiler.select, alias),
    )
