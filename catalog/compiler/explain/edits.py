"""The patch operations of traits on trees of origins.

The operation itself has been done on the document by catalog.compiler.patch, which also found the places and every
fault; here the same places of the tree get the origins of the new value. Called by ``walk``.
"""

from __future__ import annotations

from dataclasses import replace

from catalog.compiler.explain.origin import Origin, Step
from catalog.compiler.explain.traced import Children, Traced, over
from catalog.compiler.patch_path import APPEND, Pointer


def edit(tree: Traced, operation: str, pointers: list[Pointer], value: Traced, step: Step) -> Traced:
    """Return the tree after an operation (lower case) at the places that its path names in the document.

    ``value`` is the tree of the operation's value; ``step`` is the operation, as the origin of what it makes besides.
    """
    for pointer in reversed(pointers) if operation == "remove" else pointers:
        tree = _edit(tree, pointer, 0, operation, value, step)
    return tree


def _edit(node: Traced, pointer: Pointer, depth: int, operation: str, value: Traced, step: Step) -> Traced:
    if depth == len(pointer):
        return _merged(node, value)
    key = pointer[depth]
    if depth == len(pointer) - 1 and operation != "mergeshallow":
        return _with_children(node, _edited(node, key, operation, value), step)
    if isinstance(node.children, list):
        assert isinstance(key, int)  # noqa: S101  (patch has walked here)
        row = list(node.children)
        row[key] = _edit(row[key], pointer, depth + 1, operation, value, step)
        return Traced(node.origin, row)
    entries = dict(node.children or {})
    name = "-" if key is APPEND else str(key)
    child = entries.get(name)
    if depth == len(pointer) - 1:  # only a merge gets here: its place is an object, not an entry
        entries[name] = value if child is None else _merged(child, value)
    else:
        if child is None or child.children is None:
            child = Traced(Origin(step, before=None if child is None else child.origin), {})
            if pointer[depth + 1] is APPEND and operation == "add":
                child = Traced(child.origin, [])
        entries[name] = _edit(child, pointer, depth + 1, operation, value, step)
    return Traced(node.origin, entries)


def _merged(node: Traced, value: Traced) -> Traced:
    """The entries of ``value`` set in ``node``; a merge into no object replaces it."""
    if not isinstance(node.children, dict) or not isinstance(value.children, dict):
        return over(value, node)
    added = {key: over(child, node.children.get(key)) for key, child in value.children.items()}
    return Traced(node.origin, {**node.children, **added})


def _edited(node: Traced, key: object, operation: str, value: Traced) -> Children:
    """The children of a container after an add, replace or remove of one of them."""
    if isinstance(node.children, list):
        row = list(node.children)
        if key is APPEND:
            row.append(value)
        elif operation == "add":
            row.insert(int(str(key)), value)
        elif operation == "replace":
            row[int(str(key))] = over(value, row[int(str(key))])
        else:
            del row[int(str(key))]
        return row
    entries = dict(node.children or {})
    name = "-" if key is APPEND else str(key)
    if operation == "remove":
        entries.pop(name, None)
    else:
        entries[name] = over(value, entries.get(name))
    return entries


def _with_children(node: Traced, children: Children, step: Step) -> Traced:
    """The container with other children. That it is empty now is the operation's doing."""
    origin = node.origin
    if not children and node.children:
        origin = Origin(replace(step, text=children), before=node.origin)
    return Traced(origin, children)
