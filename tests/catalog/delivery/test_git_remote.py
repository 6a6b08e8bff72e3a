"""A Git plane whose repository follows a remote: the remote's branch counts, and nobody's push is lost."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from catalog.delivery.git import branch as branch_module
from catalog.delivery.git.plane import GitPlane
from catalog.delivery.git.remote import ALLOWED, Remote
from catalog.delivery.plane import PlaneError, PlaneNotConfigured
from tests.catalog.delivery.deliveries import (
    commits,
    config_map,
    delivery,
    files,
    git,
    is_sound,
    manifests,
    place,
    push_by_somebody,
)
from tests.catalog.delivery.test_git_many_writers import start

FILE = "default/development/shop/cart/configmap-settings.yaml"


@pytest.fixture
def upstream(tmp_path) -> Path:
    """The repository elsewhere."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "upstream.git")
    return tmp_path / "upstream.git"


@pytest.fixture
def clone(upstream, tmp_path) -> Path:
    """Somebody's clone of it, with a first commit pushed."""
    git(tmp_path, "clone", "-q", str(upstream), "clone")
    push_by_somebody(tmp_path / "clone", "main", "README.md")
    return tmp_path / "clone"


@pytest.fixture
def plane(tmp_path, upstream) -> GitPlane:
    return GitPlane(tmp_path / "local.git", remote_url=f"file://{upstream}")


def test_a_delivery_is_pushed(plane, upstream):
    applied = plane.apply(delivery(place(), config_map(a="1")))
    assert manifests(upstream) == [FILE]
    assert git(upstream, "rev-parse", "main") == applied.revision == git(plane.path, "rev-parse", "main")


def test_it_goes_on_top_of_what_others_have_pushed(plane, upstream, clone):
    plane.apply(delivery(place(), config_map(a="1")))
    git(clone, "pull", "-q")
    push_by_somebody(clone, "main", "notes.txt")
    plane.apply(delivery(place(), config_map(a="2")))
    assert files(upstream) == ["README.md", "default/development/shop/cart/.stagecraft", FILE, "notes.txt"]
    assert commits(upstream) == [
        "somebody adds README.md",
        "Deliver cart to development: cart-abc",
        "somebody adds notes.txt",
        "Deliver cart to development: cart-abc",
    ]


def test_a_push_of_somebody_between_our_fetch_and_our_push_is_kept(plane, upstream, clone, monkeypatch):
    plane.apply(delivery(place(), config_map(a="1")))
    git(clone, "pull", "-q")
    push, pushed = Remote.push, []

    def push_after_somebody(self, commit, reference):
        if len(pushed) < 3:
            pushed.append(1)
            push_by_somebody(clone, "main", f"between-{len(pushed)}.txt")
        push(self, commit, reference)

    monkeypatch.setattr(Remote, "push", push_after_somebody)
    plane.apply(delivery(place(), config_map(a="2")))
    assert commits(upstream)[2:] == [
        "somebody adds between-1.txt",
        "somebody adds between-2.txt",
        "somebody adds between-3.txt",
        "Deliver cart to development: cart-abc",
    ]
    assert git(upstream, "rev-parse", "main") == git(plane.path, "rev-parse", "main")


def test_writers_on_two_machines_and_people_share_one_remote(upstream, clone, tmp_path):
    url = f"file://{upstream}"
    writers = [start(tmp_path / f"machine{number}.git", f"writer{number}", 3, url) for number in range(2)]
    pushed = 0
    while any(writer.poll() is None for writer in writers):
        push_by_somebody(clone, "main", f"notes/{pushed}.txt")
        pushed += 1
        time.sleep(0.1)
    assert [writer.communicate()[1] for writer in writers] == ["", ""]
    assert len([name for name in manifests(upstream) if name.endswith(".yaml")]) == 2 * 3 * 2
    assert len([name for name in files(upstream) if name.startswith("notes/")]) == pushed
    assert len(commits(upstream)) == 1 + pushed + 2 * 3 * 2
    assert is_sound(upstream)


