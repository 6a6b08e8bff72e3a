"""A Git plane on somebody's own repository, and on a full disk."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from catalog.delivery.git.plane import GitPlane
from catalog.delivery.plane import PlaneError, PlaneNotConfigured
from tests.catalog.delivery.deliveries import commits, config_map, delivery, git, is_sound, manifests, place
from tests.conftest import missing


@pytest.fixture
def checkout(tmp_path) -> Path:
    """Somebody's repository with a work tree on branch main, and changes in it that are not committed."""
    directory = tmp_path / "checkout"
    git(tmp_path, "init", "-q", "-b", "main", "checkout")
    (directory / "README.md").write_text("mine\n")
    git(directory, "add", "README.md")
    git(directory, "commit", "-q", "-m", "mine")
    (directory / "README.md").write_text("mine, changed\n")
    (directory / "new.txt").write_text("not added\n")
    return directory


def test_a_branch_that_is_checked_out_is_refused_with_three_ways_out(checkout):
    with pytest.raises(PlaneNotConfigured) as refusal:
        GitPlane(checkout).apply(delivery(place(), config_map(a="1")))
    text = str(refusal.value)
    assert "checked out" in text
    assert all(way in text for way in ("GIT_PLANE_BRANCH", "switch --detach", "GIT_PLANE_REPOSITORY"))
    assert git(checkout, "status", "--short") == "M README.md\n?? new.txt"
    assert commits(checkout) == ["mine"]


def test_a_branch_that_is_not_checked_out_is_delivered_to_and_the_dirty_work_tree_is_not_touched(checkout):
    GitPlane(checkout, branch="delivery").apply(delivery(place(), config_map(a="1")))
    assert manifests(checkout, "delivery") == ["default/development/shop/cart/configmap-settings.yaml"]
    assert git(checkout, "status", "--short") == "M README.md\n?? new.txt"
    assert (checkout / "README.md").read_text() == "mine, changed\n"
    assert git(checkout, "rev-parse", "--abbrev-ref", "HEAD") == "main"


def test_what_the_refusal_says_helps(checkout):
    git(checkout, "switch", "-q", "--detach")
    assert GitPlane(checkout).apply(delivery(place(), config_map(a="1"))).changed
    assert git(checkout, "status", "--short") == "M README.md\n?? new.txt"


def test_a_linked_work_tree_holds_its_branch_too(checkout, tmp_path):
    git(checkout, "worktree", "add", "-q", "-b", "delivery", str(tmp_path / "linked"))
    with pytest.raises(PlaneNotConfigured, match="linked"):
        GitPlane(checkout, branch="delivery").apply(delivery(place(), config_map(a="1")))


def test_a_branch_checked_out_while_we_deliver_to_it_is_noticed(checkout):
    plane = GitPlane(checkout, branch="delivery")
    plane.apply(delivery(place(), config_map(a="1")))
    git(checkout, "stash", "-q", "-u")
    git(checkout, "switch", "-q", "delivery")
    with pytest.raises(PlaneNotConfigured, match="checked out"):
        plane.apply(delivery(place(), config_map(a="2")))


def test_a_path_where_nothing_may_be_made_is_refused_in_words(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PlaneError, match="file"):
        GitPlane(tmp_path / "file" / "plane.git").apply(delivery(place(), config_map()))


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own with room for little."""
    directory = tmp_path / "small"
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k,nr_inodes=4k", "tmpfs", str(directory)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        missing("a small disk", "mounting a file system needs root")
    yield directory
    subprocess.run(["umount", "-l", str(directory)], check=False, capture_output=True)


def test_on_a_full_disk_it_says_so_loses_nothing_and_goes_on_when_there_is_room(small_disk):
    plane = GitPlane(small_disk / "plane.git")
    plane.apply(delivery(place(), config_map(a="1")))
    before = commits(small_disk / "plane.git")
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"")
    with ballast.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(os.urandom(512))
        except OSError:
            pass
    big = config_map(**{f"key{number}": os.urandom(200).hex() for number in range(40)})
    for _ in range(3):
        with pytest.raises(PlaneError, match="no space left"):
            plane.apply(delivery(place(), big))
        assert commits(small_disk / "plane.git") == before
        assert is_sound(small_disk / "plane.git")
    ballast.unlink()
    assert plane.apply(delivery(place(), big)).changed
    assert len(commits(small_disk / "plane.git")) == len(before) + 1
    assert is_sound(small_disk / "plane.git")


def test_with_room_running_out_at_any_byte_the_branch_is_whole(small_disk):
    """Fill up to a different remainder each time, so that the write that fails is another one each time."""
    repository = small_disk / "plane.git"
    plane = GitPlane(repository)
    plane.apply(delivery(place(), config_map(a="0")))
    failures = 0
    for attempt in range(1, 30):
        room = os.statvfs(small_disk)
        (small_disk / "ballast").write_bytes(b"x" * max(0, (room.f_bavail - attempt) * room.f_frsize))
        before = len(commits(repository))
        try:
            plane.apply(delivery(place(), config_map(a=os.urandom(20_000).hex()), config_map("other", a=str(attempt))))
            assert len(commits(repository)) == before + 1
        except PlaneError as error:
            failures += 1
            assert "no space left" in str(error)
            assert len(commits(repository)) == before
        (small_disk / "ballast").unlink()
        assert is_sound(repository)
    assert 3 < failures < 29
