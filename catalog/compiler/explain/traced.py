"""Trees of origins: of the same shape as a rendered object, with an origin for every node.

Trees are never changed: an edit makes a new one that shares what it does not touch, as patches do with documents. The
omit sentinel has a node too, so that places in a tree and in the document it belongs to are the same; it goes when the
document gets its final form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from catalog.compiler.cel.values import OMIT
from catalog.compiler.explain.origin import FieldPath, Origin, Step

Children = dict[str, "Traced"] | list["Traced"] | None


class Traced:
    """The origin of one value, and those of the values in it; ``children`` is ``None`` for a scalar."""

    __slots__ = ("children", "origin")

    def __init__(self, origin: Origin, children: Children = None) -> None:
        self.origin = origin
        self.children = children


def grow(value: object, step: Step, within: FieldPath = ()) -> Traced:
    """Return the tree of a value that one step gives; ``within`` is its place in the step's result."""
    children: Children = None
    if isinstance(value, dict):
        children = {key: grow(entry, step, (*within, key)) for key, entry in value.items()}
    elif isinstance(value, list):
        children = [grow(item, step, (*within, index)) for index, item in enumerate(value)]
    return Traced(Origin(step, within), children)


def over(new: Traced, old: Traced | None) -> Traced:
    """Return ``new`` with what stood in each place before it, where there was something."""
    if old is None:
        return new
    below: Children = new.children
    if isinstance(new.children, dict):
        known = old.children if isinstance(old.children, dict) else {}
        below = {key: over(child, known.get(key)) for key, child in new.children.items()}
    elif isinstance(new.children, list):
        row = old.children if isinstance(old.children, list) else []
        below = [over(child, row[index] if index < len(row) else None) for index, child in enumerate(new.children)]
    return Traced(replace(new.origin, before=old.origin), below)


def leaves(value: object, traced: Traced, path: FieldPath = ()) -> Iterator[tuple[FieldPath, Origin]]:
    """Yield path and origin of every scalar and every empty container of a document in its final form.

    ``value`` is the document before that: what is omitted in it counts in no path.
    """
    if isinstance(value, dict) and isinstance(traced.children, dict):
        kept = [(key, entry) for key, entry in value.items() if entry is not OMIT]
        for key, entry in kept:
            yield from leaves(entry, traced.children[key], (*path, key))
        if kept:
            return
    elif isinstance(value, list) and isinstance(traced.children, list):
        pairs = zip(value, traced.children, strict=True)
        present = [(item, child) for item, child in pairs if item is not OMIT]
        for index, (item, child) in enumerate(present):
            yield from leaves(item, child, (*path, index))
        if present:
            return
    yield path, traced.origin


def path_text(path: FieldPath) -> str:
    """Write a path as Kubernetes does: ``spec.ports[0].name``, ``metadata.labels[app.kubernetes.io/name]``."""
    text = ""
    for step in path:
        if isinstance(step, int) or any(sign in step for sign in ".[]/") or not step:
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text
