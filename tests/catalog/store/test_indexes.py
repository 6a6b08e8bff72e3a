"""Lists are in the order of the names' bytes, and the database has that order at hand."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from catalog.api.label_filter import filter_by_labels
from catalog.api.listing import page_statement
from catalog.kinds.component import Component
from catalog.kinds.registry import KINDS
from catalog.store.indexes import index_labels, order_by_bytes
from portal.prepared import as_given
from portal.wire.selectors import parse_selector
from tests.factories import ComponentFactory, NamespaceFactory, ProjectFactory

pytestmark = pytest.mark.django_db
only_postgresql = pytest.mark.skipif(
    "'sqlite' in __import__('django.conf').conf.settings.DATABASES['default']['ENGINE']",
    reason="SQLite compares bytes anyway",
)


def page(limit: int = 10) -> list[Any]:
    return as_given(page_statement(Component, limit, False), {"namespace": "default", "after": ""})


def test_a_page_is_in_the_order_of_bytes() -> None:
    NamespaceFactory()
    ProjectFactory(name="shop")
    for name in ("ab", "a-b", "a.b", "a0", "a"):
        ComponentFactory(name=name, project="shop")

    assert [row[0] for row in page()] == ["a", "a-b", "a.b", "a0", "ab"]


@only_postgresql
def test_postgresql_reads_a_page_from_the_index_that_makes_names_unique() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + page_statement(Component, 10, True), {"namespace": "default", "after": "a"})
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "unique_component" in plan
    assert "Sort" not in plan


@only_postgresql
def test_every_kind_in_namespaces_has_the_order_and_is_given_it_once(django_assert_num_queries: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute('ALTER TABLE catalog_component ALTER COLUMN name TYPE varchar(253) COLLATE "default"')
    order_by_bytes("default")
    with django_assert_num_queries(1):
        order_by_bytes("default")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM information_schema.columns WHERE column_name = 'name' AND collation_name = 'C'"
            " AND table_name = ANY(%s)",
            [[model._meta.db_table for model in KINDS if model.namespaced]],
        )
        assert cursor.fetchone() == (sum(model.namespaced for model in KINDS),)


@only_postgresql
def test_a_selector_that_little_meets_goes_by_an_index(django_assert_num_queries: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX labels_of_component")
    index_labels("default")
    with django_assert_num_queries(1):
        index_labels("default")
    rows = filter_by_labels(Component.objects.system("test"), parse_selector("team in (blue, red)"))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "labels_of_component" in rows.order_by().explain()
