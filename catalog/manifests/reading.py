"""Reading manifests: from files, folders, standard input or a request's body.

A source that cannot be read, and a document that is no YAML, are entries with an error, so that the others are still
worked on. Size is looked at before anything is read.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.compiler.errors import YamlError
from catalog.compiler.yaml import Document as YamlDocument
from catalog.compiler.yaml import Limits, load_documents

EXTENSIONS = (".yaml", ".yml", ".json")
STDIN = "-"


@dataclass(frozen=True)
class Entry:
    """One document of a source: its value and where it stands, or the reason why there is none.

    `path` is the place inside the YAML document ("items[3]" for an entry of a list, else "").
    """

    source: str
    value: Any = None
    error: str = ""
    yaml: YamlDocument | None = None
    path: str = ""

    def line_of(self, field: str = "") -> int:
        """The line, from 1, of a field of the document; 0 where the source has no lines."""
        if self.yaml is None:
            return 0
        return self.yaml.line_of(".".join(part for part in (self.path, field) if part))

    def location(self, field: str = "") -> str:
        """`file:line` of a field, for messages."""
        line = self.line_of(field)
        return f"{self.source}:{line}" if line else self.source


def read_sources(names: Iterable[str], *, recursive: bool = False, max_bytes: int) -> Iterator[Entry]:
    """The documents of files, of folders (their YAML and JSON files by name), and of standard input ("-")."""
    for name in names:
        if name == STDIN:
            yield from read_text(sys.stdin.buffer.read(max_bytes + 1), "<stdin>", max_bytes=max_bytes)
            continue
        path = Path(name)
        if path.is_dir():
            files = files_in(path, recursive=recursive)
            if not files:
                yield Entry(name, error=f"no {', '.join(EXTENSIONS)} file in this folder")
            for file in files:
                if leads_out(path, file):
                    yield Entry(str(file), error="leads out of this folder by a link; name the file itself to read it")
                else:
                    yield from read_file(file, max_bytes=max_bytes)
        else:
            yield from read_file(path, max_bytes=max_bytes)


def files_in(folder: Path, *, recursive: bool) -> list[Path]:
    """The manifest files of a folder, in order of their paths; hidden ones are other programs' settings."""
    found = folder.rglob("*") if recursive else folder.iterdir()
    return sorted(
        path
        for path in found
        if path.suffix.lower() in EXTENSIONS
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )


def leads_out(folder: Path, file: Path) -> bool:
    """Whether a file of a folder is a link to elsewhere. Folders are often of others: a repository just cloned."""
    return not file.resolve().is_relative_to(folder.resolve())


def read_file(path: Path, *, max_bytes: int) -> Iterator[Entry]:
    """The documents of one file."""
    try:
        size = path.stat().st_size
        if size > max_bytes:
            yield Entry(str(path), error=f"{size} bytes are more than the limit of {max_bytes} bytes")
            return
        content = path.read_bytes()
    except OSError as error:
        yield Entry(str(path), error=error.strerror or str(error))
        return
    yield from read_text(content, str(path), max_bytes=max_bytes)


def read_text(content: bytes | str, source: str, *, max_bytes: int) -> Iterator[Entry]:
    """The documents of a text; a Kubernetes List is taken apart."""
    try:
        documents = load_documents(content, source, Limits(bytes=max_bytes))
    except YamlError as error:
        yield Entry(source, error=error.reason)
        return
    for document in documents:
        if document.error is not None:
            yield Entry(source, error=f"line {document.error.line}: {document.error.reason}")
        elif is_list(document.content):
            for index, item in enumerate(document.content["items"]):  # type: ignore[index]
                yield Entry(source, item, yaml=document, path=f"items[{index}]")
        elif document.content is not None:
            yield Entry(source, document.content, yaml=document)


def is_list(value: Any) -> bool:
    """Whether a document is a Kubernetes List: a wrapper that is no object itself."""
    return (
        isinstance(value, dict)
        and value.get("apiVersion") == "v1"
        and value.get("kind") == "List"
        and isinstance(value.get("items"), list)
    )
