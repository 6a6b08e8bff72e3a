"""Protected rows are read through a door, or not at all."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db.models import Count, F, Manager
from guardian.shortcuts import assign_perm, get_objects_for_user, get_perms

from catalog.kinds.component import Component
from catalog.kinds.environment import Environment
from catalog.kinds.namespace import Namespace
from catalog.kinds.project import Project
from catalog.kinds.registry import KINDS
from portal.access.doors import ClosedQuery, ProtectedManager
from portal.access.engine import Access
from portal.accounts.models import User
from tests.catalog.access.conftest import person
from tests.factories import ComponentFactory, NamespaceFactory, ProjectFactory

REPOSITORY = Path(__file__).resolve().parents[3]
LAYERS = ("portal", "catalog", "workflows")
BESIDE_THE_KINDS = {"Revision", "RenderedObject", "Manifest", "AuditEvent", "CompiledMapping", "PolicyException"}

pytestmark = pytest.mark.django_db


@pytest.fixture
def web() -> Any:
    NamespaceFactory()
    ProjectFactory(name="shop")
    return ComponentFactory(name="web", project="shop", type="deployment/service")


def test_every_kind_and_every_record_about_objects_is_protected() -> None:
    protected = {model.__name__ for model in apps.get_models() if isinstance(model._default_manager, ProtectedManager)}
    assert protected >= {model.__name__ for model in KINDS} | BESIDE_THE_KINDS


EVALUATIONS: dict[str, Callable[[Any], Any]] = {
    "list": list,
    "len": len,
    "bool": bool,
    "repr": repr,
    "in": lambda rows: 1 in rows,
    "index": lambda rows: rows[0],
    "stepped slice": lambda rows: rows[0:4:2],
    "get": lambda rows: rows.get(name="web"),
    "first": lambda rows: rows.first(),
    "last": lambda rows: rows.last(),
    "earliest": lambda rows: rows.earliest("pk"),
    "latest": lambda rows: rows.latest("pk"),
    "count": lambda rows: rows.count(),
    "exists": lambda rows: rows.exists(),
    "contains": lambda rows: rows.contains(Component(pk=1)),
    "aggregate": lambda rows: rows.aggregate(many=Count("pk")),
    "annotate": lambda rows: list(rows.annotate(other=F("name"))),
    "values": lambda rows: list(rows.values("name")),
    "values_list": lambda rows: list(rows.values_list("name", flat=True)),
    "only": lambda rows: list(rows.only("name")),
    "dates": lambda rows: list(rows.datetimes("created_at", "year")),
    "iterator": lambda rows: list(rows.iterator()),
    "in_bulk": lambda rows: rows.in_bulk(),
    "in_bulk of ids": lambda rows: rows.in_bulk([1]),
    "explain": lambda rows: rows.explain(),
    "raw": lambda rows: rows.raw("SELECT id FROM catalog_component"),
    "update": lambda rows: rows.update(name="other"),
    "delete": lambda rows: rows.delete(),
    "raw delete": lambda rows: rows._raw_delete(rows.db),
    "create": lambda rows: rows.create(name="other"),
    "get_or_create": lambda rows: rows.get_or_create(name="other"),
    "update_or_create": lambda rows: rows.update_or_create(name="other"),
    "bulk_create": lambda rows: rows.bulk_create([Component(name="other")]),
    "bulk_update": lambda rows: rows.bulk_update([Component(pk=1, name="other")], ["name"]),
    "select_for_update": lambda rows: rows.select_for_update().first(),
    "another's subquery": lambda rows: list(Project.objects.system("test").filter(pk__in=rows.values("project"))),
    "union": lambda rows: list(Component.objects.system("test").values("name").union(rows.values("name"))),
    "union with an open one": lambda rows: list(rows.union(Component.objects.system("test"))),
    "or": lambda rows: list(Component.objects.system("test").filter(name="a") | rows),
    "and": lambda rows: list(rows & Component.objects.system("test")),
}


@pytest.mark.parametrize("evaluate", EVALUATIONS.values(), ids=EVALUATIONS.keys())
@pytest.mark.parametrize("queryset", [lambda: Component.objects.all(), lambda: Component._default_manager.all()])
def test_nothing_is_asked_of_the_database_without_a_door(
    evaluate: Callable[[Any], Any], queryset: Callable[[], Any], django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0), pytest.raises(ClosedQuery, match=r"Component rows without a door.*\.system"):
        evaluate(queryset())


@pytest.mark.parametrize("name", ["get", "count", "exists", "first", "create", "in_bulk"])
def test_neither_is_it_by_the_manager_itself(name: str) -> None:
    with pytest.raises(ClosedQuery):
        getattr(Component.objects, name)()


def test_the_system_gives_its_reason(web: Any) -> None:
    assert [row.name for row in Component.objects.system("test").filter(labels={})] == ["web"]
    with pytest.raises(ValueError, match="reason"):
        Component.objects.system(" ")


def test_a_subject_gets_what_it_may(web: Any) -> None:
    NamespaceFactory(name="other")
    ProjectFactory(name="shop", namespace="other")
    ComponentFactory(name="web", namespace="other", project="shop", type="deployment/service")
    ann = person("ann")
    call_command("rebuild_grants")
    assign_perm("namespace|component:view", ann, Namespace.objects.system("test").get(name="default"))
    access = Access.of(ann)
    assert [str(row) for row in Component.objects.for_subject(access)] == ["default/web"]
    assert [str(row) for row in Component.objects.filter(name="web").for_subject(access, "view")] == ["default/web"]
    assert not Component.objects.for_subject(access, "update").exists()
    assert Component.objects.for_subject(Access.of(person("bob"))).count() == 0


def test_none_needs_no_door(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert list(Component.objects.none()) == [] and Component.objects.none().count() == 0


def test_rows_lead_to_others_and_save_and_delete_themselves(web: Any) -> None:
    assert web.project.name == "shop" and web.project.namespace.name == "default"
    web.refresh_from_db()
    web.save(update_fields=["ready"])
    assert Component.objects.system("test").select_related("project").get().project.name == "shop"
    assert Environment.objects.system("test").count() == 0
    web.delete()
    assert not Component.objects.system("test").exists()


def test_guardian_works_on_single_objects_and_its_lists_stay_closed(web: Any) -> None:
    call_command("rebuild_grants")
    ann = User.objects.create_user("ann")
    assign_perm("component|component:view", ann, web)
    assert get_perms(ann, web) == ["component|component:view"]
    with pytest.raises(ClosedQuery):
        list(get_objects_for_user(ann, "catalog.component|component:view", Component))


def test_a_managers_class_is_what_related_rows_are_read_by() -> None:
    assert isinstance(Component._default_manager, ProtectedManager)
    assert type(Component._base_manager) is Manager  # what Django saves and follows keys by


# The code -------------------------------------------------------------------------------------------------------------

AROUND = {"_base_manager", "RawSQL", "_raw_delete", "Exists", "Subquery", "cursor"}
"""What would lead around the doors."""
MAY_GO_AROUND = {
    "portal/access/doors.py": "closes these",
    "portal/secrets/rotation.py": "encrypts its own columns anew, row by row",
    "catalog/access/grant_listing.py": "correlates grants with their use and their bindings, each through its door",
    "portal/access/policy.py": "reads what one subject has been given: the input of every decision",
    "portal/prepared.py": "asks what its callers' querysets say, each through its door",
    "portal/access/moment.py": "asks whether anybody's rights have changed, and locks that one row",
    "portal/access/usage.py": "notes the use of grants, its own table",
    "catalog/access/policy_version.py": "makes the triggers that count changes of rights",
    "portal/audit/ledger.py": "appends events",
    "portal/audit/partitions.py": "makes partitions",
    "portal/audit/retention.py": "drops partitions",
    "portal/audit/sealing.py": "seals events in one statement, under a lock",
    "portal/audit/tasks.py": "a lock",
    "catalog/api/operations.py": "SELECT 1, for the readiness probe",
    "catalog/controllers/work.py": "the queue's own table",
    "catalog/delivery/rows.py": "writes what a plane has reported onto rows that came through their door",
    "catalog/store/head.py": "listens to the notifications of commits",
    "catalog/store/log.py": "the lock that orders commits",
    "catalog/store/indexes.py": "orders columns and makes indexes",
}
SURFACES = (
    "catalog/api/",
    "catalog/admin/",
    "portal/access/",
    "portal/admin_site/",
    "portal/mcp/",
    "catalog/mcp/",
    "workflows/mcp/",
    "workflows/observer/",
    "workflows/compact/",
    "catalog/backstage/",
)
SURFACES_AS_SYSTEM = {
    "catalog/admin/access/binding_admin.py": "the mappings of a binding that may be seen",
    "catalog/api/component_exec.py": "the binding of a component that was permitted",
    "catalog/api/listing.py": "writes the statement of a page of all, for who may see all",
    "portal/access/limited.py": "the place that a token is limited to: nothing of it is shown",
    "catalog/admin/log_admin.py": "asks for revision:view everywhere",
    "catalog/admin/object_admin.py": "judges the object that it has found before it shows it",
    "portal/access/doors.py": "is the door",
    "portal/access/area.py": "tries conditions on an attribute's values, which nobody sees",
    "portal/access/who.py": "answers who may do something, after the right to ask has been judged",
    "portal/access/around.py": "reads whose grants hold at a place, after the right to ask has been judged",
    "catalog/api/binding_objects.py": "the objects of a binding that was permitted",
    "portal/admin_site/sign_in.py": "counts failed sign-ins",
    "workflows/observer/adapters.py": "finds which plane's adapter is asked, after the right to ask has been judged",
    "workflows/observer/traces.py": "finds whose span it is, to judge who may see it",
    "workflows/compact/asking.py": "narrows the rows of the log to the visible ones before it counts them",
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for layer in LAYERS:
        for path in sorted((REPOSITORY / layer).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(REPOSITORY)), ast.parse(path.read_text())


def names_in(tree: ast.Module) -> set[str]:
    called = {node.func for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr == "_base_manager"}
    for node in called:
        found |= {node.attr} if isinstance(node, ast.Attribute) else {node.id} if isinstance(node, ast.Name) else set()
    return found


def test_nothing_leads_around_the_doors_but_a_few_files_with_reasons() -> None:
    found = {path: sorted(names) for path, tree in modules() if (names := names_in(tree) & AROUND)}
    assert not {path: names for path, names in found.items() if path not in MAY_GO_AROUND}


def test_every_door_of_the_system_names_a_reason_and_surfaces_have_few() -> None:
    surfaces = set()
    for path, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "system":
                reason = node.args[0] if node.args else None
                is_blank = isinstance(reason, ast.Constant) and len(str(reason.value)) < 3
                assert reason is not None and not is_blank, f"{path}:{node.lineno}: system() wants its reason"
                if path.startswith(SURFACES):
                    surfaces.add(path)
    assert surfaces <= set(SURFACES_AS_SYSTEM), "surfaces ask as somebody: access.visible(…) or .for_subject(…)"
