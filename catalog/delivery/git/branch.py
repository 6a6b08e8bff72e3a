"""Putting a commit on the branch, whoever else writes: the compare-and-swap loop.

Each attempt starts from what the branch is now, makes the wanted tree on top of it, and moves the branch only if it
still is there. Losing the race costs one more attempt; nothing that others have put on the branch is ever lost. With
a remote, the remote's branch is the one that counts: it is fetched before and pushed to after, and the local branch
only follows it.

A process that is killed leaves at most a pack that no commit names (Git collects it) or the lock file of the branch,
which is removed when it has outlived every honest holder.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pygit2

from catalog.delivery.git.lock import locked
from catalog.delivery.git.objects import write_pack
from catalog.delivery.git.remote import Rejected, Remote
from catalog.delivery.git.repository import OpenRepository, refuse_checked_out
from catalog.delivery.plane import PlaneError

PATIENCE = 20.0  # seconds for one delivery, all attempts together; well below a worker's lease
FIRST_PAUSE, LONGEST_PAUSE = 0.002, 0.1
STALE_LOCK_SECONDS = 10.0  # Git and libgit2 hold the lock of a branch for milliseconds
COMMITTER_MAIL = "stagecraft@localhost"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A new state of the branch: the root tree (None: as it is) and what to write about it."""

    tree: pygit2.Oid | None
    message: str = ""
    author: str = ""


class LostRace(Exception):
    """Somebody else moved the branch first."""


@dataclass(frozen=True, slots=True)
class Branch:
    opened: OpenRepository
    name: str
    remote: Remote | None = None

    @property
    def repository(self) -> pygit2.Repository:
        return self.opened.git

    @property
    def reference_name(self) -> str:
        return f"refs/heads/{self.name}"

    @property
    def lock_path(self) -> Path:
        return self.opened.common / "stagecraft.lock"

    def head(self) -> pygit2.Commit | None:
        """The newest commit, None while the branch does not exist."""
        reference = self.repository.references.get(self.reference_name)
        return None if reference is None else self.commit_of(reference.target)

    def commit_of(self, oid: pygit2.Oid | str) -> pygit2.Commit:
        found = self.repository[oid]
        if not isinstance(found, pygit2.Commit):
            raise PlaneError(f"{self.reference_name} of {self.opened.common} names no commit")
        return found

    def commit(self, build: Callable[[pygit2.Tree | None], Wanted]) -> pygit2.Commit | None:
        """Put what `build` makes of the branch's tree on top of the branch. Returns the newest commit.

        `build` may be called several times, each time with the newest tree; what it raises ends the loop.
        """
        for _ in attempts(PATIENCE):
            with suppress(LostRace), locked(self.lock_path, PATIENCE):
                return self.attempt(build)
        raise PlaneError(
            f"branch {self.name!r} of {self.repository.path} was moved by others again and again for {PATIENCE:.0f} s; "
            "the delivery is tried again later"
        )

    def attempt(self, build: Callable[[pygit2.Tree | None], Wanted]) -> pygit2.Commit | None:
        refuse_checked_out(self.opened, self.name)
        head = self.head()
        if self.remote is not None:
            head = self.follow(self.remote, head)
        wanted = build(None if head is None else head.tree)
        if wanted.tree is None or (head is not None and wanted.tree == head.tree.id):
            return head
        author = pygit2.Signature(wanted.author, COMMITTER_MAIL, int(time.time()), 0)
        committer = pygit2.Signature("Stagecraft", COMMITTER_MAIL, int(time.time()), 0)
        parents: list[str | pygit2.Oid] = [] if head is None else [head.id]
        # Not `create_commit`: it reports success for a commit that it could not write.
        text = str(self.repository.create_commit_string(author, committer, wanted.message, wanted.tree, parents))
        new = self.repository.write(pygit2.enums.ObjectType.COMMIT, text.encode())
        write_pack(self.opened.gathered, self.opened.common / "objects" / "pack")
        if self.remote is not None:
            try:
                self.remote.push(new, self.reference_name)
            except Rejected as error:
                raise LostRace from error
        self.move(None if head is None else head.id, new)
        return self.commit_of(new)

    def follow(self, remote: Remote, head: pygit2.Commit | None) -> pygit2.Commit | None:
        """Bring the local branch to where the remote's is; a remote without the branch takes ours as its beginning."""
        fetched = remote.fetch(self.reference_name)
        if fetched is None or (head is not None and fetched == head.id):
            return head
        if head is not None and not self.repository.descendant_of(fetched, head.id):
            # Commits that the remote never had. Keep them findable; their objects are delivered again.
            self.repository.references.create(f"refs/stagecraft/left-behind/{head.id}", head.id, force=True)
        self.move(None if head is None else head.id, fetched)
        return self.commit_of(fetched)

    def move(self, old: pygit2.Oid | None, new: pygit2.Oid) -> None:
        """Let the branch name `new`, if it still names `old`. Raises `LostRace`."""
        try:
            if old is None:
                self.repository.references.create(self.reference_name, new)
                return
            reference = self.repository.references.get(self.reference_name)
            if reference is None or reference.target != old:
                raise LostRace
            reference.set_target(new)  # compares again, under the lock of the reference
        except pygit2.AlreadyExistsError as error:
            raise LostRace from error
        except pygit2.GitError as error:
            if "does not match" in str(error):
                raise LostRace from error
            raise
        except OSError as error:
            if "failed to lock" not in str(error) or "No space left" in str(error):
                raise
            remove_stale_lock(self.opened.common / f"{self.reference_name}.lock")
            raise LostRace from error


def remove_stale_lock(path: Path) -> None:
    """Remove a lock file that a killed process has left behind."""
    with suppress(FileNotFoundError):
        if time.time() - path.stat().st_mtime > STALE_LOCK_SECONDS:
            path.unlink()


def attempts(patience: float) -> Iterator[int]:
    """Count up, with growing pauses between, until the time is over; at least twice."""
    deadline, pause, count = time.monotonic() + patience, FIRST_PAUSE, 0
    while count < 2 or time.monotonic() < deadline:
        yield count
        count += 1
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
        pause = min(pause * 2, LONGEST_PAUSE)
