"""`apply`: what it stores, what it says, and how it ends, for good and for bad input."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from catalog import store
from catalog.kinds.project import Project
from catalog.kinds.trait import Trait
from catalog.store.models import Revision
from portal.accounts.actor import system
from tests.catalog.manifests.conftest import project, run, trait

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("namespace")]
Write = Callable[..., str]


def test_objects_are_created_then_unchanged_then_changed(manifest: Write) -> None:
    path = manifest(project("shop"), trait("backup"))

    first = run("apply", "-f", path)
    assert (first.code, first.last_line) == (0, "2 created, 0 changed, 0 unchanged, 0 skipped, 0 failed")
    assert "project.openchoreo.dev/shop created" in first.out

    again = run("apply", "-f", path)
    assert again.last_line == "0 created, 0 changed, 2 unchanged, 0 skipped, 0 failed"

    other = run("apply", "-f", manifest(project("shop", pipeline="fast")))
    assert other.last_line == "0 created, 1 changed, 0 unchanged, 0 skipped, 0 failed"
    assert store.get("Project", "default", "shop").spec["deploymentPipelineRef"]["name"] == "fast"


def test_the_log_names_the_command_line_as_surface(manifest: Write) -> None:
    run("apply", "-f", manifest(project("shop")))

    assert Revision.objects.system("test").get(kind="Project").surface == "cli"


def test_documents_of_other_systems_are_skipped_by_kind_and_name(manifest: Write) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {a: b}\n"

    ran = run("apply", "-f", manifest(secret, trait("backup")))

    assert ran.code == 0
    assert "secret/token skipped: not a kind of this platform" in ran.out
    assert ran.last_line == "1 created, 0 changed, 0 unchanged, 1 skipped, 0 failed"


def test_a_misspelt_kind_of_ours_fails(manifest: Write) -> None:
    ran = run("apply", "-f", manifest(trait("backup").replace("kind: Trait", "kind: Trayt"), trait("kept")))

    assert ran.code == 1
    assert "manifest.yaml:2: Trayt default/backup: unknown kind 'Trayt'" in ran.err
    assert list(Trait.objects.system("test").values_list("name", flat=True)) == ["kept"]


def test_a_namespace_may_come_after_what_lies_in_it(manifest: Write) -> None:
    path = manifest(trait("backup", "late"), "apiVersion: v1\nkind: Namespace\nmetadata: {name: late}\n")

    ran = run("apply", "-f", path)

    assert ran.last_line == "2 created, 0 changed, 0 unchanged, 0 skipped, 0 failed"
    assert Trait.objects.system("test").get().namespace_id == "late"


def test_a_missing_namespace_fails_and_is_named(manifest: Write) -> None:
    ran = run("apply", "-n", "nowhere", "-f", manifest(trait("backup")))

    assert ran.code == 1
    assert "namespace 'nowhere' does not exist" in ran.err


def test_a_violation_names_file_line_and_field(manifest: Write) -> None:
    wrong = project("shop").replace("    name: default\n  type", "    name: 7\n  type")

    ran = run("apply", "-f", manifest(trait("first"), wrong))

    assert ran.code == 1
    assert "manifest.yaml:13: Project default/shop: spec.deploymentPipelineRef.name: Invalid value" in ran.err
    assert not Project.objects.system("test").exists()
    assert Trait.objects.system("test").exists()


def test_every_error_of_a_document_is_reported(manifest: Write) -> None:
    wrong = trait("Bad_Name").replace("spec: {", "spec: {creates: 5, ")

    ran = run("apply", "-f", manifest(wrong))

    assert "metadata.name: Invalid value" in ran.err
    assert "spec.creates: Invalid value" in ran.err


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        pytest.param("a: [1, 2", "did not find expected", id="not YAML"),
        pytest.param("just text", "expected an object", id="not an object"),
        pytest.param(b"\x00\x01\x02\xff\xfe binary", "not allowed", id="binary"),
        pytest.param("a: 1\nb: 2\na: 3\n", 'duplicate key "a"', id="duplicate keys"),
        pytest.param(
            "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"{c}: &{c} [{','.join(['*' + p] * 10)}]\n" for p, c in zip("abcdefg", "bcdefgh", strict=True)),
            "alias",
            id="alias bomb",
        ),
        pytest.param("[" * 5000, "nested deeper", id="nesting"),
        pytest.param("apiVersion: v1\nmetadata: {name: x}\n", "kind: Required value", id="no kind"),
        pytest.param(trait("x").replace("{name: x}", "5"), "metadata: Required value", id="metadata is no object"),
        pytest.param(trait("x").replace("name: x", "name: [a]"), "metadata.name", id="name is no text"),
    ],
)
def test_a_broken_document_keeps_no_other_from_being_stored(manifest: Write, broken: str | bytes, reason: str) -> None:
    ran = run("apply", "-f", manifest(trait("before"), broken, trait("after")))

    assert ran.code == 1
    assert reason in ran.err
    assert "manifest.yaml" in ran.err
    assert ran.last_line == "2 created, 0 changed, 0 unchanged, 0 skipped, 1 failed"
    assert set(Trait.objects.system("test").values_list("name", flat=True)) == {"before", "after"}


@override_settings(YAML_MAX_BYTES=1000)
def test_a_file_above_the_limit_is_refused_unread_and_others_are_stored(manifest: Write, tmp_path: Path) -> None:
    manifest("# " + "x" * 2000, name="big.yaml")
    manifest(trait("small"), name="small.yaml")

    ran = run("apply", "-f", str(tmp_path))

    assert ran.code == 1
    assert "more than the limit of 1000 bytes" in ran.err
    assert Trait.objects.system("test").get().name == "small"


def test_numbers_that_no_database_holds_are_refused(manifest: Write) -> None:
    wrong = trait("x").replace("{type: object}", "{type: object, maximum: 123456789012345678901234567890, x: .inf}")

    ran = run("apply", "-f", manifest(wrong, trait("kept")))

    assert ran.code == 1
    assert list(Trait.objects.system("test").values_list("name", flat=True)) == ["kept"]


def test_folders_are_read_by_name_and_deeper_only_when_told(manifest: Write, tmp_path: Path) -> None:
    manifest(trait("b"), name="b.yml")
    manifest('{"apiVersion":"openchoreo.dev/v1alpha1","kind":"Trait","metadata":{"name":"a"}}', name="a.json")
    manifest(trait("c"), name="deep/c.yaml")
    manifest("not for us", name="README.md")

    flat = run("apply", "-f", str(tmp_path))
    assert [line.split()[0] for line in flat.out.splitlines()[:-1]] == [
        "trait.openchoreo.dev/a",
        "trait.openchoreo.dev/b",
    ]

    deep = run("apply", "-R", "-f", str(tmp_path))
    assert deep.last_line == "1 created, 0 changed, 2 unchanged, 0 skipped, 0 failed"


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(trait("piped").encode())))

    assert run("apply", "-f", "-").code == 0
    assert Trait.objects.system("test").get().name == "piped"


def test_a_list_is_taken_apart_and_its_errors_keep_their_lines(manifest: Write) -> None:
    text = (
        "apiVersion: v1\nkind: List\nitems:\n"
        "- apiVersion: openchoreo.dev/v1alpha1\n  kind: Trait\n  metadata: {name: one}\n"
        "- apiVersion: openchoreo.dev/v1alpha1\n  kind: Trait\n  metadata:\n    name: two\n  spec:\n    creates: 5\n"
    )

    ran = run("apply", "-f", manifest(text))

    assert "manifest.yaml:12: Trait default/two: spec.creates" in ran.err
    assert Trait.objects.system("test").get().name == "one"


def test_a_dry_run_says_what_would_happen_and_stores_nothing(manifest: Write) -> None:
    path = manifest(trait("a"), "apiVersion: v1\nkind: Namespace\nmetadata: {name: later}\n", trait("b", "later"))

    ran = run("apply", "--dry-run", "-f", path)

    assert ran.code == 0
    assert ran.last_line.startswith("3 created, 0 changed, 0 unchanged, 0 skipped, 0 failed")
    assert not Trait.objects.system("test").exists()
    assert Revision.objects.system("test").count() == 1  # the namespace of the test itself


@pytest.mark.parametrize("name", ["absent.yaml", "absent/"])
def test_a_file_that_is_not_there_is_a_failure(tmp_path: Path, name: str) -> None:
    ran = run("apply", "-f", str(tmp_path / name))

    assert ran.code == 1
    assert "No such file or directory" in ran.err


def test_what_others_set_meanwhile_stays_and_what_the_manifest_drops_goes(manifest: Write) -> None:
    run("apply", "-f", manifest(trait("x", team="a", tier="one")))
    held: Any = store.get("Trait", "default", "x")
    document = store.to_document(held)
    document["metadata"]["labels"]["added"] = "by-hand"
    store.put(document, system("tests"))

    run("apply", "-f", manifest(trait("x", team="b")))

    assert store.get("Trait", "default", "x").labels == {"team": "b", "added": "by-hand"}
