"""The list of what is ours in a directory: a file beside the objects that says which file holds which object.

With it, "what do we own here" costs one read, files that others put beside ours are never touched, and a file that
somebody has edited is seen without being parsed. Its name has no extension, so that neither Argo CD nor Flux takes it
for a manifest.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from catalog.delivery.plane import ObjectKey, OwnedObject

FILE_NAME = ".stagecraft"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One object: where it lies, and the Git id of the content that we wrote there."""

    key: ObjectKey
    version: str
    id: str
    digest: str
    file: str
    blob: str

    def owned(self) -> OwnedObject:
        return OwnedObject(self.key, self.version, self.id, self.digest)


class Unreadable(ValueError):
    """The index is not one of ours, or somebody has edited it."""


def dump(entries: Iterable[Entry]) -> bytes:
    """The file's content: JSON, one object a line, so that a diff of it can be read. Deterministic."""
    lines = [
        json.dumps(
            {
                "file": entry.file, "id": entry.id, "group": entry.key.group, "version": entry.version,
                "kind": entry.key.kind, "namespace": entry.key.namespace, "name": entry.key.name,
                "digest": entry.digest, "blob": entry.blob,
            }
        )
        for entry in entries
    ]  # fmt: skip
    objects = ",\n".join(lines)
    return f'{{"format": {FORMAT}, "objects": [\n{objects}\n]}}\n'.encode()


def load(content: bytes) -> list[Entry]:
    """The entries in the order of application. Raises `Unreadable`."""
    try:
        held = json.loads(content)
        if held["format"] != FORMAT:
            raise Unreadable(f"index of format {held['format']!r}, expected {FORMAT}")
        return [
            Entry(
                key=ObjectKey(item["group"], item["kind"], item["namespace"], item["name"]),
                version=item["version"], id=item["id"], digest=item["digest"], file=item["file"], blob=item["blob"],
            )
            for item in held["objects"]
        ]  # fmt: skip
    except (ValueError, KeyError, TypeError) as error:
        raise Unreadable(str(error)) from error


def owned(entries: Sequence[Entry]) -> list[OwnedObject]:
    return [entry.owned() for entry in entries]
