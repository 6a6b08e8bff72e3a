"""Conditions of bindings: a subset of the expression language, as trees of `portal.access.condition`.

Allowed are `==`, `!=`, `in` with a list of texts, `&&`, `||`, `!`, `true`, `false`, and `startsWith`, `endsWith`,
`contains` and `matches` (RE2) on an attribute. No macros, no indexes, no arithmetic: what is left has a cost that
follows from its length, and can be asked of a database. Called at admission and when a binding is compiled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import re2

from catalog.compiler.cel.errors import CelCompileError
from catalog.compiler.cel.nodes import Call, Ident, ListNode, Literal, Node, Select
from catalog.compiler.cel.parser import parse
from portal.access.actions import common_attributes
from portal.access.condition import LIST_MAX, NODES_MAX, Tree, attributes_of, node_count, pattern_of

TEXT_MAX = 4096
TESTS = frozenset({"startsWith", "endsWith", "contains", "matches"})
SYMBOLS = {"_==_": "==", "_!=_": "!=", "_&&_": "&&", "_||_": "||", "!_": "!", "@in": "in"}


class BadCondition(ValueError):
    """The expression is not of the subset; the text is for users."""


def tree_of(expression: str) -> Tree:
    """The tree of an expression. Raises `BadCondition`."""
    if len(expression) > TEXT_MAX:
        raise BadCondition(f"longer than {TEXT_MAX} characters")
    try:
        node = parse(expression, {})
    except CelCompileError as error:
        raise BadCondition(f"CEL compile error: {error}") from None
    tree = _tree(node)
    if node_count(tree) > NODES_MAX:
        raise BadCondition(f"more than {NODES_MAX} terms")
    return tree


def _tree(node: Node) -> Tree:
    match node:
        case Literal(value=bool() as truth):
            return ("const", truth)
        case Call(function="_&&_", args=[left, right]):
            return ("and", _tree(left), _tree(right))
        case Call(function="_||_", args=[left, right]):
            return ("or", _tree(left), _tree(right))
        case Call(function="!_", args=[operand]):
            return ("not", _tree(operand))
        case Call(function="_==_", args=[left, right]):
            return _equality(left, right)
        case Call(function="_!=_", args=[left, right]):
            return ("not", _equality(left, right))
        case Call(function="@in", args=[left, ListNode(items=items)]):
            if len(items) > LIST_MAX:
                raise BadCondition(f"a list of more than {LIST_MAX} texts")
            return ("in", _attribute(left), tuple(_text(item) for item in items))
        case Call(function=name, target=Node() as target, args=[argument]) if name in TESTS:
            text = _text(argument)
            if name == "matches":
                _check_pattern(text)
            return (name, _attribute(target), text)
    raise BadCondition(
        f"{_shown(node)} is not allowed here; use ==, !=, in, &&, ||, !, startsWith, endsWith, contains and matches"
    )


def _equality(left: Node, right: Node) -> Tree:
    if isinstance(left, Literal):
        left, right = right, left
    return ("==", _attribute(left), _text(right))


def _attribute(node: Node) -> str:
    match node:
        case Select(operand=Ident(name="resource"), field=field, optional=False, test=False):
            return field
    raise BadCondition(f"{_shown(node)} is not an attribute such as resource.environment")


def _text(node: Node) -> str:
    match node:
        case Literal(value=str() as text):
            return text
    raise BadCondition(f"{_shown(node)} is not a text")


def _check_pattern(pattern: str) -> None:
    try:
        pattern_of(pattern)
    except re2.error as error:
        raise BadCondition(f"not a regular expression: {error}") from None


def _shown(node: Node) -> str:
    match node:
        case Call(function=name):
            return repr(SYMBOLS.get(name, name))
        case Literal(value=value):
            return repr(value)
        case Ident(name=name):
            return repr(name)
    return f"this {type(node).__name__.lower()}"


def problems_of(condition: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the expression of one entry, given the actions that it is for."""
    try:
        tree = tree_of(condition["expression"])
    except BadCondition as error:
        yield str(error)
        return
    used, known = attributes_of(tree), common_attributes(condition["actions"])
    if not used:
        yield "it must depend on an attribute of the resource"
    for name in sorted(used - known):
        yield f"resource.{name} is not an attribute of every one of its actions{_choices(known)}"


def _choices(known: Iterable[str]) -> str:
    names = ", ".join(f"resource.{name}" for name in sorted(known))
    return f"; these are: {names}" if names else ", which have none"
