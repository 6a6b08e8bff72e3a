"""Snapshots: files with all objects of a case, whole, that a person has looked at and accepted.

A snapshot is YAML, an object a document, in the order of the render; of a resource type it ends with what is neither:
``{$outputs, $ready}``. ``--accept`` writes it, and the difference is reviewed like any change of code.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from catalog.compiler.errors import YamlError
from catalog.compiler.yaml import dump, load_documents
from catalog.type_tests.expecting import differences, identity
from catalog.type_tests.rendering import Rendered

OUTPUTS, READY = "$outputs", "$ready"


def compare_snapshot(path: Path, rendered: Rendered) -> Iterator[str]:
    """Yield where what was rendered is not the snapshot."""
    try:
        wanted = [document.value for document in load_documents(path.read_bytes(), path.name)]
    except FileNotFoundError:
        yield f"there is no snapshot {path.name} yet: look at what is rendered, and run with --accept to write it"
        return
    except (OSError, YamlError) as error:
        yield f"snapshot {path.name}: {error}"
        return
    found = documents_of(rendered)
    if len(wanted) != len(found):
        names = ", ".join(map(_name, found))
        yield f"{len(found)} objects, but {len(wanted)} in {path.name}; there are: {names}"
        return
    for left, right in zip(wanted, found, strict=True):
        yield from differences(left, right, _name(right), whole=True)


def write_snapshot(path: Path, rendered: Rendered) -> None:
    """Make what was rendered the snapshot."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("---\n".join(dump(document) for document in documents_of(rendered)))


def documents_of(rendered: Rendered) -> list[dict[str, Any]]:
    """The documents of a snapshot."""
    further: dict[str, Any] = {}
    if rendered.outputs:
        further[OUTPUTS] = rendered.outputs
    if rendered.ready:
        further[READY] = rendered.ready
    return [*rendered.objects, *([further] if further else [])]


def _name(document: dict[str, Any]) -> str:
    return identity(document) if "kind" in document else "outputs and readiness"
