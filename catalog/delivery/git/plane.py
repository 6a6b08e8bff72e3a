"""The Git plane: delivers by committing manifests to a branch that Argo CD or Flux, or a person, watches.

One commit for each delivery that changes something. The commit is the delivery: it is there whole or not at all, also
when the process is killed or the disk is full. What becomes of the objects in a cluster is not seen from here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NoReturn

import pygit2

from catalog.compiler.documents import Document
from catalog.delivery.git import contents as directory
from catalog.delivery.git import index, message
from catalog.delivery.git.branch import Branch, Wanted
from catalog.delivery.git.layout import directory_of
from catalog.delivery.git.objects import merge_packs
from catalog.delivery.git.remote import Remote
from catalog.delivery.git.repository import OpenRepository, readable_errors, repository_at
from catalog.delivery.git.tree import subtree, with_subtree
from catalog.delivery.plane import (
    CANNOT,
    Applied,
    Capabilities,
    Command,
    CommandSession,
    Delivery,
    LogLine,
    ObjectKey,
    OwnedObject,
    Place,
    Story,
    Superseded,
    Unsupported,
    WantedObject,
)

NOTHING = "nothing"
"""The `state` of a place without a directory."""

REFRESH_SECONDS = 60.0
_refreshed_at: dict[GitPlane, float] = {}
"""When this process last fetched for a plane with a remote."""


@dataclass(frozen=True, slots=True)
class GitPlane:
    """A branch of a repository on this machine, and the remote that it follows, if any."""

    path: Path
    branch: str = "main"
    remote_url: str = ""
    is_guarded: bool = False
    """Whether the remote was chosen by a user, among those that are permitted; else it is the installation's own."""

    driver: ClassVar[str] = "git"
    capabilities: ClassVar[Capabilities] = Capabilities(keeps_history=True)

    def apply(self, delivery: Delivery) -> Applied:
        """Make the place hold these objects; one commit, or none if it holds them already."""
        steps = directory_of(delivery.place)
        # A release may name one object twice; as in a cluster, the last one stays.
        wanted = list({item.key: item for item in delivery.objects}.values())
        blobs: directory.Blobs = {}
        errors: dict[ObjectKey, str] = {}
        latest: list[directory.Change] = []

        def prepare(root: pygit2.Tree | None) -> directory.Contents:
            held = directory.read_contents(repository, subtree(root, steps), delivery.place)
            keys = [key for key in directory.missing_blobs(held, wanted, blobs) if key not in errors]
            if keys:
                errors.update(directory.write_blobs(repository, wanted, delivery.bodies(keys), blobs))
            return held

        def build(root: pygit2.Tree | None) -> Wanted:
            if not delivery.is_current():
                raise Superseded(f"{delivery.place} has changed again since this delivery was prepared")
            held = prepare(root)
            change = directory.with_objects(repository, held, deliverable(held, wanted, errors), blobs)
            latest[:] = [change]
            if not change.is_change:
                return Wanted(None)
            text = message.delivered(delivery.place, delivery.story, change.added, change.changed, change.removed)
            return self.wanted(repository, root, steps, change.tree, text, delivery.story)

        with self.opened() as opened:
            repository, branch = opened.git, self.branch_of(opened)
            head = branch.head()
            prepare(None if head is None else head.tree)  # the slow part, before the lock is taken
            head = branch.commit(build)
            merge_packs(opened.common)
        _refreshed_at[self] = time.monotonic()
        (change,) = latest
        return Applied(
            changed=change.is_change,
            revision="" if head is None else str(head.id),
            state=NOTHING if change.tree is None else str(change.tree),
            errors=errors,
        )

    def holds(self, place: Place, state: str) -> bool:
        """Whether the place's directory is as `apply` left it. A remote is asked once a minute, for all places."""
        with self.opened() as opened:
            if self.remote_url and time.monotonic() - _refreshed_at.get(self, -REFRESH_SECONDS) >= REFRESH_SECONDS:
                self.branch_of(opened).commit(lambda root: Wanted(None))
                _refreshed_at[self] = time.monotonic()
            found = self.directory(opened, place)
            return state == (NOTHING if found is None else str(found.id))

    def list_owned(self, place: Place) -> list[OwnedObject]:
        with self.opened() as opened:
            held = directory.read_contents(opened.git, self.directory(opened, place), place)
            return index.owned(held.entries)

    def read(self, place: Place, key: ObjectKey) -> Document | None:
        """The manifest as the branch has it, also if somebody has edited it."""
        with self.opened() as opened:
            held = directory.read_contents(opened.git, self.directory(opened, place), place)
            entry = held.by_key().get(key)
            if entry is None or held.tree is None or entry.file not in held.tree:
                return None
            return directory.parse(directory.content_of(opened.git, held.tree, entry.file))

    def delete(self, place: Place, story: Story, is_current: Callable[[], bool] = lambda: True) -> list[OwnedObject]:
        """Remove the place's objects, and its directory unless others have files there. Complete when it returns."""
        if not self.path.exists() and not self.remote_url:
            return []  # never delivered to, or removed by hand: not to be made anew for this
        steps = directory_of(place)

        def build(root: pygit2.Tree | None) -> Wanted:
            if not is_current():
                raise Superseded(f"{place} is not to be removed any more")
            held = directory.read_contents(repository, subtree(root, steps), place)
            if held.tree is None:
                return Wanted(None)
            change = directory.with_objects(repository, held, [], {})
            if not change.is_change:
                return Wanted(None)
            text = message.removed(place, story, change.removed)
            return self.wanted(repository, root, steps, change.tree, text, story)

        with self.opened() as opened:
            repository = opened.git
            self.branch_of(opened).commit(build)
            merge_packs(opened.common)
        return []

    def live(self, place: Place) -> Sequence[Document]:
        self.refuse(CANNOT["reads_live"])

    def events(self, key: ObjectKey) -> Sequence[Document]:
        self.refuse(CANNOT["reports_events"])

    def read_log(self, pod: Document, container: str, since_seconds: int | None = None) -> Iterator[LogLine]:
        self.refuse(CANNOT["streams_logs"])

    def create(self, place: Place, document: Document) -> None:
        self.refuse(CANNOT["creates_objects"])

    def run_command(self, place: Place, command: Command) -> CommandSession:
        self.refuse(CANNOT["runs_commands"])

    def stream_flows(self, namespace: str, environment: str, project: str, component: str) -> Iterator[bytes]:
        self.refuse(CANNOT["streams_flows"])

    def put(self, documents: Sequence[Document]) -> None:
        """Never: what is in a repository is read by all who read the repository, for ever."""
        self.refuse(CANNOT["holds_secrets"])

    def find(self, version: str, kind: str, namespace: str, name: str) -> Document | None:
        self.refuse(CANNOT["holds_secrets"])

    def offspring(self, document: Document) -> Sequence[Document]:
        self.refuse(CANNOT["runs_workflows"])

    def take_away(self, keys: Sequence[ObjectKey]) -> None:
        self.refuse(CANNOT["holds_secrets"])

    def refuse(self, what: str) -> NoReturn:
        raise Unsupported(
            f"this environment is delivered through Git ({self.named}), so the platform cannot {what} there; "
            "look in the cluster that follows the repository"
        )

    @property
    def named(self) -> str:
        """Branch and repository for those who may not know where files lie on this machine."""
        where = Remote(self.path, self.remote_url).shown if self.remote_url else self.path.name
        return f"branch {self.branch} of {where}"

    @property
    def shown(self) -> str:
        remote = f" of {Remote(self.path, self.remote_url).shown}" if self.remote_url else f" of {self.path}"
        return f"Git plane, branch {self.branch}{remote}"

    @contextmanager
    def opened(self) -> Iterator[OpenRepository]:
        """The repository, for one operation; what has not been written when it ends is forgotten."""
        with readable_errors(self.shown, self.path):
            opened = repository_at(self.path, self.branch)
            try:
                yield opened
            finally:
                opened.gathered.held.clear()

    def branch_of(self, opened: OpenRepository) -> Branch:
        remote = Remote(Path(opened.git.path), self.remote_url, self.is_guarded) if self.remote_url else None
        return Branch(opened, self.branch, remote)

    def directory(self, opened: OpenRepository, place: Place) -> pygit2.Tree | None:
        head = self.branch_of(opened).head()
        return None if head is None else subtree(head.tree, directory_of(place))

    def wanted(
        self,
        repository: pygit2.Repository,
        root: pygit2.Tree | None,
        steps: tuple[str, ...],
        tree: pygit2.Oid | None,
        text: str,
        story: Story,
    ) -> Wanted:
        """The branch's next state: the root with the new directory in its place."""
        new_root = with_subtree(repository, root, steps, tree) or repository.TreeBuilder().write()
        return Wanted(new_root, text, author_name(story.actor))


def deliverable(
    held: directory.Contents, wanted: Sequence[WantedObject], errors: dict[ObjectKey, str]
) -> list[WantedObject]:
    """What can be delivered: all but what cannot be written, of which the version that is there stays."""
    if not errors:
        return list(wanted)
    before = held.by_key()
    kept = []
    for item in wanted:
        if item.key not in errors:
            kept.append(item)
        elif item.key in before:
            entry = before[item.key]
            kept.append(WantedObject(entry.key, entry.version, entry.id, entry.digest))
    return kept


def author_name(actor: str) -> str:
    """The actor as Git takes it: no angle brackets, no line breaks, never empty."""
    return message.one_line(actor.replace("<", " ").replace(">", " ")) or "stagecraft"
