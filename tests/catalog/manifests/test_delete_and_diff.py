"""`delete` and `diff`: by manifest or by name, with kubectl's exit codes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from catalog.kinds.project import Project
from catalog.kinds.trait import Trait
from catalog.store.models import Revision
from tests.catalog.manifests.conftest import project, run, trait

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("namespace")]
Write = Callable[..., str]


@pytest.mark.parametrize("target", [("trait", "a"), ("traits", "a"), ("Trait/a",)])
def test_an_object_is_deleted_by_name(manifest: Write, target: tuple[str, ...]) -> None:
    run("apply", "-f", manifest(trait("a"), trait("b")))

    ran = run("delete", *target)

    assert (ran.code, ran.out) == (0, "trait.openchoreo.dev/a deleted\n")
    assert Trait.objects.system("test").get().name == "b"


def test_objects_are_deleted_by_manifest_last_first(manifest: Write) -> None:
    path = manifest(trait("a"), trait("b"))
    run("apply", "-f", path)

    ran = run("delete", "-f", path)

    assert ran.out.split() == ["trait.openchoreo.dev/b", "deleted", "trait.openchoreo.dev/a", "deleted"]
    assert not Trait.objects.system("test").exists()


def test_an_object_with_a_finalizer_is_said_to_be_deleting(manifest: Write) -> None:
    run("apply", "-f", manifest(project("shop")))

    assert run("delete", "project", "shop").out == "project.openchoreo.dev/shop deleting\n"
    assert Project.objects.system("test").get().deleted_at is not None


def test_deleting_what_is_not_there_fails_unless_told() -> None:
    ran = run("delete", "trait", "gone")

    assert ran.code == 1
    assert "Trait 'gone' not found" in ran.err
    assert run("delete", "trait", "gone", "--ignore-not-found").code == 0


@pytest.mark.parametrize("arguments", [(), ("trait", "a", "-f", "x.yaml"), ("trait",)])
def test_delete_wants_either_files_or_names(arguments: tuple[str, ...]) -> None:
    assert run("delete", *arguments).code != 0


def test_diff_is_silent_and_0_when_nothing_would_change(manifest: Write) -> None:
    path = manifest(project("shop"))
    run("apply", "-f", path)

    ran = run("diff", "-f", path)

    assert (ran.code, ran.out) == (0, "")


def test_diff_shows_changes_is_1_and_stores_nothing(manifest: Write) -> None:
    run("apply", "-f", manifest(project("shop")))
    before = Revision.objects.system("test").count()

    ran = run("diff", "-f", manifest(project("shop", pipeline="fast"), trait("new")))

    assert ran.code == 1
    assert "-    name: default\n+    name: fast\n" in ran.out
    assert "+++ applied/Trait/new" in ran.out
    assert not Trait.objects.system("test").exists()
    assert Revision.objects.system("test").count() == before


def test_diff_of_a_document_that_cannot_be_applied_is_an_error_above_1(manifest: Write) -> None:
    ran = run("diff", "-f", manifest(trait("x").replace("spec: {", "spec: {creates: 5, ")))

    assert ran.code == 2
    assert "spec.creates" in ran.err
