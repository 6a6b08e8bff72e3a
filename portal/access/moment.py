"""The name of what everybody's rights are at this moment: the version that the database moves with each change of who
may do what, or of who somebody is, and the random name of what the roles are.

Whatever a process keeps of rights or of credentials is kept with the moment at which it was read, and counts for as
long as the database still names that one. Asking costs the shortest query that there is.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection, connections

from portal.access.tables import tables


class Moment(NamedTuple):
    """`roles` is a UUID in whichever form the database writes it."""

    version: int
    roles: str


def moment_now(lock: str = "") -> Moment | None:
    """The moment that it is, None where nothing has been installed. One query; `lock` is what to add to it."""
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute(question() + lock)
        row = cursor.fetchone()
    return None if row is None else Moment(*row)


@cache
def question() -> str:
    table = connection.ops.quote_name(tables().state._meta.db_table)
    return f"SELECT version, CAST(roles AS TEXT) FROM {table} WHERE id = 1"  # noqa: S608 - our own name
