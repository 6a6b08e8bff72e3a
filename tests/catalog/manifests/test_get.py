"""`get`: tables, YAML, JSON and names; by namespace, name and label; once or as things change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from catalog import store
from catalog.compiler.yaml import load, load_documents
from catalog.kinds.project import Project
from catalog.manifests.table import age
from portal.accounts.actor import system
from tests.catalog.manifests.conftest import project, run, trait
from tests.factories import ComponentFactory, NamespaceFactory, ProjectFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("namespace")]
Write = Callable[..., str]


def columns(line: str) -> list[str]:
    return [cell for cell in line.split("   ") if cell.strip()]


def test_a_table_shows_name_own_columns_readiness_and_age() -> None:
    ProjectFactory.create(name="shop")
    component = ComponentFactory.create(name="web", project="shop")
    condition = {"type": "Ready", "status": "False", "reason": "ComponentTypeNotFound"}
    store.write_status(component, {"conditions": [condition]}, system("tests"))

    ran = run("get", "components")

    heading, row = ran.out.splitlines()
    assert heading.split() == ["NAME", "PROJECT", "COMPONENTTYPE", "READY", "AGE"]
    assert row.split()[:2] == ["web", "shop"]
    assert "False (ComponentTypeNotFound)" in row


@pytest.mark.parametrize("typed", ["project", "projects", "Project", "PROJECTS", "projects.openchoreo.dev"])
def test_a_kind_is_found_by_singular_and_plural_in_any_case(typed: str) -> None:
    ProjectFactory.create(name="shop")

    assert run("get", typed, "-o", "name").out == "project.openchoreo.dev/shop\n"


def test_an_unknown_kind_fails_with_a_suggestion() -> None:
    ran = run("get", "compnents")

    assert ran.code == 1
    assert "Did you mean components?" in ran.err


def test_one_object_as_yaml_can_be_applied_again_without_change(manifest: Write) -> None:
    run("apply", "-f", manifest(project("shop")))

    printed = run("get", "project/shop", "-o", "yaml").out

    document: Any = load(printed)
    assert (document["kind"], document["metadata"]["name"]) == ("Project", "shop")
    assert run("apply", "-f", manifest(printed)).last_line.startswith("0 created, 0 changed, 1 unchanged")


def test_several_objects_as_json_are_a_list() -> None:
    ProjectFactory.create(name="a")
    ProjectFactory.create(name="b")

    document = orjson.loads(run("get", "projects", "-o", "json").out)

    assert document["kind"] == "List"
    assert [item["metadata"]["name"] for item in document["items"]] == ["a", "b"]


def test_all_namespaces_are_shown_with_their_names() -> None:
    NamespaceFactory.create(name="acme")
    ProjectFactory.create(name="here")
    ProjectFactory.create(name="there", namespace="acme")

    assert "there" not in run("get", "projects").out
    assert "there" in run("get", "projects", "-n", "acme").out
    assert [line.split()[:2] for line in run("get", "projects", "-A").out.splitlines()] == [
        ["NAMESPACE", "NAME"],
        ["acme", "there"],
        ["default", "here"],
    ]


def test_labels_select(manifest: Write) -> None:
    run("apply", "-f", manifest(trait("a", team="x"), trait("b", team="y"), trait("c")))

    assert run("get", "traits", "-l", "team=x", "-o", "name").out.split() == ["trait.openchoreo.dev/a"]
    assert len(run("get", "traits", "-l", "team!=x", "-o", "name").out.split()) == 2
    assert run("get", "traits", "-l", "team in x").code == 1


def test_an_absent_object_is_a_failure_and_the_others_are_shown() -> None:
    ProjectFactory.create(name="shop")

    ran = run("get", "project", "shop", "gone", "-o", "name")

    assert ran.code == 1
    assert ran.out == "project.openchoreo.dev/shop\n"
    assert 'projects "gone" not found' in ran.err


def test_an_empty_list_says_so_and_is_no_failure() -> None:
    ran = run("get", "components")

    assert (ran.code, ran.out) == (0, "")
    assert "No resources found in default namespace." in ran.err


def test_watching_shows_the_list_then_changes_and_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ProjectFactory.create(name="first")
    asked = store.position()
    monkeypatch.setattr(store, "position", lambda: asked)  # as if what follows came after the list
    obj = ProjectFactory.create(name="second")
    store.write_status(obj, {"conditions": [{"type": "Ready", "status": "True"}]}, system("tests"))

    ran = run("get", "projects", "--watch", "--timeout", "0")

    names = [line.split()[0] for line in ran.out.splitlines()]
    assert names == ["NAME", "first", "second", "second", "second"]


def test_watching_as_yaml_gives_documents_that_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = store.position()
    monkeypatch.setattr(store, "position", lambda: asked)
    ProjectFactory.create(name="shop")

    ran = run("get", "projects", "-o", "yaml", "--watch", "--timeout", "0")

    assert {item.value["metadata"]["name"] for item in load_documents(ran.out)} == {"shop"}  # type: ignore[index]


def test_a_table_costs_one_query_however_long(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(15):
        ProjectFactory.create(name=f"p{number}")

    with django_assert_num_queries(2):  # the list, and the position of the log for those who watch
        run("get", "projects")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (119, "119s"), (125, "2m5s"), (3700, "61m"), (3 * 3600, "3h"), (26 * 3600, "26h"), (3 * 86400, "3d")],
)
def test_ages_are_written_as_kubectl_writes_them(seconds: int, text: str) -> None:
    assert age(timezone.now() - timedelta(seconds=seconds)) == text


def test_an_object_being_deleted_shows_as_terminating() -> None:
    ProjectFactory.create(name="shop")
    store.delete("Project", "default", "shop", system("tests"))

    assert Project.objects.system("test").exists()
    assert "Terminating" in run("get", "projects").out
