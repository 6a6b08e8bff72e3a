"""What ``transformMap`` and ``transformMapEntry`` do with each entry. Called by the evaluator, not by expressions."""

from __future__ import annotations

from typing import Any, Final

from catalog.compiler.cel.errors import CelEvaluationError
from catalog.compiler.cel.functions import Registry
from catalog.compiler.cel.members import find_key, key_display
from catalog.compiler.cel.values import BoxedKey, CelMap, map_key, type_name

REGISTRY: Final = Registry()
REGISTRY.add("cel.@mapInsert(map(K, V), K, V) -> map(K, V)", None)
REGISTRY.add("cel.@mapInsert(map(K, V), map(K, V)) -> map(K, V)", None)


def insert(target: CelMap, key: Any, value: Any) -> None:
    """Add an entry. Raises when the key is there already."""
    if find_key(target, key) is not None:
        raise CelEvaluationError(f"insert failed: key {key_display(key)} already exists")
    target[map_key(key)] = value


def insert_all(target: CelMap, entries: Any) -> None:
    """Add the entries of a map. Raises when a key is there already, or when ``entries`` is no map."""
    if not isinstance(entries, dict):
        raise CelEvaluationError(f"no such overload: cel.@mapInsert(map, {type_name(entries)})")
    for key, value in entries.items():
        insert(target, key.value if type(key) is BoxedKey else key, value)
