"""One value that went into another. Made by ``inputs``, ``sections`` and ``entries``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from catalog.compiler.explain.origin import FieldPath, Place

InputSource = Literal[
    "parameter", "environment-config", "schema-default", "binding-override", "workload", "dependency", "trait-binding",
    "loop", "environment", "data-plane", "platform", "absent",
]  # fmt: skip
"""Who said it: the developer (parameter, workload, dependency), the one who set up the environment (environment-config,
binding-override), the author of a type (schema-default, trait-binding, loop), or the platform."""


@dataclass(frozen=True, slots=True)
class Input:
    """A variable as an expression sees it (``parameters.replicas``), its value, and where that comes from.

    ``text`` is the template behind a loop or a trait binding; ``inputs`` are what went into it, or the single entries
    of a list.
    """

    name: str
    value: object
    source: InputSource
    place: Place | None = None
    text: str = ""
    inputs: tuple[Input, ...] = ()


def found_at(document: Any, path: FieldPath) -> tuple[Any, bool]:
    """Return what stands at a path, and whether anything does."""
    for step in path:
        is_key = isinstance(document, dict) and step in document
        is_index = isinstance(document, list) and isinstance(step, int) and 0 <= step < len(document)
        if not (is_key or is_index):
            return None, False
        document = document[step]
    return document, True
