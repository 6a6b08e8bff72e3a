"""Attack 18: archives that unpack without end, and links that lead out of a directory."""

from __future__ import annotations

import ast
import io
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pygit2
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from catalog import store
from catalog.delivery.git.plane import GitPlane
from catalog.delivery.plane import PlaneError
from catalog.manifests.reading import read_sources
from portal.accounts.models import User, issue_token
from tests.catalog.delivery.deliveries import config_map, delivery, place
from tests.conftest import REPOSITORY

NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {name}}}\n"
UNPACKERS = {
    "zipfile",
    "tarfile",
    "gzip",
    "bz2",
    "lzma",
    "zlib",
    "shutil.unpack_archive",
    "py7zr",
    "rarfile",
    "zstandard",
}


def test_attack_18_nothing_in_the_code_unpacks_anything() -> None:
    """We take no archives: no upload, no fetched template. What is not unpacked has no ratio and no entries."""
    found = set()
    for layer in ("portal", "catalog", "workflows"):
        for path in sorted((REPOSITORY / layer).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom):
                    names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
                if isinstance(node, ast.Attribute) and node.attr in ("unpack_archive", "extractall", "decompress"):
                    names = [f"shutil.{node.attr}"]
                if UNPACKERS & set(names) or "shutil.extractall" in names or "shutil.decompress" in names:
                    found.add(str(path.relative_to(REPOSITORY)))
    assert found - {"catalog/delivery/git/pack.py", "catalog/delivery/git/objects.py"} == set()


def archives() -> dict[str, bytes]:
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("../../evil.yaml", NAMESPACE.format(name="evil"))
    with tarfile.open(fileobj=tarred, mode="w:gz") as archive:
        member = tarfile.TarInfo("/etc/evil")
        archive.addfile(member, io.BytesIO())
    return {"application/zip": zipped.getvalue(), "application/gzip": tarred.getvalue()}


def paths(resolver: Any = None, prefix: str = "") -> set[str]:
    found = set()
    for pattern in (resolver or get_resolver()).url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            found |= set() if path.startswith("admin/") else paths(pattern, path)
        elif isinstance(pattern, URLPattern) and "POST" in getattr(pattern.callback, "handlers", {}):
            found.add("/" + path.replace("<str:namespace>", "default").replace("<str:plural>", "projects"))
    return found


@pytest.mark.django_db
@pytest.mark.parametrize("content_type", ["application/zip", "application/gzip"])
def test_attack_18_no_route_takes_an_archive(client: Client, content_type: str) -> None:
    token = issue_token(User.objects.create_superuser("root", password="x"), "t")
    accepted = []
    for path in sorted(paths()):
        if "<" in path:
            path = "/".join("x" if step.startswith("<") else step for step in path.split("/"))
        reply = client.post(
            path, archives()[content_type], content_type=content_type, headers={"Authorization": f"Bearer {token}"}
        )
        if reply.status_code < 400:
            accepted.append((path, reply.status_code))
    assert accepted == []
    assert store.get_or_none("Namespace", "", "evil") is None


