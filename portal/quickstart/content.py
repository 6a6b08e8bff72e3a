"""What the quickstart puts into an empty platform: the platform defaults and the sample shop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from catalog import store
from catalog.compiler.yaml import load_documents
from portal.accounts.actor import system

DEFAULTS = Path(__file__).parent / "defaults"
SHOP = settings.BASE_DIR / "docs" / "samples" / "shop"


def documents_in(directory: Path) -> Iterator[dict[str, Any]]:
    """Every document of the directory's YAML files, files by name. The content is ours, so an error is a defect."""
    for path in sorted(directory.rglob("*.yaml")):
        for document in load_documents(path.read_bytes(), str(path)):
            yield document.value


def apply_directory(directory: Path) -> dict[str, int]:
    """Apply a directory in one commit and count what was created, changed and left as it was."""
    counts = {"created": 0, "changed": 0, "unchanged": 0}
    actor = system("quickstart", surface="quickstart")
    with store.transaction():
        for document in documents_in(directory):
            counts[store.apply(watched_from_here(document), actor).action] += 1
    return counts


def watched_from_here(document: dict[str, Any]) -> dict[str, Any]:
    """The default observability plane with this server's own address as its observer, wherever it is served."""
    if document["kind"] != "ClusterObservabilityPlane":
        return document
    return {**document, "spec": {**document["spec"], "observerURL": f"{settings.PUBLIC_URL.rstrip('/')}/observer"}}
