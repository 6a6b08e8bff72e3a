"""Lists looked at as sets."""

from __future__ import annotations

from typing import Any, Final

from catalog.compiler.cel.functions import Registry
from catalog.compiler.cel.operators import contains

REGISTRY: Final = Registry()


@REGISTRY.function("sets.contains(list(T), list(T)) -> bool")
def _contains(items: list[Any], part: list[Any]) -> bool:
    return _holds_all(items, part)


@REGISTRY.function("sets.equivalent(list(T), list(T)) -> bool")
def _equivalent(left: list[Any], right: list[Any]) -> bool:
    return _holds_all(left, right) and _holds_all(right, left)


def _holds_all(items: list[Any], part: list[Any]) -> bool:
    return all(contains(item, items) for item in part)


@REGISTRY.function("sets.intersects(list(T), list(T)) -> bool")
def _intersects(left: list[Any], right: list[Any]) -> bool:
    return any(contains(item, right) for item in left)
