"""Which variables an expression reads, as paths: ``parameters.replicas``, ``workload.endpoints``, ``env.name``.

Called by ``inputs``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from catalog.compiler.cel import macros
from catalog.compiler.cel.nodes import Call, Fold, Ident, Literal, Node, OptionalMap, Select, SortBy
from catalog.compiler.cel.parser import parse
from catalog.compiler.explain.origin import FieldPath


class Reference(NamedTuple):
    """A path that an expression reads. ``is_whole``: the expression is this path and nothing else."""

    variable: str
    steps: FieldPath
    is_whole: bool


@lru_cache(maxsize=1024)
def references(expression: str) -> tuple[Reference, ...]:
    """Return what a component's expression reads, each path once, in its order; loop variables are left out.

    The expression is one that has been compiled before.
    """
    root = parse(expression, macros.COMPONENT, optional_syntax=True)
    whole = _path_of(root)
    if whole is not None:
        return (Reference(*whole, is_whole=True),)
    return tuple(dict.fromkeys(Reference(*path, is_whole=False) for path in _paths(root, frozenset())))


def _paths(node: Node, bound: frozenset[str]) -> Iterator[tuple[str, FieldPath]]:
    path = _path_of(node)
    if path is not None:
        if path[0] not in bound:
            yield path
        return
    if isinstance(node, Fold):
        yield from _paths(node.range, bound)
        inner = bound | {node.first, *([node.second] if node.second else [])}
        for part in (node.condition, node.body):
            if part is not None:
                yield from _paths(part, inner)
    elif isinstance(node, OptionalMap):
        yield from _paths(node.operand, bound)
        yield from _paths(node.body, bound | {node.variable})
    elif isinstance(node, SortBy):
        yield from _paths(node.operand, bound)
        yield from _paths(node.key, bound | {node.variable})
    else:
        for child in node.children():
            yield from _paths(child, bound)


def _path_of(node: Node) -> tuple[str, FieldPath] | None:
    """The path that a node is, ``None`` when it is something else or an index of it is computed."""
    steps: list[str | int] = []
    while True:
        if isinstance(node, Ident):
            return node.name, tuple(reversed(steps))
        if isinstance(node, Select):
            steps.append(node.field)
            node = node.operand
        elif isinstance(node, Call) and node.function in ("_[_]", "_[?_]") and isinstance(node.args[1], Literal):
            index = node.args[1].value
            if not isinstance(index, str | int):
                return None
            steps.append(index)
            node = node.args[0]
        else:
            return None