# Links


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A folder with a manifest, and beside it what it must not reach."""
    folder, outside = tmp_path / "folder", tmp_path / "outside"
    folder.mkdir(), outside.mkdir()
    (folder / "good.yaml").write_text(NAMESPACE.format(name="good"))
    (outside / "secret.yaml").write_text(NAMESPACE.format(name="canary-outside"))
    return folder


def sources(folder: Path, *, recursive: bool = True) -> dict[str, Any]:
    return {
        Path(entry.source).name: entry.error or entry.value["metadata"]["name"]
        for entry in read_sources([str(folder)], recursive=recursive, max_bytes=100_000)
    }


@pytest.mark.parametrize("recursive", [True, False])
@pytest.mark.parametrize(
    "target", ["../outside/secret.yaml", "{outside}/secret.yaml", "chain.yaml", "/proc/self/environ"]
)
def test_attack_18_a_link_out_of_the_folder_is_not_followed(tree: Path, target: str, recursive: bool) -> None:
    outside = tree.parent / "outside"
    (tree / "chain.yaml").symlink_to("../outside/secret.yaml")
    (tree / "link.yaml").symlink_to(target.format(outside=outside))
    found = sources(tree, recursive=recursive)
    assert found["good.yaml"] == "good"
    assert "leads out of this folder" in found["link.yaml"]
    assert "canary-outside" not in str(found)


def test_attack_18_neither_are_linked_folders_loops_and_dangling_links(tree: Path) -> None:
    (tree / "linked").symlink_to(tree.parent / "outside", target_is_directory=True)
    (tree / "loop").symlink_to(tree, target_is_directory=True)
    (tree / "round.yaml").symlink_to("round.yaml")
    (tree / "dangling.yaml").symlink_to("nowhere.yaml")
    assert sources(tree) == {"good.yaml": "good"}


def test_attack_18_a_link_within_the_folder_is_a_file_like_others(tree: Path) -> None:
    """As a mounted ConfigMap has them."""
    (tree / "..data").mkdir()
    (tree / "..data" / "a.yaml").write_text(NAMESPACE.format(name="mounted"))
    (tree / "a.yaml").symlink_to("..data/a.yaml")
    assert sources(tree) == {"good.yaml": "good", "a.yaml": "mounted"}


def test_attack_18_a_pipe_or_a_device_is_not_waited_for(tree: Path) -> None:
    os.mkfifo(tree / "pipe.yaml")
    (tree / "zero.yaml").symlink_to("/dev/zero")
    assert sources(tree)["good.yaml"] == "good"


@pytest.mark.django_db
def test_attack_18_apply_says_so_and_goes_on(tree: Path) -> None:
    (tree / "link.yaml").symlink_to("../outside/secret.yaml")
    said = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("apply", "-R", "-f", str(tree), stdout=said, stderr=said)
    assert "link.yaml" in said.getvalue() and "leads out of this folder" in said.getvalue()
    assert store.get_or_none("Namespace", "", "good") is not None
    assert store.get_or_none("Namespace", "", "canary-outside") is None


# The Git plane: somebody who may push to its branch puts links there


def commit_link(repository: pygit2.Repository, path: list[str], target: str) -> None:
    link = repository.create_blob(target.encode())
    head = repository.references["refs/heads/main"].peel(pygit2.Commit)

    def put(tree: pygit2.Tree | None, steps: list[str]) -> pygit2.Oid:
        builder = repository.TreeBuilder() if tree is None else repository.TreeBuilder(tree)
        if len(steps) == 1:
            builder.insert(steps[0], link, pygit2.enums.FileMode.LINK)
        else:
            below = tree[steps[0]] if tree is not None and steps[0] in tree else None
            below = below if isinstance(below, pygit2.Tree) else None
            builder.insert(steps[0], put(below, steps[1:]), pygit2.enums.FileMode.TREE)
        return builder.write()

    somebody = pygit2.Signature("eve", "eve@example.org")
    repository.create_commit("refs/heads/main", somebody, somebody, "links", put(head.tree, path), [head.id])


@pytest.fixture
def delivered(tmp_path: Path) -> GitPlane:
    plane = GitPlane(tmp_path / "plane.git")
    assert plane.apply(delivery(place(), config_map(a="1"))).changed
    return plane


def test_attack_18_a_delivery_writes_through_no_link(delivered: GitPlane, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    repository = pygit2.Repository(str(delivered.path))
    here = place()
    commit_link(repository, [here.namespace, here.environment, here.project], str(outside))
    with pytest.raises(PlaneError, match="is a file in the branch; move it away"):
        delivered.apply(delivery(place(), config_map(a="2")))
    assert list(outside.iterdir()) == []


def test_attack_18_a_link_in_the_place_of_a_manifest_is_replaced_and_never_read(
    delivered: GitPlane, tmp_path: Path
) -> None:
    (tmp_path / "secret.yaml").write_text(NAMESPACE.format(name="canary-outside"))
    repository = pygit2.Repository(str(delivered.path))
    here = place()
    directory = [here.namespace, here.environment, here.project, here.component]
    tree = repository.references["refs/heads/main"].peel(pygit2.Tree)["/".join(directory)]
    (name,) = (entry.name for entry in tree if entry.name.endswith(".yaml"))
    for file in (name, ".stagecraft"):
        commit_link(repository, [*directory, file], str(tmp_path / "secret.yaml"))
    assert "canary-outside" not in repr(delivered.list_owned(here))
    delivered.apply(delivery(place(), config_map(a="2")))
    tree = repository.references["refs/heads/main"].peel(pygit2.Tree)["/".join(directory)]
    assert {entry.filemode for entry in tree} == {pygit2.enums.FileMode.BLOB}
    assert not any(b"canary-outside" in entry.data for entry in tree)
