"""New Git objects are gathered in memory and written as one pack, together, just before the branch moves.

A delivery makes about fifteen objects. As loose files each is a file to create, which on many disks costs more than all
the rest of a delivery; as a pack it is two. And a delivery that is given up on its way leaves nothing behind.

So that the packs do not become too many, small ones are merged into larger ones (`merge_packs`), which Git's and
libgit2's readers take in their stride: who misses a pack looks at the directory again.

By default a delivery waits for the disk as little as Git does for loose objects: a power cut may cost the last seconds.
`git config stagecraft.sync true` in the repository makes every delivery safe against that too, for some milliseconds.
"""

from __future__ import annotations

import fcntl
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pygit2

from catalog.delivery.git import pack

log = logging.getLogger("stagecraft.delivery")
PRIORITY = 1000  # before libgit2's own: what is written goes here first
MERGE_AT = 16  # packs of about one size, that is within a factor of 16
SMALLEST_STEP = 4096  # bytes
LARGEST_MERGED = 4 * 1024 * 1024  # bytes; packs beyond are left to `git gc`


class Gathered(pygit2.OdbBackend):
    """Objects that are not on disk yet, by id. `sync`: as in `pack.write`."""

    def __init__(self, sync: bool) -> None:
        super().__init__()
        self.sync = sync
        self.held: dict[pygit2.Oid, tuple[int, bytes]] = {}

    def read_cb(self, oid: pygit2.Oid) -> tuple[int, bytes]:
        return self.held[oid]

    def read_header_cb(self, oid: pygit2.Oid) -> tuple[int, int]:
        kind, data = self.held[oid]
        return kind, len(data)

    def read_prefix_cb(self, oid: object) -> tuple[int, bytes, pygit2.Oid]:
        raise KeyError(oid)  # abbreviated ids are never used for what is new

    def exists_prefix_cb(self, oid: object) -> pygit2.Oid:
        raise KeyError(oid)

    def exists_cb(self, oid: pygit2.Oid) -> bool:
        return oid in self.held

    def write_cb(self, oid: pygit2.Oid, data: bytes, kind: int) -> None:
        self.held[oid] = (kind, bytes(data))

    def refresh_cb(self) -> None:
        pass

    def __iter__(self) -> Iterator[pygit2.Oid]:
        return iter(list(self.held))


def gather(repository: pygit2.Repository) -> Gathered:
    """Let a repository gather what is written to it. Its setting `stagecraft.sync`: whether to wait for the disk."""
    config = repository.config
    gathered = Gathered(sync="stagecraft.sync" in config and config.get_bool("stagecraft.sync"))
    repository.odb.add_backend(gathered, PRIORITY)
    return gathered


def write_pack(gathered: Gathered, directory: Path) -> None:
    """Write all that has been gathered as a pack in `directory`. Raises `OSError`."""
    if gathered.held:
        entries = (pack.entry(oid.raw, kind, data) for oid, (kind, data) in gathered.held.items())
        pack.write(entries, directory, gathered.sync)
        gathered.held.clear()


def merge_packs(common: Path) -> None:
    """Merge small packs where there are many of one size; leave it to the other process if one is at it already.

    `common` is the repository's directory with `objects`. What goes wrong here is no harm: the packs stay as they are.
    """
    directory = common / "objects" / "pack"
    if sum(1 for _ in directory.iterdir()) < 2 * MERGE_AT:
        return
    try:
        with (common / "stagecraft-packs.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for group in packs_by_size(directory):
                if len(group) >= MERGE_AT:
                    merge(group)
    except OSError as error:
        log.info("%s: packs not merged this time: %s", common, error)


def packs_by_size(directory: Path) -> list[list[Path]]:
    """The packs that may be merged, in groups of about one size, the smallest first."""
    groups: dict[int, list[Path]] = defaultdict(list)
    for path in directory.glob("pack-*.pack"):
        size = path.stat().st_size
        if size <= LARGEST_MERGED and not path.with_suffix(".keep").exists():
            groups[(size // SMALLEST_STEP).bit_length() // 4].append(path)
    return [groups[step] for step in sorted(groups)]


def merge(group: list[Path]) -> None:
    """Write one pack with the objects of all, then remove those."""
    entries: dict[bytes, pack.Entry] = {}
    merged = []
    for path in group:
        with suppress(pack.Foreign):
            found = list(pack.read(path))
            entries.update((entry.oid, entry) for entry in found)
            merged.append(path)
    if len(merged) < 2:
        return
    name = pack.write(entries.values(), group[0].parent)
    for path in merged:
        if path.stem != name:
            path.with_suffix(".idx").unlink(missing_ok=True)
            path.unlink(missing_ok=True)
