"""What lists of many objects need on PostgreSQL beside what the models say; made after each `migrate`, so that new
kinds have it too.

Names are in the order of their bytes, as the reference's store keeps its keys. A database sorts by its own collation,
which may put "a-b" behind "ab"; lists therefore ask for the order of bytes. Where the column has that order itself, the
index that makes names unique gives a page without sorting: of 100,000 objects in a millisecond, where sorting them
takes a hundred and more. And labels have an index by their values, for selectors that few objects or none meet.

SQLite compares bytes anyway, and looks through the labels of 100,000 objects in 28 ms at most.
"""

from __future__ import annotations

from django.db import connections

from catalog.kinds.registry import KINDS

COLLATION = "C"


def prepare_for_lists(using: str) -> None:
    """Do what is missing; nothing is locked where all is there."""
    if connections[using].vendor == "postgresql":
        order_by_bytes(using)
        index_labels(using)


def order_by_bytes(using: str) -> None:
    """Give the names of all kinds in namespaces the order of bytes."""
    connection = connections[using]
    quote = connection.ops.quote_name
    tables = {model._meta.db_table: model for model in KINDS if model.namespaced}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns WHERE table_schema = current_schema()"
            " AND column_name = 'name' AND collation_name IS DISTINCT FROM %s AND table_name = ANY(%s)",
            [COLLATION, list(tables)],
        )
        for (table,) in cursor.fetchall():
            kind = tables[table]._meta.get_field("name").db_type(connection)
            cursor.execute(
                f"ALTER TABLE {quote(table)} ALTER COLUMN {quote('name')} TYPE {kind} COLLATE {quote(COLLATION)}"
            )


def index_labels(using: str) -> None:
    """Give the labels of all kinds in namespaces an index of their values."""
    connection = connections[using]
    quote = connection.ops.quote_name
    wanted = {f"labels_of_{model._meta.model_name}": model._meta.db_table for model in KINDS if model.namespaced}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND indexname = ANY(%s)",
            [list(wanted)],
        )
        for name in wanted.keys() - {row[0] for row in cursor.fetchall()}:
            table = quote(wanted[name])
            cursor.execute(f"CREATE INDEX {quote(name)} ON {table} USING gin (labels jsonb_path_ops)")
