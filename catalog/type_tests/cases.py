"""The tests that files hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.manifests.reading import Entry, read_sources
from catalog.type_tests.definitions import MAX_BYTES
from catalog.type_tests.form import API_VERSION, KIND, complete


class BadTest(Exception):
    """A document that claims to be a test and is none. The text says where and why, a line for each fault."""


@dataclass(frozen=True)
class Case:
    """One case: its inputs, those of the test included, and what is expected."""

    name: str
    given: Mapping[str, Any]
    expect: Mapping[str, Any]
    line: int


@dataclass(frozen=True)
class TypeTest:
    """One test document. ``path`` is its file; ``types`` are files and folders with definitions."""

    path: Path
    name: str
    kind: str
    target: str
    types: tuple[Path, ...]
    cases: tuple[Case, ...]


def is_test(entry: Entry) -> bool:
    """Whether a document claims to be a TypeTest."""
    return isinstance(entry.value, dict) and entry.value.get("kind") == KIND


def entries_in(paths: Iterable[Path]) -> Iterator[Entry]:
    """Every document of files and folders."""
    return read_sources(map(str, paths), recursive=True, max_bytes=MAX_BYTES)


def read_test(entry: Entry) -> TypeTest:
    """Read a test document. Raises `BadTest`."""
    document, path = entry.value, Path(entry.source).resolve()
    if document.get("apiVersion") != API_VERSION:
        raise BadTest(f"{entry.location('apiVersion')}: a {KIND} has apiVersion {API_VERSION}")
    spec, errors = complete(document.get("spec"))
    if errors:
        raise BadTest("\n".join(f"{entry.location(error.path)}: {error}" for error in errors))
    shared = spec.get("given") or {}
    cases = tuple(
        Case(
            name=case["name"],
            given=laid_over(shared, case.get("given") or {}),
            expect=case.get("expect") or {},
            line=entry.line_of(f"spec.cases[{index}]"),
        )
        for index, case in enumerate(spec["cases"])
    )
    name = (document.get("metadata") or {}).get("name") or path.stem
    types = tuple(path.parent / given for given in spec.get("types") or ())
    return TypeTest(path, str(name), spec["target"]["kind"], spec["target"]["name"], types, cases)


def laid_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two objects as one: objects inside are merged, null takes a field away, everything else replaces."""
    merged = dict(below)
    for field, value in above.items():
        if value is None:
            merged.pop(field, None)
        elif isinstance(value, Mapping) and isinstance(merged.get(field), Mapping):
            merged[field] = laid_over(merged[field], value)
        else:
            merged[field] = value
    return merged
