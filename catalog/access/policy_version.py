"""The version of the policy moves with everything that says who may do what, whoever changes it and by which means.

Bindings and roles are written through the store, which counts them. Grants by hand, members of groups and people are
also changed by guardian's and Django's own tools, in bulk, by scripts and by hand in SQL; so the database itself counts
these, by triggers: `version` is another after each statement that has changed a row. So it is with access tokens: what
a process keeps of them ends with the version. The triggers are made after each `migrate`. On SQLite they are taken away
before it, because it changes a table by making another of its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from django.contrib.auth.models import Group
from django.db import connection as default_connection
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from catalog.access.models import GRANTS, PolicyException, PolicyState
from portal.accounts.models import AccessToken, User

PREFIX = "policy_version"
FUNCTION, ROW_FUNCTION = f"{PREFIX}_of_rows", f"{PREFIX}_of_row"
SAYS_WHO = (
    "is_active", "is_superuser", "principal_kind", "disabled_at", "expires_at", "owner_id",
    "username", "issuer", "subject",
)  # fmt: skip
"""Columns of a user that rights depend on, as far as there are such."""
SAYS_NOTHING = ("name", "last_used_at")
"""Columns of an access token that nothing depends on."""


def counted_tables() -> list[str]:
    """The tables of which every row counts."""
    grants = [model for models in GRANTS.values() for model in models]
    members: Any = User.groups.through  # type: ignore[attr-defined]
    return [model._meta.db_table for model in (*grants, PolicyException, members)]


def counted_columns() -> dict[str, list[str]]:
    """The tables of which some columns count, when they change."""
    people = [field.column for field in User._meta.concrete_fields if field.column in SAYS_WHO]
    tokens = [field.column for field in AccessToken._meta.concrete_fields if field.column not in SAYS_NOTHING]
    return {User._meta.db_table: people, Group._meta.db_table: ["name"], AccessToken._meta.db_table: tokens}


def definitions(vendor: str, quote: Any) -> Iterator[tuple[str, str, str]]:
    """The triggers: table, operation, and what follows both in the SQL."""
    state = quote(PolicyState._meta.db_table)
    count = f"BEGIN UPDATE {state} SET version = version + 1 WHERE id = {PolicyState.THE_ROW}; END"  # noqa: S608
    is_postgresql = vendor == "postgresql"
    operations = (("INSERT", "NEW"), ("UPDATE", "NEW"), ("DELETE", "OLD"))
    of_rows = [(table, *operation) for table in counted_tables() for operation in operations]
    for table, operation, rows in (*of_rows, (AccessToken._meta.db_table, "DELETE", "OLD")):
        each = f"REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION {FUNCTION}()"
        yield table, operation, each if is_postgresql else count
    differs = "IS DISTINCT FROM" if is_postgresql else "IS NOT"
    for table, columns in counted_columns().items():
        when = " OR ".join(f"OLD.{quote(column)} {differs} NEW.{quote(column)}" for column in columns)
        then = f"EXECUTE FUNCTION {ROW_FUNCTION}()" if is_postgresql else count
        yield table, "UPDATE", f"FOR EACH ROW WHEN ({when}) {then}"


def statements(connection: BaseDatabaseWrapper) -> Iterator[tuple[str, str]]:
    """The triggers as pairs of name and SQL, for the tables that there are. A name ends in the hash of what it does."""
    quote = connection.ops.quote_name
    present = set(connection.introspection.table_names())
    for table, operation, body in definitions(connection.vendor, quote):
        if table in present:
            name = f"{PREFIX}_{table}_{operation.lower()}_{sha256(body.encode()).hexdigest()[:6]}"
            yield name, f"CREATE TRIGGER {quote(name)} AFTER {operation} ON {quote(table)} {body}"


def functions(quote: Any) -> Iterator[str]:
    """What PostgreSQL's triggers call: a statement that changed no row counts nothing."""
    state = quote(PolicyState._meta.db_table)
    count = f"UPDATE {state} SET version = version + 1 WHERE id = {PolicyState.THE_ROW};"  # noqa: S608 - our own names
    some = f"IF EXISTS (SELECT 1 FROM changed) THEN {count} END IF;"  # noqa: S608
    for name, body in ((FUNCTION, some), (ROW_FUNCTION, count)):
        start = f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS"
        yield f"{start} $$ BEGIN {body} RETURN NULL; END $$ LANGUAGE plpgsql"


def install(using: str) -> None:
    """Make the triggers that are missing, and drop those that are no longer wanted. Nothing is locked if all is so."""
    connection = connections[using]
    wanted = dict(statements(connection))
    held = installed(connection)
    drop(connection, {name: table for name, table in held.items() if name not in wanted})
    missing = [sql for name, sql in wanted.items() if name not in held]
    with connection.cursor() as cursor:
        for sql in functions(connection.ops.quote_name) if missing and connection.vendor == "postgresql" else ():
            cursor.execute(sql)
        for sql in missing:
            cursor.execute(sql)


def is_counted() -> bool:
    """Whether every trigger is there: an installation whose code is newer than its last `migrate` may lack some."""
    return {name for name, _ in statements(default_connection)} <= installed(default_connection).keys()


def installed(connection: BaseDatabaseWrapper) -> dict[str, str]:
    """The triggers that are there, by name, each with its table."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                " WHERE NOT t.tgisinternal AND pg_table_is_visible(c.oid) AND t.tgname LIKE %s",
                [f"{PREFIX}_%"],
            )
        else:
            cursor.execute(
                "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s", [f"{PREFIX}_%"]
            )
        return dict(cursor.fetchall())


def make_way(using: str) -> None:
    """Before tables change: SQLite cannot rename a table while a trigger speaks of one that is not there."""
    connection = connections[using]
    if connection.vendor == "sqlite":
        drop(connection, installed(connection))


def drop(connection: BaseDatabaseWrapper, triggers: Mapping[str, str]) -> None:
    """Drop triggers, by name and table."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for name, table in triggers.items():
            on = f" ON {quote(table)}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER {quote(name)}{on}")
