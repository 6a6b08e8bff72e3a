"""What generated code calls. Every function either gives the exact result or raises, never a wrong result.

What it raises does not matter: the exact evaluator runs afterwards and finds the right value or the right words.
"""

from __future__ import annotations

from typing import Any, Final

from catalog.compiler.cel.budget import MAX_SIZE, too_much, weight, work
from catalog.compiler.cel.members import find_key, index, index_if_present
from catalog.compiler.cel.native import PLAIN, to_native
from catalog.compiler.cel.operators import add
from catalog.compiler.cel.values import OMIT, BoxedKey, CelMap, OptionalValue, key_value, sorted_keys
from catalog.compiler.names import kubernetes_name

__all__ = [
    "MISSING",
    "as_list",
    "boxed",
    "find",
    "give_up",
    "has_member",
    "index",
    "insert_plain",
    "item_at",
    "items_of",
    "joined",
    "merged",
    "merged_native",
    "object_name",
    "pairs_of",
    "plus",
    "short",
    "too_much",
    "truth",
    "unboxed",
    "work",
]

# Stands for "none" where an optional is kept as its bare value.
MISSING: Final = object()
_LITTLE: Final = 64  # what nobody counts


class GiveUp(RuntimeError):
    """Generated code has met something that only the exact evaluator can judge."""


def give_up() -> Any:
    """Raise ``GiveUp``, where an expression is needed."""
    raise GiveUp


def truth(value: Any) -> bool:
    """Return a boolean as it is."""
    if value is True or value is False:
        return value is True
    raise GiveUp


def item_at(container: Any, place: int) -> Any:
    """Return an item of a list; ``place`` is not negative."""
    if isinstance(container, list):
        return container[place]
    return index(container, place)


def has_member(container: Any, name: str) -> bool:
    """Tell whether a map has a key."""
    return index_if_present(container, name) is not None


def find(container: Any, key: Any) -> Any:
    """Return a member, or ``MISSING``."""
    if isinstance(container, dict):
        found = find_key(container, key)
        return MISSING if found is None else container[found]
    if type(container) is OptionalValue:
        raise GiveUp
    found_item = index_if_present(container, key)
    return MISSING if found_item is None else found_item.value


def boxed(value: Any) -> OptionalValue:
    """Return the optional of a bare value or ``MISSING``."""
    return OptionalValue(None, False) if value is MISSING else OptionalValue(value)


def unboxed(optional: Any) -> Any:
    """Return the bare value of an optional, or ``MISSING``."""
    if type(optional) is not OptionalValue:
        raise GiveUp
    return optional.value if optional.present else MISSING


def as_list(value: Any) -> list[Any]:
    """Return a list as it is."""
    if isinstance(value, list):
        return value
    raise GiveUp


def items_of(container: Any) -> Any:
    """Return what a loop with one variable runs through."""
    if isinstance(container, list):
        return container
    if isinstance(container, dict):
        return [key_value(key) for key in sorted_keys(container)]
    raise GiveUp


def pairs_of(container: Any) -> Any:
    """Return what a loop with two variables runs through."""
    if isinstance(container, dict):
        if type(container) is dict:
            return [(key, container[key]) for key in sorted(container)]
        return [(key_value(key), container[key]) for key in sorted_keys(container)]
    if isinstance(container, list):
        return list(enumerate(container))
    raise GiveUp


def insert_plain(target: dict[str, Any], entries: Any) -> None:
    """Add the entries of a map to a document; their keys must be texts and new."""
    if not isinstance(entries, dict):
        raise GiveUp
    for key, value in entries.items():
        if type(key) is not str or key in target:
            raise GiveUp
        converted = to_native(value)
        if converted is OMIT:
            raise GiveUp  # an omitted entry still takes its key
        target[key] = converted


def plus(left: Any, right: Any) -> Any:
    """Add, within the limits of a value's size."""
    if type(left) is str and type(right) is str and len(left) + len(right) < _LITTLE:
        return left + right
    result = add(left, right)
    if isinstance(result, (str, list, bytes)):
        if len(result) > MAX_SIZE:
            raise GiveUp
        work(weight(result))
    return result


def merged(base: Any, override: Any) -> CelMap:
    """Merge two maps with texts for keys."""
    result = CelMap({**_with_text_keys(base), **_with_text_keys(override)})
    if len(result) > _LITTLE:
        work(len(result))
    return result


def merged_native(base: Any, override: Any) -> dict[str, Any]:
    """Merge two maps with texts for keys, and convert the result."""
    result: dict[str, Any] = {**_with_text_keys(base), **_with_text_keys(override)}
    if len(result) > _LITTLE:
        work(len(result))
    for value in result.values():
        if type(value) not in PLAIN:
            converted: dict[str, Any] = to_native(CelMap(result))
            return converted
    return result


def _with_text_keys(container: Any) -> Any:
    if type(container) is dict:
        return container
    if type(container) is CelMap and not any(type(key) is BoxedKey for key in container):
        return container
    raise GiveUp


def object_name(limit: int, *parts: Any) -> str:
    """Return the name of a Kubernetes object that has these parts."""
    for part in parts:
        if type(part) is not str:
            raise GiveUp
    return kubernetes_name(limit, *parts)


def joined(items: Any, separator: str) -> str:
    """Join texts."""
    if not isinstance(items, list):
        raise GiveUp
    return short(separator.join(items))


def short(text: str) -> str:
    """Return a text that is not too long."""
    if len(text) > MAX_SIZE:
        raise GiveUp
    return text
