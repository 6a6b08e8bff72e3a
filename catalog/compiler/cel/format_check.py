"""Checks calls of ``format`` whose template and arguments are literals, before anything runs. Called by the checker."""

from __future__ import annotations

from catalog.compiler.cel.library.string_format import (
    CLAUSE_TYPES,
    STRING_COMPLAINT,
    Clause,
    FormatError,
    read_template,
)
from catalog.compiler.cel.nodes import Call, ListNode, Literal, MapNode, Node, descendants
from catalog.compiler.cel.source import Faults
from catalog.compiler.cel.type_matching import is_dyn
from catalog.compiler.cel.types import runtime_name


def check_formats(root: Node, faults: Faults) -> None:
    """Report templates that cannot be read, arguments of wrong types, and arguments too few or too many."""
    for node in descendants(root):
        if not (isinstance(node, Call) and node.function == "format" and len(node.args) == 1):
            continue
        template, args = node.target, node.args[0]
        if isinstance(template, Literal) and isinstance(template.value, str) and isinstance(args, ListNode):
            _check_format(node, template.value, args.items, faults)


def _check_format(node: Call, template: str, args: list[Node], faults: Faults) -> None:
    used = 0
    try:
        for part in read_template(template, len(args)):
            if isinstance(part, Clause):
                used += 1
                bad, complaint = _misfit(part.letter, args[part.argument])
                if bad is not None:
                    message = f"error during formatting: {complaint}, was given {runtime_name(bad.type)}"
                    faults.report(bad.offset, message)
                    return
    except FormatError as error:
        faults.report(node.offset, str(error))
        return
    if len(args) > used:
        message = f"too many arguments supplied to string.format (expected {used}, got {len(args)})"
        faults.report(node.offset, message)


def _misfit(letter: str, node: Node) -> tuple[Node | None, str]:
    """Return the part of an argument that its clause cannot print, and the complaint."""
    if letter != "s":
        accepted, complaint = CLAUSE_TYPES[letter]
        return (None if is_dyn(node.type) or node.type.kind in accepted else node), complaint
    if not is_dyn(node.type) and node.type.kind in ("opaque", "object", "error"):
        return node, STRING_COMPLAINT
    for inner in node.children() if isinstance(node, (ListNode, MapNode)) else ():
        bad, _ = _misfit("s", inner)
        if bad is not None:
            return bad, STRING_COMPLAINT
    return None, STRING_COMPLAINT
