"""Adapters' answers, read with care: fields of the wrong type are an error of the adapter, unknown ones are left out.

An entry that names another namespace, project, component or environment than was asked for is an error too: the caller
has been given leave for one place only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workflows.observer.asking import Adapter, AdapterFailed, check_version
from workflows.observer.windows import moment_of

Entry = dict[str, Any]


def broken(adapter: Adapter, what: str) -> AdapterFailed:
    """The adapter does not keep to its contract."""
    return AdapterFailed(adapter, f"answered what its contract does not allow: {what}", check_version(adapter))


def entries_of(adapter: Adapter, answer: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    """The list of objects in a field; absent or null is none. Raises `AdapterFailed`."""
    found = answer.get(field)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise broken(adapter, f"{field} must be a list of objects")
    return found


def count_of(adapter: Adapter, answer: Mapping[str, Any], field: str, default: int = 0) -> int:
    """A whole number in a field. Raises `AdapterFailed`."""
    found = answer.get(field)
    if found is None:
        return default
    if isinstance(found, bool) or not isinstance(found, int):
        raise broken(adapter, f"{field} must be a whole number")
    return found


def texts(adapter: Adapter, source: Mapping[str, Any], fields: Iterable[str]) -> Entry:
    """The texts among the fields that are there and not empty. Raises `AdapterFailed`."""
    found: Entry = {}
    for field in fields:
        value = source.get(field)
        if value is None or value == "":
            continue
        if not isinstance(value, str):
            raise broken(adapter, f"{field} must be a text")
        found[field] = value
    return found


def times(adapter: Adapter, source: Mapping[str, Any], fields: Iterable[str]) -> Entry:
    """As `texts`, of moments in RFC 3339."""
    found = texts(adapter, source, fields)
    for field, value in found.items():
        try:
            moment_of(value)
        except ValueError:
            raise broken(adapter, f"{field} must be a time in RFC 3339") from None
    return found


def numbers(adapter: Adapter, source: Mapping[str, Any], fields: Iterable[str]) -> Entry:
    """The numbers among the fields that are there. Raises `AdapterFailed`."""
    found: Entry = {}
    for field in fields:
        value = source.get(field)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise broken(adapter, f"{field} must be a number")
        found[field] = value
    return found


def part_of(adapter: Adapter, source: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    """An object in a field, empty if absent. Raises `AdapterFailed`."""
    found = source.get(field)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise broken(adapter, f"{field} must be an object")
    return found


def check_place(adapter: Adapter, entry: Mapping[str, Any], asked: Mapping[str, str]) -> None:
    """Raise if an entry says that it is of another place than the one that was asked for."""
    for field, wanted in asked.items():
        if wanted and entry.get(field) and str(entry[field]).lower() != wanted.lower():
            raise broken(adapter, f"an entry's {field} is not the one asked for")
