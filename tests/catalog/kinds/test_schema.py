"""Equality of values as a schema defines it, and the rules built on it."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.kinds.rules import immutable, invalid
from catalog.kinds.schema import array, map_of, obj, raw, same_value, string

ENTRY = obj({"id!": string(), "tags": array(string(), unique=True), "any": raw()})


@pytest.mark.parametrize(
    ("schema", "left", "right", "same"),
    [
        (array(string()), ["a", "b"], ["b", "a"], False),
        (array(string(), unique=True), ["a", "b"], ["b", "a"], True),
        (array(string(), unique=True), ["a", "b"], ["a"], False),
        (array(ENTRY, keyed_by="id"), [{"id": "a"}, {"id": "b"}], [{"id": "b"}, {"id": "a"}], True),
        (array(ENTRY, keyed_by="id"), [{"id": "a", "tags": ["x"]}], [{"id": "a", "tags": ["y"]}], False),
        (array(ENTRY, keyed_by="id"), [{"id": "a"}], [{"id": "c"}], False),
        (ENTRY, {"id": "a", "tags": ["x", "y"]}, {"id": "a", "tags": ["y", "x"]}, True),
        (ENTRY, {"id": "a"}, {"id": "a", "tags": []}, False),
        (map_of(string()), {"a": "1", "b": "2"}, {"b": "2", "a": "1"}, True),
        (raw(), {"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, True),
        (raw(), {"tags": ["x", "y"]}, {"tags": ["y", "x"]}, False),
        (raw(), 1, True, False),
        (raw(), 1, 1.0, False),
    ],
)
def test_values_are_the_same_when_kubernetes_says_so(schema: Any, left: Any, right: Any, same: bool) -> None:
    assert same_value(schema, left, right) is same
    assert same_value(schema, right, left) is same


def test_an_immutable_field_is_compared_only_where_it_was_and_is() -> None:
    schema = obj({"owner": obj({"name": string()})})

    def errors(old: dict[str, Any] | None, new: dict[str, Any]) -> list[str]:
        stored = None if old is None else {"spec": old}
        return [str(error) for error in immutable(schema, stored, {"spec": new}, "spec.owner.name", "stays")]

    held, other = {"owner": {"name": "a"}}, {"owner": {"name": "b"}}
    assert errors(held, other) == ['spec.owner.name: Invalid value: "b": stays']
    assert errors(held, held) == errors(None, other) == errors({}, other) == errors(held, {"owner": {}}) == []


def test_only_plain_values_are_quoted_in_an_error() -> None:
    assert invalid("spec.a", "no", "x").message == 'Invalid value: "x": no'
    assert invalid("spec.a", "no", {"b": 1}).message == "Invalid value: no"
