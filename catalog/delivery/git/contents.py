"""What a place's directory holds, and the directory that a delivery makes of it.

The index says which files are ours. Where it is missing or unreadable, the objects say it themselves, by their
tracking labels. Files of others stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pygit2

from catalog.compiler import yaml
from catalog.compiler.documents import Document
from catalog.delivery.git import index
from catalog.delivery.git.layout import file_names
from catalog.delivery.git.tree import FILE, with_entries
from catalog.delivery.plane import ObjectKey, Place, WantedObject
from catalog.delivery.tracking import RESOURCE_ID, is_tracked

Blobs = dict[tuple[ObjectKey, str], pygit2.Oid]
"""What has been written so far, by object and digest: an attempt that lost a race writes nothing twice."""


@dataclass(frozen=True, slots=True)
class Contents:
    """A directory as it was found: the Git tree (None: there is none), and what of it is ours."""

    tree: pygit2.Tree | None
    entries: tuple[index.Entry, ...]

    def by_key(self) -> dict[ObjectKey, index.Entry]:
        return {entry.key: entry for entry in self.entries}


@dataclass(frozen=True, slots=True)
class Change:
    """A new directory (None: nothing is left of it), and how it differs from the old one."""

    before: pygit2.Oid | None
    tree: pygit2.Oid | None
    added: tuple[ObjectKey, ...]
    changed: tuple[ObjectKey, ...]
    removed: tuple[ObjectKey, ...]

    @property
    def is_change(self) -> bool:
        return self.tree != self.before


def read_contents(repository: pygit2.Repository, tree: pygit2.Tree | None, place: Place) -> Contents:
    """Read the index of a directory, or make one up from what lies there."""
    if tree is None:
        return Contents(None, ())
    if index.FILE_NAME in tree:
        try:
            return Contents(tree, tuple(index.load(content_of(repository, tree, index.FILE_NAME))))
        except index.Unreadable:
            pass
    return Contents(tree, tuple(entries_by_labels(tree, place)))


def content_of(repository: pygit2.Repository, tree: pygit2.Tree, name: str) -> bytes:
    """A file's content; nothing for what is no file."""
    found = repository[tree[name].id]
    return found.data if isinstance(found, pygit2.Blob) else b""


def entries_by_labels(tree: pygit2.Tree, place: Place) -> list[index.Entry]:
    """An index made from the tracking labels of the manifests in a directory; without digests, so all are delivered."""
    entries = []
    for item in tree:
        if not isinstance(item, pygit2.Blob) or not str(item.name).endswith(".yaml"):
            continue
        document = parse(item.data)
        if document is None or not is_tracked(document, place):
            continue
        group, _, version = str(document.get("apiVersion") or "").rpartition("/")
        metadata = document["metadata"]
        key = ObjectKey(group, str(document.get("kind")), metadata.get("namespace") or "", str(metadata.get("name")))
        resource_id = metadata["labels"].get(RESOURCE_ID, "")
        entries.append(index.Entry(key, version, resource_id, "", str(item.name), str(item.id)))
    return entries


def parse(content: bytes) -> Document | None:
    """One manifest; None for what is none."""
    try:
        document = yaml.load(content.decode())
    except ValueError:
        return None
    return document if isinstance(document, dict) and isinstance(document.get("metadata"), dict) else None


def missing_blobs(contents: Contents, wanted: Sequence[WantedObject], blobs: Blobs) -> list[ObjectKey]:
    """The objects whose content the directory does not hold and that have not been written yet."""
    held = contents.by_key()
    return [
        item.key
        for item in wanted
        if (item.key, item.digest) not in blobs and intact_blob(contents, held.get(item.key), item) is None
    ]


def intact_blob(contents: Contents, entry: index.Entry | None, wanted: WantedObject) -> pygit2.Oid | None:
    """The blob that holds the wanted content already, if nobody has edited its file since."""
    tree = contents.tree
    if entry is None or tree is None or entry.digest != wanted.digest or entry.file not in tree:
        return None
    found = tree[entry.file].id
    return found if str(found) == entry.blob else None


def write_blobs(
    repository: pygit2.Repository,
    wanted: Sequence[WantedObject],
    bodies: Mapping[ObjectKey, Document],
    blobs: Blobs,
) -> dict[ObjectKey, str]:
    """Write the given manifests and remember their ids. Returns the objects that YAML cannot express, and why."""
    errors = {}
    for item in wanted:
        if item.key not in bodies or (item.key, item.digest) in blobs:
            continue
        try:
            content = yaml.dump(bodies[item.key]).encode()
        except (ValueError, TypeError) as error:
            errors[item.key] = str(error)
            continue
        blobs[item.key, item.digest] = repository.create_blob(content)
    return errors


def with_objects(
    repository: pygit2.Repository, contents: Contents, wanted: Sequence[WantedObject], blobs: Blobs
) -> Change:
    """The directory that holds exactly the wanted objects of those that are ours. Their blobs have been written."""
    held, names = contents.by_key(), file_names(item.key for item in wanted)
    entries = []
    for item in wanted:
        blob = intact_blob(contents, held.get(item.key), item) or blobs.get((item.key, item.digest))
        if blob is None:  # what cannot be written stays as it was delivered last
            blob = pygit2.Oid(hex=held[item.key].blob)
        entries.append(index.Entry(item.key, item.version, item.id, item.digest, names[item.key], str(blob)))
    now = {entry.key: entry for entry in entries}
    files: dict[str, tuple[pygit2.Oid | None, pygit2.enums.FileMode]] = {
        entry.file: (None, FILE) for entry in contents.entries
    }
    files.update((entry.file, (pygit2.Oid(hex=entry.blob), FILE)) for entry in entries)
    files[index.FILE_NAME] = (repository.create_blob(index.dump(entries)) if entries else None, FILE)
    return Change(
        before=None if contents.tree is None else contents.tree.id,
        tree=with_entries(repository, contents.tree, files),
        added=tuple(key for key in now if key not in held),
        changed=tuple(key for key in now if key in held and differs(contents, held[key], now[key])),
        removed=tuple(key for key in held if key not in now),
    )


def differs(contents: Contents, before: index.Entry, after: index.Entry) -> bool:
    """Whether the file that the branch holds is not the file that shall be there."""
    tree = contents.tree
    return (
        tree is None or before.file not in tree or str(tree[before.file].id) != after.blob or before.file != after.file
    )
