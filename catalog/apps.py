"""The catalog application: wires the change feed to the reconcilers when Django starts."""

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = "Catalog"

    def ready(self) -> None:
        from django.conf import settings

        from catalog import audit_trail
        from catalog.compiler.cel.budget import set_default_budget
        from catalog.controllers import registry
        from catalog.delivery import health_models
        from catalog.releases import order
        from catalog.secrets import keeping
        from catalog.store.changes import listen
        from portal.mcp.registry import TOOLS

        set_default_budget(settings.CEL_BUDGET)
        registry.connect()
        audit_trail.connect()
        health_models.connect()
        TOOLS.add_module("catalog.mcp")
        listen(keeping.forget_values)
        listen(order.require_order)
        connect_access()
        pre_migrate.connect(make_way_for_migrations, sender=self)
        post_migrate.connect(prepare_permissions, sender=self)
        post_migrate.connect(ensure_default_namespace, sender=self)
        post_migrate.connect(health_models.prepare, sender=self)


def connect_access() -> None:
    """Permissions: what there is to protect, and grants that follow roles and bindings."""
    from catalog.access import as_of, compile, hierarchy, journal, permissions
    from catalog.access.models import GrantUse
    from catalog.store.changes import listen
    from portal.access import usage

    permissions.use_tables(as_of.rights_at)
    journal.connect()
    hierarchy.describe_kinds()
    usage.keep_in(GrantUse)
    listen(compile.on_change)


def make_way_for_migrations(using: str, plan: Any = (), **_: Any) -> None:
    """Triggers stand in the way of some changes of tables."""
    from catalog.access import policy_version

    if plan:
        policy_version.make_way(using)


def prepare_permissions(using: str, **_: Any) -> None:
    """Permissions that can be given by hand exist from the start, and the database counts changes of rights."""
    from catalog.access import policy_version
    from catalog.access.models import PolicyState
    from catalog.access.permissions import ensure_permissions
    from catalog.store.indexes import prepare_for_lists

    if PolicyState._meta.db_table in connections[using].introspection.table_names():
        ensure_permissions()
        policy_version.install(using)
        prepare_for_lists(using)


def ensure_default_namespace(using: str, **_: Any) -> None:
    """There is always a namespace `default`, as in any cluster: documents that name none belong to it."""
    from catalog import store
    from catalog.kinds.namespace import Namespace
    from portal.accounts.actor import system

    if Namespace._meta.db_table not in connections[using].introspection.table_names():
        return  # migrated back to nothing
    if store.get_or_none("Namespace", "", "default") is None:
        document = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
        store.create(document, system("installation", surface="cli"))