def test_a_remote_that_is_not_there_is_named_and_nothing_is_delivered_by_halves(plane, upstream):
    plane.apply(delivery(place(), config_map(a="1")))
    upstream.rename(upstream.with_name("away.git"))
    with pytest.raises(PlaneError, match=r"upstream\.git cannot be fetched from"):
        plane.apply(delivery(place(), config_map(a="2")))
    assert len(commits(plane.path)) == 1
    upstream.with_name("away.git").rename(upstream)
    plane.apply(delivery(place(), config_map(a="2")))
    assert len(commits(upstream)) == 2


def test_a_remote_that_refuses_is_quoted_and_not_asked_again_and_again(plane, upstream, monkeypatch):
    monkeypatch.setattr(branch_module, "PATIENCE", 60.0)
    hook = upstream / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho 'main is protected: open a pull request' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(PlaneError, match="main is protected: open a pull request"):
        plane.apply(delivery(place(), config_map(a="1")))
    hook.unlink()
    assert plane.apply(delivery(place(), config_map(a="1"))).changed
    assert manifests(upstream) == [FILE]


def test_killed_between_push_and_the_local_branch_it_makes_no_second_commit(plane, upstream, monkeypatch):
    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(branch_module.Branch, "move", die)
        with pytest.raises(KeyboardInterrupt):
            plane.apply(delivery(place(), config_map(a="1")))
    applied = plane.apply(delivery(place(), config_map(a="1")))
    assert not applied.changed
    assert len(commits(upstream)) == 1
    assert git(plane.path, "rev-parse", "main") == git(upstream, "rev-parse", "main")


def test_local_commits_that_the_remote_never_had_stay_findable_and_their_objects_are_delivered_again(
    plane, upstream, clone
):
    GitPlane(plane.path).apply(delivery(place(), config_map(a="1")))  # before the remote was configured
    before = git(plane.path, "rev-parse", "main")
    assert plane.apply(delivery(place(), config_map(a="1"))).changed
    assert manifests(upstream) == ["README.md", FILE]
    assert git(plane.path, "rev-parse", f"refs/stagecraft/left-behind/{before}") == before


def test_what_is_changed_at_the_remote_is_noticed_by_and_by(plane, upstream, clone, monkeypatch):
    from catalog.delivery.git import plane as plane_module

    applied = plane.apply(delivery(place(), config_map(a="1")))
    git(clone, "pull", "-q")
    push_by_somebody(clone, "main", FILE, "kind: ConfigMap\n")
    assert plane.holds(place(), applied.state), "the remote is not asked each time"
    monkeypatch.setattr(plane_module, "REFRESH_SECONDS", 0.0)
    assert not plane.holds(place(), applied.state)
    assert plane.apply(delivery(place(), config_map(a="1"))).changed


def test_without_the_git_program_a_remote_is_refused_in_words(plane, monkeypatch):
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(PlaneNotConfigured, match="needs the git program"):
        plane.apply(delivery(place(), config_map(a="1")))


def test_a_password_in_the_url_is_never_shown(tmp_path):
    plane = GitPlane(tmp_path / "local.git", remote_url="https://me:hunter2@127.0.0.1:9/repository.git")
    with pytest.raises(PlaneError) as refusal:
        plane.apply(delivery(place(), config_map(a="1")))
    assert "127.0.0.1:9/repository.git" in str(refusal.value)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize("url", ["ext::sh -c touch% /tmp/x", "--upload-pack=touch", "fd::17", "/etc", "host:path with"])
def test_no_url_is_a_command_or_an_option(url):
    assert not ALLOWED.fullmatch(url)


def test_a_push_leaves_no_process_behind(plane):
    plane.apply(delivery(place(), config_map(a="1")))
    children = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "comm="], capture_output=True, text=True)
    assert "git" not in children.stdout.split()
