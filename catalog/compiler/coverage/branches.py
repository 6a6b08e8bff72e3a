"""Decisions inside of expressions, and which way each went with given values.

A ternary takes one of two arms, ``&&`` and ``||`` are decided by their left or by their right side, a default
(``x.?y.orValue(z)``) is used or not. The tree of an expression is walked beside its evaluation: where the walk comes to
a decision, it asks the evaluator for the value that decides, and goes on as the evaluation would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

from catalog.compiler.admission.expressions import Expressions
from catalog.compiler.cel import macros
from catalog.compiler.cel.errors import CelCompileError, CelEvaluationError
from catalog.compiler.cel.evaluator import Evaluator
from catalog.compiler.cel.library import EXTENDED
from catalog.compiler.cel.nodes import Call, Fold, Literal, Node, OptionalMap, SortBy, descendants
from catalog.compiler.cel.parser import parse
from catalog.compiler.cel.types import DYN
from catalog.compiler.cel.values import OptionalValue, key_value, sorted_keys

Bindings = Mapping[str, Any]
Taken = tuple[int, str]
"""The offset of a decision in its expression, and the way that it went."""

_TERNARY: Final = "_?_:_"
_DEFAULTS: Final = ("or", "orValue")
_DECIDED_BY: Final = {"exists": True, "all": False}  # the value at which such a loop stops
WAYS: Final = {
    _TERNARY: ("true", "false"),
    "_&&_": ("left", "right"),
    "_||_": ("left", "right"),
    "orValue": ("present", "absent"),
    "or": ("present", "absent"),
}
"""The ways that each decision can go, in the words of reports."""


class Branches:
    """The decisions of one expression, each known by its place in the text."""

    def __init__(self, source: str, variables: frozenset[str], component_macros: bool) -> None:
        """Raises ``CelCompileError``."""
        expressions = Expressions(dict.fromkeys(variables, DYN), component_macros=component_macros)
        self._root = expressions.compile(source)
        self._evaluators: dict[int, Evaluator] = {}

    def taken(self, bindings: Bindings) -> set[Taken]:
        """Return the decisions that an evaluation comes to, with the way that each goes."""
        found: set[Taken] = set()
        with suppress(CelEvaluationError):  # the evaluation ended there too
            self._walk(self._root, bindings, found)
        return found

    def _walk(self, node: Node, bindings: Bindings, found: set[Taken]) -> None:
        if isinstance(node, Call) and node.function in WAYS:
            self._decide(node, bindings, found)
        elif isinstance(node, Fold):
            self._loop(node, bindings, found)
        elif isinstance(node, OptionalMap):
            self._walk(node.operand, bindings, found)
            value = self._value(node.operand, bindings)
            if isinstance(value, OptionalValue) and value.present:
                self._walk(node.body, {**bindings, node.variable: value.value}, found)
        elif isinstance(node, SortBy):
            self._walk(node.operand, bindings, found)
            for item in self._value(node.operand, bindings):
                self._walk(node.key, {**bindings, node.variable: item}, found)
        else:
            for child in node.children():
                self._walk(child, bindings, found)

    def _decide(self, node: Call, bindings: Bindings, found: set[Taken]) -> None:
        place, function = node.offset, node.function
        first, *others = node.args if node.target is None else [node.target, *node.args]
        self._walk(first, bindings, found)
        if function == _TERNARY:
            is_true = self._value(first, bindings) is True
            found.add((place, "true" if is_true else "false"))
            self._walk(others[0] if is_true else others[1], bindings, found)
            return
        if function in _DEFAULTS:
            value = self._value(first, bindings)
            decided = isinstance(value, OptionalValue) and bool(value.present)
            found.add((place, "present" if decided else "absent"))
        else:
            decided = self._is(first, bindings, function == "_||_")
            found.add((place, "left" if decided else "right"))
        if not decided:
            self._walk(others[0], bindings, found)

    def _loop(self, node: Fold, bindings: Bindings, found: set[Taken]) -> None:
        self._walk(node.range, bindings, found)
        for turn in _turns(node, self._value(node.range, bindings)):
            inner = {**bindings, **turn}
            if node.condition is not None:
                self._walk(node.condition, inner, found)
                if self._value(node.condition, inner) is not True:
                    continue
            self._walk(node.body, inner, found)
            if node.kind in _DECIDED_BY and self._is(node.body, inner, _DECIDED_BY[node.kind]):
                return

    def _is(self, node: Node, bindings: Bindings, expected: bool) -> bool:
        try:
            return self._value(node, bindings) is expected
        except CelEvaluationError:
            return False  # absorbed when the other side decides

    def _value(self, node: Node, bindings: Bindings) -> Any:
        if isinstance(node, Literal):
            return node.value
        evaluator = self._evaluators.get(id(node))
        if evaluator is None:
            evaluator = self._evaluators[id(node)] = Evaluator(node, EXTENDED)
        return evaluator.evaluate(bindings)


@lru_cache(maxsize=4096)
def branches_of(source: str, variables: frozenset[str], component_macros: bool) -> Branches | None:
    """Return the decisions of an expression over these variables, ``None`` if it does not compile."""
    try:
        return Branches(source, variables, component_macros)
    except CelCompileError:
        return None


def decisions_in(source: str, component_macros: bool) -> list[tuple[int, tuple[str, str]]]:
    """Return the offset and the ways of each decision in an expression, in order; none if it does not parse."""
    try:
        root = parse(source, macros.COMPONENT if component_macros else macros.EXTENDED)
    except CelCompileError:
        return []
    decisions = (node for node in descendants(root) if isinstance(node, Call) and node.function in WAYS)
    return sorted((node.offset, WAYS[node.function]) for node in decisions)


def _turns(node: Fold, container: Any) -> Iterator[Bindings]:
    if isinstance(container, dict):
        pairs = [(key_value(key), container[key]) for key in sorted_keys(container)]
        for key, value in pairs:
            yield {node.first: key} if node.second is None else {node.first: key, node.second: value}
    elif isinstance(container, list):
        for index, item in enumerate(container):
            yield {node.first: item} if node.second is None else {node.first: index, node.second: item}
