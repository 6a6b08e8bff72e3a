"""Opening the repository, making it on first use, and refusing to move a branch under somebody's feet."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pygit2

from catalog.delivery.git.objects import Gathered, gather
from catalog.delivery.plane import PlaneError, PlaneNotConfigured

NO_ROOM_BYTES = 64 * 1024
pygit2.settings.cache_max_size(16 * 1024 * 1024)  # libgit2 would keep up to 256 MiB of old trees in every worker
_open = threading.local()  # a Repository of libgit2 must not be shared by threads


@dataclass(frozen=True, slots=True)
class OpenRepository:
    """A repository, what has been written to it but is not on disk yet, and the directory with objects and branches."""

    git: pygit2.Repository
    gathered: Gathered
    common: Path


def repository_at(path: Path, branch: str) -> OpenRepository:
    """The repository, opened once per thread and process, made bare if there is none yet.

    Raises `PlaneNotConfigured` if something else is at `path`.
    """
    held: dict[Path, tuple[object, OpenRepository]] = _open.__dict__.setdefault("repositories", {})
    identity = identity_of(path)
    found = held.get(path)
    if found is not None and found[0] == (os.getpid(), identity):
        return found[1]
    if identity is None or (path.is_dir() and not any(path.iterdir())):
        make_repository(path, branch)
    repository = open_repository(path)
    opened = OpenRepository(repository, gather(repository), common_directory(repository))
    held[path] = ((os.getpid(), identity_of(path)), opened)
    return opened


def common_directory(repository: pygit2.Repository) -> Path:
    """The directory with objects and branches: of a linked work tree, its main repository's."""
    path = Path(repository.path)
    pointer = read_if_there(path / "commondir")
    return (path / pointer).resolve() if pointer else path


def identity_of(path: Path) -> tuple[int, int] | None:
    """Tells a directory from another that took its place; None if there is none."""
    try:
        held = path.stat()
    except FileNotFoundError:
        return None
    except NotADirectoryError as error:
        raise PlaneNotConfigured(f"the Git plane's repository {path} cannot be: a file is in the way") from error
    return held.st_dev, held.st_ino


def open_repository(path: Path) -> pygit2.Repository:
    try:
        return pygit2.Repository(str(path), pygit2.enums.RepositoryOpenFlag.NO_SEARCH)
    except pygit2.GitError as error:
        if "not owned by current user" in str(error):
            raise PlaneNotConfigured(
                f"the Git plane's repository {path} belongs to another user, and Git refuses it for that: run the "
                f"server and the workers as its owner, or allow it by `git config --global --add safe.directory {path}`"
            ) from error
        raise PlaneNotConfigured(
            f"the Git plane cannot use {path}: {error}. Name a Git repository, or a path where nothing is yet, in "
            "GIT_PLANE_REPOSITORY"
        ) from error


def make_repository(path: Path, branch: str) -> None:
    """Make a bare repository in one step, so that no other process ever sees half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        repository = pygit2.init_repository(str(unfinished), bare=True, initial_head=branch)
        repository.free()
        unfinished.chmod(0o755)
        try:
            unfinished.rename(path)
        except OSError:
            if not (path / "HEAD").exists():  # else another process was first, and its repository is as good
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def refuse_checked_out(opened: OpenRepository, branch: str) -> None:
    """Raise `PlaneNotConfigured` if a work tree stands on the branch: moving it would make every file look changed."""
    main = [] if opened.git.is_bare else [(opened.common / "HEAD", str(opened.common.parent))]
    linked = opened.common / "worktrees"
    others = [(entry / "HEAD", worktree_of(entry)) for entry in linked.iterdir()] if linked.is_dir() else []
    for head, place in (*main, *others):
        if read_if_there(head) == f"ref: refs/heads/{branch}":
            raise PlaneNotConfigured(
                f"branch {branch!r} of {opened.common} is checked out in {place}, and delivering to it would leave "
                f"that work tree behind its branch. Either choose a branch that nobody has checked out "
                f"(GIT_PLANE_BRANCH), or leave it there (`git -C {place} switch --detach`), or name a bare repository "
                "(GIT_PLANE_REPOSITORY)"
            )


def worktree_of(administration: Path) -> str:
    """The directory of a linked work tree, as its entry under `worktrees/` says."""
    return (read_if_there(administration / "gitdir") or str(administration)).removesuffix("/.git")


def read_if_there(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


@contextmanager
def readable_errors(what: str, path: Path) -> Iterator[None]:
    """Turn what libgit2 and the operating system say into a `PlaneError` that names the repository."""
    try:
        yield
    except PlaneError:
        raise
    except (OSError, pygit2.GitError, KeyError, ValueError) as error:
        text = str(error) or type(error).__name__
        if "No space left" in text or "Disk quota" in text or is_full(path):
            raise PlaneError(
                f"no space left for {what}: make room; nothing has been lost, and the delivery is tried again"
            ) from error
        if isinstance(error, PermissionError) or "Permission denied" in text:
            raise PlaneError(f"{what} may not be written by this process: {text}") from error
        raise PlaneError(f"{what}: {text}") from error


def is_full(path: Path) -> bool:
    """Whether the file system has no room. libgit2 often fails on a full disk with the text of an older error."""
    try:
        room = os.statvfs(path)
    except OSError:
        return False
    return room.f_bavail * room.f_frsize < NO_ROOM_BYTES or (room.f_files > 0 and room.f_favail == 0)
