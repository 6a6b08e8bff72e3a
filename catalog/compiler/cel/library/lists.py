"""The functions of lists. ``sortBy`` is a macro: the evaluator brings the keys to ``sort_by_keys``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any, Final

from catalog.compiler.cel.budget import work
from catalog.compiler.cel.errors import CelEvaluationError
from catalog.compiler.cel.functions import Registry
from catalog.compiler.cel.operators import compare, equal, no_such_overload
from catalog.compiler.cel.values import CelList, Duration, Timestamp, UInt, type_name

REGISTRY: Final = Registry()
_LITTLE: Final = 64
MAX_RANGE: Final = 1_000_000
_ORDERED: Final = (bool, int, UInt, float, str, bytes, Duration, Timestamp)
_FULL_NAMES: Final = {"list": "list(dyn)", "map": "map(dyn, dyn)", "optional_type": "optional_type(dyn)"}
_COMPARABLE: Final = ("int", "uint", "double", "bool", "duration", "timestamp", "string", "bytes")


@REGISTRY.function("list(T)|slice(int, int) -> list(T)")
def _slice(items: list[Any], start: int, end: int) -> CelList:
    if start < 0 or end < 0:
        raise CelEvaluationError(f"cannot slice({start}, {end}), negative indexes not supported")
    if start > end:
        message = f"cannot slice({start}, {end}), start index must be less than or equal to end index"
        raise CelEvaluationError(message)
    if end > len(items):
        raise CelEvaluationError(f"cannot slice({start}, {end}), list is length {len(items)}")
    return CelList(items[start:end])


@REGISTRY.function("list(list(T))|flatten() -> list(T)", guarded=False)
def _flatten(items: Any) -> CelList:
    if not isinstance(items, list):
        raise CelEvaluationError(_no_flatten(items))
    return CelList(_flat(items, 1))


@REGISTRY.function("list(dyn)|flatten(int) -> list(dyn)", guarded=False)
def _flatten_to_depth(items: Any, depth: Any) -> CelList:
    if not isinstance(items, list) or type(depth) is not int:
        raise CelEvaluationError(_no_flatten(items, depth))
    if depth < 0:
        raise CelEvaluationError("level must be non-negative")
    return CelList(_flat(items, depth))


def _no_flatten(*args: Any) -> str:
    receiver, *rest = (_FULL_NAMES.get(name, name) for name in map(type_name, args))
    return f"no such overload: {receiver}.flatten({', '.join(rest)})"


def _flat(items: list[Any], depth: int) -> list[Any]:
    flat: list[Any] = []
    if len(items) > _LITTLE:
        work(len(items))
    for item in items:
        if depth and isinstance(item, list):
            flat.extend(_flat(item, depth - 1))
        else:
            flat.append(item)
    return flat


def _sort(items: Any) -> list[Any]:
    if isinstance(items, (str, Timestamp, Duration)):
        no_such_overload()
    if not isinstance(items, list):
        raise CelEvaluationError("no such overload: sort")
    return sort_by_keys(items, items)


for _name in _COMPARABLE:
    REGISTRY.add(f"list({_name})|sort() -> list({_name})", _sort, guarded=False)
    REGISTRY.add(f"list(T)|@sortByAssociatedKeys(list({_name})) -> list(T)", None)


def sort_by_keys(items: list[Any], keys: list[Any]) -> list[Any]:
    """Return ``items`` in the ascending order of ``keys``, equal ones as they stand.

    Raises when the keys have no order, or are not all of one type.
    """
    if not items:
        return items
    kind = type(keys[0])
    if kind not in _ORDERED:
        raise CelEvaluationError("list elements must be comparable")
    if any(type(key) is not kind for key in keys):
        raise CelEvaluationError("list elements must have the same type")
    by_value: Callable[[int], Any] = keys.__getitem__
    if kind is float:  # NaN has no order
        by_value = cmp_to_key(lambda left, right: compare(keys[left], keys[right], "_<_") or 0)
    order = sorted(range(len(items)), key=by_value)
    return CelList(items[place] for place in order)


@REGISTRY.function("lists.range(int) -> list(int)")
def _range(size: int) -> CelList:
    if size < 0:
        raise CelEvaluationError(f"lists.range: size must be non-negative, got {size}")
    if size > MAX_RANGE:
        raise CelEvaluationError(f"lists.range: size {size} exceeds maximum allowed ({MAX_RANGE})")
    return CelList(range(size))


@REGISTRY.function("list(T)|reverse() -> list(T)")
def _reverse(items: list[Any]) -> CelList:
    return CelList(items[::-1])


@REGISTRY.function("list(T)|distinct() -> list(T)")
def distinct(items: list[Any]) -> list[Any]:
    """Return the items without those that equal an earlier one."""
    if not items:
        return items
    if all(type(item) is str for item in items):
        return CelList(dict.fromkeys(items))
    unique: list[Any] = []
    for item in items:
        work(len(unique))
        if not any(equal(item, seen) for seen in unique):
            unique.append(item)
    return CelList(unique)
