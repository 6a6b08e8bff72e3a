"""Paths of members: ``a.b[0].?c``. Called by the evaluator and the generator.

A path is taken apart as a whole because an optional step changes the steps after it: from there on nothing is an
error, what is missing makes the path none.
"""

from __future__ import annotations

from catalog.compiler.cel.nodes import Call, Node, Select
from catalog.compiler.cel.types import is_optional

# A step: a name or the node of an index, and whether it is optional.
Step = tuple[str | Node, bool]


def path(node: Node) -> tuple[Node, list[Step]]:
    """Return where a path starts, and its steps. A node that is no member of anything is a path without steps."""
    steps: list[Step] = []
    while True:
        if isinstance(node, Select) and not _is_name(node) and not (node.test and steps):
            steps.append((node.field, node.optional))
            node = node.operand
        elif isinstance(node, Call) and node.function in ("_[_]", "_[?_]"):
            steps.append((node.args[1], node.function == "_[?_]"))
            node = node.args[0]
        else:
            return node, steps[::-1]


def _is_name(node: Select) -> bool:
    return node.type_value is not None or node.variable is not None


def gives_optional(node: Node) -> bool:
    """Tell whether a node is a path that gives an optional because of one of its steps or of where it starts."""
    root, steps = path(node)
    return bool(steps) and (is_optional(root.type) or any(optional for _, optional in steps))
