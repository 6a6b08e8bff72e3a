"""The table of events on PostgreSQL: one partition a month, so that dropping a month costs nothing.

A default partition takes what falls outside, so no event is ever refused for want of a partition.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from django.db import migrations

TABLE = "audit_auditevent"
DEFAULT = f"{TABLE}_rest"
NAME = re.compile(rf"{TABLE}_y(\d{{4}})m(\d{{2}})")
MONTHS_AHEAD = 2

GUARD_POSTGRESQL = f"""
CREATE FUNCTION {TABLE}_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.seal IS NULL AND NEW.seal IS NOT NULL
       AND to_jsonb(NEW) - 'seal' - 'hash' = to_jsonb(OLD) - 'seal' - 'hash' THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'TRUNCATE' AND current_setting('stagecraft.audit_may_truncate', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'audit events are never changed or deleted';
END $$;
CREATE TRIGGER {TABLE}_rows BEFORE UPDATE OR DELETE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION {TABLE}_guard();
CREATE TRIGGER {TABLE}_all BEFORE TRUNCATE ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION {TABLE}_guard();
"""


class CreatePartitionedEvents(migrations.CreateModel):
    """Django's CreateModel, with the table partitioned where the database can, and guarded against changes."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        model = to_state.apps.get_model(app_label, self.name)
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            schema_editor.execute(guard_of_sqlite(model))
            return
        sql, parameters = schema_editor.table_sql(model)
        # A partitioned table's key must hold what it is partitioned by.
        body = sql.replace(" PRIMARY KEY", "").rstrip().removesuffix(")")
        schema_editor.execute(
            f'{body}, PRIMARY KEY ("id", "recorded_at")) PARTITION BY RANGE ("recorded_at")', parameters or None
        )
        schema_editor.execute(f"CREATE TABLE {DEFAULT} PARTITION OF {TABLE} DEFAULT")
        schema_editor.execute(GUARD_POSTGRESQL.replace("%", "%%"))
        schema_editor.deferred_sql.extend(schema_editor._model_indexes_sql(model))
        with schema_editor.connection.cursor() as cursor:
            ensure_partitions(cursor)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        super().database_backwards(app_label, schema_editor, from_state, to_state)
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP FUNCTION {TABLE}_guard()")


def guard_of_sqlite(model: Any) -> str:
    """A trigger that lets an event be sealed once and changed never. Deletion is what retention does there."""
    columns = [field.column for field in model._meta.concrete_fields if field.name not in ("seal", "hash")]
    changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in columns)
    return (
        f"CREATE TRIGGER {TABLE}_rows BEFORE UPDATE ON {TABLE} WHEN OLD.seal IS NOT NULL OR {changed} "
        "BEGIN SELECT RAISE(ABORT, 'audit events are never changed'); END"
    )


def ensure_partitions(cursor: Any) -> None:
    """Make the partitions of this month and the next ones. PostgreSQL only."""
    held = dict(partitions(cursor))
    month = first_of_month(datetime.now(UTC).date())
    for _ in range(MONTHS_AHEAD + 1):
        following = month_after(month)
        if month not in held:
            name = f"{TABLE}_y{month.year:04}m{month.month:02}"
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF {TABLE} "
                f"FOR VALUES FROM ('{month} 00:00:00+00') TO ('{following} 00:00:00+00')"
            )
        month = following


def partitions(cursor: Any) -> Iterator[tuple[date, str]]:
    """The month and the name of each monthly partition."""
    cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass", [TABLE])
    for (name,) in cursor.fetchall():
        found = NAME.fullmatch(name)
        if found:
            yield date(int(found[1]), int(found[2]), 1), name


def first_of_month(day: date) -> date:
    return day.replace(day=1)


def month_after(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def months_before(month: date, number: int) -> date:
    """The first of the month that lies `number` months before."""
    index = month.year * 12 + month.month - 1 - number
    return date(index // 12, index % 12 + 1, 1)
