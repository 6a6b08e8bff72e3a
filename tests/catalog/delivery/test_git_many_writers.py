"""Several writers at once on one branch: nothing is lost, nothing doubled, the repository stays sound."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catalog.delivery.git import branch as branch_module
from catalog.delivery.git import lock as lock_module
from catalog.delivery.git.plane import GitPlane
from catalog.delivery.plane import PlaneError
from tests.catalog.delivery.deliveries import (
    commits,
    config_map,
    content,
    delivery,
    git,
    is_sound,
    manifests,
    place,
    push_by_somebody,
)
from tests.conftest import REPOSITORY as PROJECT

WRITERS, EACH = 3, 8


def start(repository: Path, name: str, count: int = EACH, remote: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.catalog.delivery.deliver_many", str(repository), name, str(count), remote]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def expected_files(names, count: int = EACH) -> list[str]:
    return sorted(
        f"default/development/shop/{name}-{number}/{file}.yaml"
        for name in names
        for number in range(count)
        for file in ("configmap-settings", "deployment-cart")
    )


def test_writers_in_several_processes_lose_nothing_and_make_one_commit_for_each_state(tmp_path):
    repository = tmp_path / "plane.git"
    names = [f"writer{number}" for number in range(WRITERS)]
    writers = [start(repository, name) for name in names]
    assert [writer.communicate(timeout=120)[1] for writer in writers] == [""] * WRITERS
    assert sorted(manifests(repository)) == expected_files(names)
    assert len(commits(repository)) == WRITERS * EACH * 2
    assert git(repository, "rev-list", "--count", "--first-parent", "main") == str(WRITERS * EACH * 2)
    assert is_sound(repository)


def test_people_who_push_to_the_repository_meanwhile_lose_nothing_either(tmp_path):
    repository = tmp_path / "plane.git"
    GitPlane(repository).apply(delivery(place(), config_map(a="1")))
    git(tmp_path, "clone", "-q", str(repository), "clone")
    writer = start(repository, "writer", 30)
    pushed = 0
    while writer.poll() is None:
        push_by_somebody(tmp_path / "clone", "main", f"notes/{pushed}.txt")
        pushed += 1
    assert writer.communicate()[1] == ""
    assert pushed > 2
    kept = [name for name in manifests(repository) if name.startswith("notes/")]
    assert len(kept) == pushed
    assert len(commits(repository)) == 1 + 60 + pushed
    assert is_sound(repository)


def test_without_file_locks_the_branch_alone_keeps_writers_apart(tmp_path, monkeypatch):
    """On a file system without locks, or with two machines on one disk."""
    from concurrent.futures import ThreadPoolExecutor
    from contextlib import nullcontext

    monkeypatch.setattr(branch_module, "locked", lambda path, patience: nullcontext())
    repository = tmp_path / "plane.git"
    GitPlane(repository).apply(delivery(place(), config_map(a="1")))

    def deliver(number: int) -> None:
        GitPlane(repository).apply(delivery(place(f"component-{number}"), config_map(a="1")))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deliver, range(40)))
    assert len(manifests(repository)) == 41
    assert len(commits(repository)) == 41
    assert is_sound(repository)


def test_a_lock_that_somebody_keeps_is_named_after_a_while(tmp_path, monkeypatch):
    monkeypatch.setattr(branch_module, "PATIENCE", 0.1)
    repository = tmp_path / "plane.git"
    plane = GitPlane(repository)
    plane.apply(delivery(place(), config_map(a="1")))
    with lock_module.locked(repository / "stagecraft.lock", 1), pytest.raises(PlaneError, match=r"stagecraft\.lock"):
        plane.apply(delivery(place(), config_map(a="2")))
    assert plane.apply(delivery(place(), config_map(a="2"))).changed


def test_killed_at_any_moment_it_leaves_a_sound_repository_and_the_next_run_completes_it(tmp_path):
    repository = tmp_path / "plane.git"
    chance = random.Random(7)  # noqa: S311 - the same moments in every run
    for _ in range(12):
        writer = start(repository, "writer", 40)
        writer.stdout.readline()  # Python has started
        time.sleep(chance.uniform(0.0, 0.15))
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        assert is_sound(repository)
    writer = start(repository, "writer", 40)
    assert writer.communicate(timeout=120)[1] == ""
    assert sorted(manifests(repository)) == expected_files(["writer"], 40)
    for number in range(40):
        found = content(repository, f"default/development/shop/writer-{number}/configmap-settings.yaml")
        assert found["data"] == {"version": "2"}
    assert is_sound(repository)


def test_a_lock_file_that_a_killed_process_left_on_the_branch_is_removed_once_it_is_old(tmp_path, monkeypatch):
    import os

    monkeypatch.setattr(branch_module, "PATIENCE", 1.0)
    repository = tmp_path / "plane.git"
    plane = GitPlane(repository)
    plane.apply(delivery(place(), config_map(a="1")))
    lock = repository / "refs" / "heads" / "main.lock"
    lock.write_text("")
    with pytest.raises(PlaneError, match="moved by others again and again"):
        plane.apply(delivery(place(), config_map(a="2")))
    assert lock.exists(), "a young lock may be somebody's who is at work"
    os.utime(lock, (time.time() - 60, time.time() - 60))
    assert plane.apply(delivery(place(), config_map(a="2"))).changed
    assert not lock.exists()
    assert is_sound(repository)
