"""The history pages: the revisions of an object, and what one of them changed."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from catalog.compiler import yaml
from catalog.kinds.base import Document
from catalog.manifests.applying import as_manifest
from catalog.store.models import Revision


@dataclass(frozen=True)
class DiffLine:
    """A line of a unified diff and how to show it."""

    text: str
    style: str


def diff_of(revision: Revision) -> list[DiffLine]:
    """What a revision changed, line by line."""
    before, after = (text_of(document) for document in (revision.before, revision.after))
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "before", "after", lineterm="", n=5)
    return [DiffLine(line, style_of(line)) for line in lines]


def text_of(document: Document | None) -> str:
    """A revision's document as YAML; a status change has only a status."""
    if document is None:
        return ""
    return yaml.dump(as_manifest(document) if "metadata" in document else document)


def style_of(line: str) -> str:
    if line.startswith(("+++", "---", "@@")):
        return "mark"
    return {"+": "added", "-": "removed"}.get(line[:1], "same")
