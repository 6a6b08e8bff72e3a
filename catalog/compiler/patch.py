"""The patch operations of traits.

``add``, ``replace`` and ``remove`` follow JSON Patch with the paths of catalog.compiler.patch_path; ``mergeShallow``
sets the entries of an object. A path may name several places: all are found before anything changes. Documents are
never changed in place: an operation copies the containers on the way to the place and shares everything else.

``add`` makes missing parents (an object, or a list where the next step appends). ``remove`` of an absent key is fine,
of an absent parent it is an error. A list directly inside a list cannot be patched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from catalog.compiler.cel.values import StringList
from catalog.compiler.errors import PatchError, PatchNoMatchError, PatchOperationError
from catalog.compiler.patch_path import APPEND, Pointer, Segment, expand, parse_path, pointer_text

_LARGEST_LIST = 1 << 24
_MANY_PLACES = 1000
_MOST_COPIES = 1 << 27
_ABSENT = object()

# Takes the container that holds the place, the last segment and the value; returns the changed container.
_MapEdit = Callable[[dict[str, object], str, object], dict[str, object]]
_ListEdit = Callable[[list[object], Segment, object], list[object]]


class Operation(NamedTuple):
    """One operation: its name (upper and lower case are the same), a path, and a value where the operation has one."""

    op: str
    path: str
    value: object = None


def apply_operations(document: dict[str, object], operations: Iterable[Operation]) -> dict[str, object]:
    """Return ``document`` after all operations, one after the other; the argument is left unchanged.

    Raises ``PatchOperationError`` for an unknown operation, ``PatchNoMatchError`` when a filter or wildcard matches
    nothing, and ``PatchError`` for every other fault of a path; the message tells the number of the operation.
    """
    for number, operation in enumerate(operations):
        try:
            document = _apply(document, operation)
        except PatchError as error:
            raise type(error)(f"operation #{number} failed: {error}") from error
    return document


def _apply(document: dict[str, object], operation: Operation) -> dict[str, object]:
    name = operation.op.lower()
    if name == "mergeshallow":
        return _merge_shallow(document, operation)
    if name not in _EDITS:
        raise PatchOperationError(
            f'unsupported patch operation "{operation.op}" (supported: add, replace, remove, mergeShallow)'
        )
    path = parse_path(operation.path)
    pointers = expand(path, document)
    if not pointers and path.selects:
        raise PatchNoMatchError(f'path "{path.text}" contains a filter or wildcard but matched 0 elements')
    _check_copying(document, pointers)
    # From the end, so that removing an element does not move those still to be removed.
    for pointer in reversed(pointers) if name == "remove" else pointers:
        if not pointer:
            raise PatchError(f"cannot apply {name} operation to the root document")
        document = _edit_map(document, pointer, 0, name, operation.value)
    return document


def _check_copying(document: object, pointers: list[Pointer]) -> None:
    """Refuse to copy a long list for each of its many elements. Adding to all of them would double it every time."""
    if len(pointers) < _MANY_PLACES:
        return
    longest, node = 0, document
    for segment in pointers[-1]:
        if isinstance(node, list):
            longest = max(longest, len(node))
            node = node[segment] if isinstance(segment, int) and segment < len(node) else None
        else:
            node = node.get(segment) if isinstance(node, dict) else None
    if longest * len(pointers) > _MOST_COPIES:
        raise PatchError(f"cannot change {len(pointers)} places in a list of {longest} elements: too many")


def _edit_map(node: dict[str, object], pointer: Pointer, depth: int, name: str, value: object) -> dict[str, object]:
    """Return ``node`` with the edit at ``pointer[depth:]`` made."""
    key = pointer[depth]
    if key is APPEND and depth == 0:
        key = "-"  # the root is never a list, so here the dash can only be a key
    if not isinstance(key, str):
        raise _fault("expects an array", pointer, depth)
    if depth == len(pointer) - 1:
        return _EDITS[name][0](node, key, value)
    child = node.get(key, _ABSENT)
    if child is _ABSENT or child is None:
        if name == "add":
            child = _missing_parent(pointer, depth)
        elif child is _ABSENT:
            raise PatchError(f'path does not exist at segment "{key}"')
    return {**node, key: _edit_child(child, pointer, depth + 1, name, value)}


def _edit_child(child: object, pointer: Pointer, depth: int, name: str, value: object) -> object:
    if isinstance(child, dict):
        return _edit_map(child, pointer, depth, name, value)
    if not isinstance(child, list) or isinstance(child, StringList):
        raise _fault("cannot be traversed: no object or array", pointer, depth)
    index = pointer[depth]
    if isinstance(index, str):
        raise _fault("expects an object", pointer, depth)
    if depth == len(pointer) - 1:
        return _EDITS[name][1](child, index, value)
    item = child[_existing(child, index, name)]
    if isinstance(item, list):
        raise _fault("leads into a list inside a list", pointer, depth + 1)
    changed = list(child)
    changed[_existing(child, index, name)] = _edit_child(item, pointer, depth + 1, name, value)
    return changed


def _missing_parent(pointer: Pointer, depth: int) -> object:
    following = pointer[depth + 1]
    if following is APPEND:
        return []
    if isinstance(following, int):
        raise _fault(f"has no array for index {following}", pointer, depth)
    return {}


def _existing(items: list[object], index: Segment, name: str) -> int:
    if not isinstance(index, int):
        raise PatchError(f"{name} operation cannot target the append marker '-'")
    if not 0 <= index < len(items):
        raise PatchError(f"array index {index} out of bounds for {name} (length {len(items)})")
    return index


def _fault(reason: str, pointer: Pointer, depth: int) -> PatchError:
    return PatchError(f"path {pointer_text(pointer[: depth + 1])} {reason}")


def _add_key(node: dict[str, object], key: str, value: object) -> dict[str, object]:
    return {**node, key: value}


def _add_item(items: list[object], index: Segment, value: object) -> list[object]:
    if len(items) >= _LARGEST_LIST:
        raise PatchError(f"array too large to process: {len(items)} elements")
    if index is APPEND:
        return [*items, value]
    position = _existing([*items, value], index, "add")
    return [*items[:position], value, *items[position:]]


def _replace_key(node: dict[str, object], key: str, value: object) -> dict[str, object]:
    if key not in node:
        raise PatchError(f'replace operation failed: key "{key}" does not exist')
    return {**node, key: value}


def _replace_item(items: list[object], index: Segment, value: object) -> list[object]:
    position = _existing(items, index, "replace")
    return [*items[:position], value, *items[position + 1 :]]


def _remove_key(node: dict[str, object], key: str, _: object) -> dict[str, object]:
    return {name: value for name, value in node.items() if name != key}


def _remove_item(items: list[object], index: Segment, _: object) -> list[object]:
    position = _existing(items, index, "remove")
    return [*items[:position], *items[position + 1 :]]


_EDITS: dict[str, tuple[_MapEdit, _ListEdit]] = {
    "add": (_add_key, _add_item),
    "replace": (_replace_key, _replace_item),
    "remove": (_remove_key, _remove_item),
}


def _merge_shallow(document: dict[str, object], operation: Operation) -> dict[str, object]:
    if not isinstance(operation.value, dict):
        raise PatchError("mergeShallow value must be an object")
    pointers = expand(parse_path(operation.path), document)
    _check_copying(document, pointers)
    for pointer in pointers:
        if not pointer:
            raise PatchError("cannot apply mergeShallow operation to the root document")
        merged = _merge_at(document, pointer, 0, operation.value)
        assert isinstance(merged, dict)  # noqa: S101  (the root stays an object)
        document = merged
    return document


def _merge_at(node: object, pointer: Pointer, depth: int, value: dict[str, object]) -> object:
    """Return ``node`` with ``value`` merged into the object at ``pointer[depth:]``, which is made if there is none."""
    if depth == len(pointer):
        return {**node, **value} if isinstance(node, dict) else value
    segment = pointer[depth]
    if isinstance(node, dict) and segment is APPEND:
        segment = "-"
    if isinstance(node, dict) and isinstance(segment, str):
        child = node.get(segment)
        if child is None and depth + 1 < len(pointer):
            child = {} if isinstance(pointer[depth + 1], str) else []
        return {**node, segment: _merge_at(child, pointer, depth + 1, value)}
    if isinstance(node, list) and not isinstance(node, StringList) and not isinstance(segment, str):
        position = _existing(node, segment, "mergeShallow")
        changed = list(node)
        changed[position] = _merge_at(node[position], pointer, depth + 1, value)
        return changed
    raise _fault("does not lead to an object", pointer, depth)
