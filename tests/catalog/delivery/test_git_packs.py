"""Packs as the Git plane writes and merges them: git itself reads them, and nothing is lost on the way."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pygit2
import pytest

from catalog.delivery.git import objects, pack
from catalog.delivery.git.plane import GitPlane
from tests.catalog.delivery.deliveries import commits, config_map, delivery, git, is_sound, manifests, place


@pytest.fixture
def repository(tmp_path) -> Path:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "repository.git")
    return tmp_path / "repository.git"


def packs(repository: Path) -> list[Path]:
    return sorted((repository / "objects" / "pack").glob("*.pack"))


def blob(data: bytes) -> pack.Entry:
    oid = hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).digest()
    return pack.entry(oid, 3, data)


@pytest.mark.parametrize(
    "contents",
    [
        pytest.param([b""], id="an empty object"),
        pytest.param([b"x" * 15, b"x" * 16, b"x" * 2047, b"x" * 2048, b"x" * 300_000], id="sizes of 1 to 3 bytes"),
        pytest.param([os.urandom(number * 7) for number in range(600)], id="every first byte"),
    ],
)
def test_git_reads_what_we_write(repository, contents):
    name = pack.write(map(blob, contents), repository / "objects" / "pack")
    git(repository, "verify-pack", f"objects/pack/{name}.idx")
    assert is_sound(repository)
    for data in contents:
        oid = git(repository, "hash-object", "--stdin", check=False) if not data else blob(data).oid.hex()
        assert git(repository, "cat-file", "-s", oid) == str(len(data))


def test_reading_a_pack_gives_what_was_written(repository):
    entries = {item.oid: item for item in map(blob, [b"one", b"two", b"three" * 1000])}
    name = pack.write(entries.values(), repository)
    assert {item.oid: item for item in pack.read(repository / f"{name}.pack")} == entries


def test_a_pack_with_differences_is_left_alone(repository, tmp_path):
    git(tmp_path, "init", "-q", "-b", "main", "work")
    for number in range(3):
        (tmp_path / "work" / "file").write_text("line\n" * 2000 + str(number))
        git(tmp_path / "work", "add", "-A")
        git(tmp_path / "work", "commit", "-q", "-m", str(number))
    git(tmp_path / "work", "repack", "-q", "-a", "-d", "-f")
    (foreign,) = packs(tmp_path / "work" / ".git")
    with pytest.raises(pack.Foreign):
        list(pack.read(foreign))


def test_a_damaged_pack_is_not_copied(repository):
    name = pack.write(map(blob, [b"one" * 100, b"two" * 100]), repository)
    path = repository / f"{name}.pack"
    content = bytearray(path.read_bytes())
    content[20] ^= 255
    path.chmod(0o644)
    path.write_bytes(content)
    with pytest.raises(pack.Foreign):
        list(pack.read(path))


def test_many_deliveries_leave_few_packs_and_everything_readable(tmp_path):
    repository = tmp_path / "plane.git"
    plane = GitPlane(repository)
    for number in range(100):
        plane.apply(delivery(place(f"component-{number % 25}"), config_map(version=str(number))))
    assert len(packs(repository)) < 2 * objects.MERGE_AT
    assert len(commits(repository)) == 100
    assert len(manifests(repository)) == 25
    assert is_sound(repository)
    assert not list((repository / "objects" / "pack").glob("tmp_*"))


def test_readers_that_have_the_old_packs_open_go_on_reading_while_packs_are_merged(tmp_path):
    repository = tmp_path / "plane.git"
    plane = GitPlane(repository)
    plane.apply(delivery(place(), config_map(version="0")))
    reader = pygit2.Repository(str(repository))
    seen, stop = [], threading.Event()

    def read_all() -> None:
        while not stop.is_set():
            head = reader.references["refs/heads/main"].peel(pygit2.Commit)
            seen.append(sum(len(entry.tree) for entry in reader.walk(head.id)))

    thread = threading.Thread(target=read_all)
    thread.start()
    for number in range(120):
        plane.apply(delivery(place(f"component-{number}"), config_map(version=str(number))))
    stop.set()
    thread.join()
    assert len(seen) > 3
    assert is_sound(repository)


def test_a_pack_that_git_was_told_to_keep_is_kept(tmp_path):
    repository = tmp_path / "plane.git"
    plane = GitPlane(repository)
    plane.apply(delivery(place(), config_map(version="0")))
    (kept,) = packs(repository)
    kept.with_suffix(".keep").write_text("")
    for number in range(60):
        plane.apply(delivery(place(f"component-{number}"), config_map(version=str(number))))
    assert kept in packs(repository)


def test_deliveries_go_on_while_git_collects_garbage(tmp_path):
    repository = tmp_path / "plane.git"
    plane = GitPlane(repository)
    for number in range(60):
        plane.apply(delivery(place(f"component-{number}"), config_map(version=str(number))))
        if number % 10 == 9:
            git(repository, "gc", "--quiet", "--prune=now")
    assert len(manifests(repository)) == 60
    assert is_sound(repository)


def test_a_delivery_that_is_given_up_leaves_no_object_behind(tmp_path):
    from catalog.delivery.plane import Superseded

    repository = tmp_path / "plane.git"
    plane = GitPlane(repository)
    plane.apply(delivery(place(), config_map(a="1")))
    before = sorted(path.name for path in (repository / "objects").rglob("*"))
    with pytest.raises(Superseded):
        plane.apply(delivery(place(), config_map(a="2"), is_current=lambda: False))
    assert sorted(path.name for path in (repository / "objects").rglob("*")) == before
    plane.apply(delivery(place(), config_map(a="2")))
    assert is_sound(repository)


def test_with_sync_every_file_reaches_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    repository = tmp_path / "plane.git"
    GitPlane(repository).apply(delivery(place(), config_map(a="1")))
    synced = []
    monkeypatch.setattr(pack.os, "fsync", synced.append)
    GitPlane(repository).apply(delivery(place(), config_map(a="2")))
    assert synced == []
    git(repository, "config", "stagecraft.sync", "true")
    from catalog.delivery.git import repository as repository_module

    repository_module._open.__dict__.clear()  # as in a new process
    GitPlane(repository).apply(delivery(place(), config_map(a="3")))
    assert len(synced) == 2
