"""The types, traits and workflows that files define: completed and judged as by the store, but stored nowhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.compiler.yaml import Document as YamlDocument
from catalog.kinds.base import FieldError
from catalog.kinds.registry import kind_named
from catalog.manifests.reading import Entry, read_sources
from catalog.store.admission import admit
from catalog.type_tests.form import TARGET_KINDS

MAX_BYTES = 10 * 1024 * 1024
Key = tuple[str, str]


@dataclass(frozen=True)
class Definition:
    """One type, trait or workflow: as a release would freeze it, what is wrong with it, and where it stands."""

    kind: str
    name: str
    spec: dict[str, Any]
    errors: tuple[FieldError, ...]
    entry: Entry

    @property
    def document(self) -> dict[str, Any]:
        return {"kind": self.kind, "metadata": {"name": self.name}, "spec": self.spec}

    def location(self, path: str = "") -> str:
        return self.entry.location(path)

    @property
    def yaml(self) -> YamlDocument | None:
        return self.entry.yaml


class Definitions:
    """What some files define, by kind and name. The last definition of a name counts."""

    def __init__(self) -> None:
        self._by_key: dict[Key, Definition] = {}
        self._read: set[Path] = set()
        self.unreadable: list[Entry] = []

    def read(self, paths: Iterable[Path]) -> None:
        """Add what files and folders define; a file is read once."""
        for path in paths:
            resolved = path.resolve()
            if resolved in self._read:
                continue
            self._read.add(resolved)
            for entry in read_sources([str(resolved)], recursive=True, max_bytes=MAX_BYTES):
                self.add(entry)

    def add(self, entry: Entry) -> None:
        """Add the definition in a document, if it is one."""
        if entry.error:
            self.unreadable.append(entry)
        elif (definition := define(entry)) is not None:
            self._by_key[definition.kind, definition.name] = definition

    def get(self, kind: str, name: str) -> Definition | None:
        return self._by_key.get((kind, name))

    def __iter__(self) -> Any:
        return iter(self._by_key.values())


def define(entry: Entry) -> Definition | None:
    """Judge the definition in a document; None if it defines nothing that can be tested."""
    document = entry.value
    if not isinstance(document, dict) or document.get("kind") not in TARGET_KINDS:
        return None
    model, metadata = kind_named(document["kind"]), document.get("metadata") or {}
    name = str(metadata.get("name", ""))
    identity = {"name": name, "labels": {}, "annotations": {}} | ({"namespace": "default"} if model.namespaced else {})
    spec = document.get("spec")
    if not isinstance(spec, dict):
        return Definition(model.kind, name, {}, (FieldError("spec", "Required", "Required value"),), entry)
    admitted, errors = admit(model, None, {"metadata": identity, "spec": spec})
    return Definition(model.kind, name, admitted["spec"], tuple(errors), entry)
