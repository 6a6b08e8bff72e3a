"""Pack files of Git, written and merged: the format's simplest form, every object whole and compressed by itself.

As in Git's documentation of `pack-*.pack` and `pack-*.idx`, both version 2. Because no object is stored as a
difference to another, packs are merged by copying: nothing is compressed anew. A pack and its index come into being
under names that readers do not look for, and are then renamed: first the pack, then the index, by which readers find
it.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import struct
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

WHOLE_OBJECTS = frozenset({1, 2, 3, 4})  # commit, tree, blob, tag; 6 and 7 are differences
COMPRESSION = 1
INDEX_START = b"\377tOc\0\0\0\2"
LARGEST_OFFSET = 2**31 - 1  # beyond it an index needs another table, which packs of ours never reach


class Foreign(ValueError):
    """A pack that is not of the simple form: Git's own, with differences."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One object as it stands in a pack: its id, the CRC-32 of its bytes there, and those bytes."""

    oid: bytes
    crc: int
    packed: bytes


def entry(oid: bytes, kind: int, data: bytes) -> Entry:
    """The entry of an object: its kind and size in a number of variable length, then its compressed content."""
    size = len(data)
    head = bytearray()
    byte, size = (kind << 4) | (size & 15), size >> 4
    while size:
        head.append(byte | 128)
        byte, size = size & 127, size >> 7
    head.append(byte)
    packed = bytes(head) + zlib.compress(data, COMPRESSION)
    return Entry(oid, zlib.crc32(packed), packed)


def write(entries: Iterable[Entry], directory: Path, sync: bool = False) -> str:
    """Write a pack and its index into a directory. Returns its name without the extension. Raises `OSError`.

    `sync`: wait until the disk has it, so that not even a power cut undoes it; costs some milliseconds on most disks.
    """
    ordered = sorted(entries, key=lambda item: item.oid)
    start = struct.pack(">4sII", b"PACK", 2, len(ordered))
    content = b"".join([start, *(item.packed for item in ordered)])
    if len(content) > LARGEST_OFFSET:
        raise OSError(f"a pack of {len(content)} bytes is too large")
    checksum = hashlib.sha1(content, usedforsecurity=False).digest()
    name = f"pack-{checksum.hex()}"
    put(directory / f"{name}.pack", content + checksum, sync)
    put(directory / f"{name}.idx", index(ordered, len(start), checksum), sync)
    return name


def index(ordered: Sequence[Entry], start: int, checksum: bytes) -> bytes:
    """The index of a pack: for each first byte how many ids are no greater, then ids, CRCs and offsets, all sorted."""
    counts = [0] * 256
    for item in ordered:
        counts[item.oid[0]] += 1
    offsets = itertools.accumulate((len(item.packed) for item in ordered[:-1]), initial=start)
    content = b"".join(
        [
            INDEX_START,
            struct.pack(">256I", *itertools.accumulate(counts)),
            *(item.oid for item in ordered),
            struct.pack(f">{len(ordered)}I", *(item.crc for item in ordered)),
            struct.pack(f">{len(ordered)}I", *(itertools.islice(offsets, len(ordered)))),
            checksum,
        ]
    )
    return content + hashlib.sha1(content, usedforsecurity=False).digest()


def put(path: Path, content: bytes, sync: bool) -> None:
    """Let a file appear whole, or not at all."""
    descriptor, unfinished = tempfile.mkstemp(prefix="tmp_", dir=path.parent)  # a name that `git gc` clears away
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, 0o444)
            file.write(content)
            file.flush()
            if sync:
                os.fsync(descriptor)
        Path(unfinished).rename(path)
    except BaseException:
        with suppress(OSError):
            Path(unfinished).unlink()
        raise


def read(path: Path) -> Iterator[Entry]:
    """The entries of a pack (`….pack`). Raises `Foreign`, or `OSError` if it has gone."""
    table = path.with_suffix(".idx").read_bytes()
    if not table.startswith(INDEX_START):
        raise Foreign(f"{path}: its index is not of version 2")
    first = len(INDEX_START) + 256 * 4
    (count,) = struct.unpack_from(">I", table, first - 4)
    crcs = struct.unpack_from(f">{count}I", table, first + 20 * count)
    offsets = struct.unpack_from(f">{count}I", table, first + 24 * count)
    content = path.read_bytes()
    ends = dict(itertools.pairwise([*sorted(offsets), len(content) - 20]))
    for number, offset in enumerate(offsets):
        packed = content[offset : ends[offset]]
        if (packed[0] >> 4) & 7 not in WHOLE_OBJECTS or zlib.crc32(packed) != crcs[number]:
            raise Foreign(f"{path} has objects that cannot be copied")
        yield Entry(table[first + 20 * number : first + 20 * (number + 1)], crcs[number], packed)
