"""On a Git plane a rollback is a commit: the files of then, with who did it."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.releases.promote import promote
from catalog.releases.rollback import roll_back
from portal.accounts.actor import Actor
from tests.catalog.controllers import components as c
from tests.catalog.controllers import installation as it
from tests.catalog.delivery.deliveries import git

pytestmark = pytest.mark.django_db
ALICE = Actor("alice", surface="rest")


@pytest.fixture
def repository(settings, tmp_path) -> Path:
    settings.HOME = tmp_path
    settings.GIT_PLANE_REPOSITORY = str(tmp_path / "planes" / "default.git")
    c.install()
    it.apply_data_plane(driver="git")
    return tmp_path / "planes" / "default.git"


def deployment(repository: Path) -> str:
    names = git(repository, "ls-tree", "-r", "--name-only", "main").split()
    (name,) = [name for name in names if "/staging/" in name and "deployment" in name.lower()]
    return git(repository, "show", f"main:{name}")


def test_a_rollback_is_one_commit_with_the_files_of_then_and_its_author(repository: Path) -> None:
    contents = []
    for image in ("web:1", "web:2"):
        c.deploy(image=image)
        promote(c.component(), "staging", ALICE)
        it.settle()
        contents.append(deployment(repository))
    before = int(git(repository, "rev-list", "--count", "main"))
    roll_back(c.component(), "staging", ALICE)
    it.settle()
    assert int(git(repository, "rev-list", "--count", "main")) == before + 1
    assert deployment(repository) == contents[0] != contents[1]
    assert "alice" in git(repository, "log", "-1", "--format=%an %B", "main")
