"""Conditions of grants: a small tree over text attributes, decided in Python for one object and in SQL for many.

The tree is JSON, so that it can be stored: `["and", a, b]`, `["or", a, b]`, `["not", a]`, `["const", true]`,
`["==", attribute, text]`, `["in", attribute, [texts]]`, and `startsWith`, `endsWith`, `contains`, `matches` as
`[name, attribute, text]`. Whoever reads the expression language makes it (`catalog.access.conditions`), so this layer
needs no parser. All operands are texts: nothing can fail but an attribute that is missing, and that is judged before
the tree is looked at (`portal.access.rules`). There are no loops, and regular expressions are RE2: an evaluation costs
no more than its size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2
from django.db.models import BooleanField, ExpressionWrapper, Q, Value
from django.db.models.functions import Length, Right, StrIndex, Substr
from django.db.models.lookups import Exact, GreaterThan, In

Tree = tuple[Any, ...]
NODES_MAX = 100
LIST_MAX = 256


@dataclass(frozen=True, slots=True)
class Condition:
    """One entry of a mapping: for which actions it speaks, its text, and its tree."""

    actions: tuple[str, ...]
    expression: str
    tree: Tree


def frozen(tree: Any) -> Any:
    """A tree as read from JSON, its lists as tuples."""
    return tuple(frozen(item) for item in tree) if isinstance(tree, list | tuple) else tree


@lru_cache(maxsize=4096)
def attributes_of(tree: Tree) -> frozenset[str]:
    """The attributes that the tree speaks of."""
    return frozenset(_attributes(tree))


def _attributes(tree: Tree) -> Iterator[str]:
    match tree[0]:
        case "and" | "or" | "not":
            for item in tree[1:]:
                yield from _attributes(item)
        case "const":
            return
        case _:
            yield tree[1]


def node_count(tree: Tree) -> int:
    return 1 + sum(node_count(item) for item in tree[1:]) if tree[0] in ("and", "or", "not") else 1


@lru_cache(maxsize=4096)
def closure(tree: Tree) -> Callable[[Mapping[str, str]], bool]:
    """The tree as a function of the attributes, all of which must be given."""
    match tree:
        case ("and", left, right):
            one, other = closure(left), closure(right)
            return lambda values: one(values) and other(values)
        case ("or", left, right):
            one, other = closure(left), closure(right)
            return lambda values: one(values) or other(values)
        case ("not", operand):
            inner = closure(operand)
            return lambda values: not inner(values)
        case ("const", truth):
            return lambda values: bool(truth)
        case ("in", attribute, texts):
            wanted = frozenset(texts)
            return lambda values: values[attribute] in wanted
        case ("matches", attribute, pattern):
            search = pattern_of(pattern)
            return lambda values: search(values[attribute])
        case (operator, attribute, text):
            test = _TESTS[operator]
            return lambda values: test(values[attribute], text)
    raise ValueError(f"not a condition: {tree!r}")


_TESTS: dict[str, Callable[[str, str], bool]] = {
    "==": str.__eq__,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": str.__contains__,
}


@lru_cache(maxsize=1024)
def pattern_of(pattern: str) -> Callable[[str], bool]:
    """An RE2 search. Raises `re2.error` for a pattern that RE2 does not know."""
    options = re2.Options()
    options.log_errors = False
    compiled = re2.compile(pattern, options)
    return lambda text: compiled.search(text) is not None


def as_sql(tree: Tree, expressions: Mapping[str, Any], values_of: Callable[[str], list[str]]) -> Q:
    """The tree as a condition on rows, given an expression for each attribute.

    `values_of` lists the distinct values of an attribute: databases have regular expressions of their own, so `matches`
    is decided here, value by value.
    """
    match tree:
        case ("and", left, right):
            return as_sql(left, expressions, values_of) & as_sql(right, expressions, values_of)
        case ("or", left, right):
            return as_sql(left, expressions, values_of) | as_sql(right, expressions, values_of)
        case ("not", operand):
            return ~as_sql(operand, expressions, values_of)
        case ("const", truth):
            return _constant(bool(truth))
        case ("in", attribute, texts):
            return Q(In(expressions[attribute], list(texts))) if texts else _constant(False)
        case ("matches", attribute, pattern):
            search = pattern_of(pattern)
            matching = [value for value in values_of(attribute) if search(value)]
            return Q(In(expressions[attribute], matching)) if matching else _constant(False)
        case ("==", attribute, text):
            return Q(Exact(expressions[attribute], Value(text)))
        case (operator, attribute, text):
            # Not LIKE: on SQLite it takes upper and lower case for the same.
            return _part_of(operator, expressions[attribute], text)
    raise ValueError(f"not a condition: {tree!r}")


def _part_of(operator: str, expression: Any, text: str) -> Q:
    if not text:
        return _constant(True)
    if operator == "startsWith":
        return Q(Exact(Substr(expression, 1, len(text)), Value(text)))
    if operator == "endsWith":
        # `Right` of a shorter text is the whole text on one database and nothing on another.
        long_enough = Q(GreaterThan(Length(expression), Value(len(text) - 1)))
        return long_enough & Q(Exact(Right(expression, len(text)), Value(text)))
    return Q(GreaterThan(StrIndex(expression, Value(text)), Value(0)))


def _constant(truth: bool) -> Q:
    return Q(ExpressionWrapper(Q(pk__isnull=not truth), output_field=BooleanField()))
