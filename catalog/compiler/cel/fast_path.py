"""Generated code as functions, and as pieces that others may put into functions of their own.

Called by ``Program`` and by whoever wants many expressions in one function (``inline``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from catalog.compiler.cel.budget import DEFAULT_BUDGET, charge
from catalog.compiler.cel.functions import Library
from catalog.compiler.cel.generator import Generator
from catalog.compiler.cel.nodes import Node

Function = Callable[[Mapping[str, Any]], Any]

# What generated code raises when it gives up. Anything else (an interrupt, a time limit of a worker) passes through.
FAILURES: Final = (ArithmeticError, AttributeError, LookupError, NameError, RuntimeError, TypeError, ValueError)
_UNCOMPILABLE: Final = (SyntaxError, RecursionError, MemoryError, OverflowError)
_NAME: Final = "evaluate"
_LITTLE: Final = 500  # steps not worth telling the render


class Inlined(NamedTuple):
    """An expression as Python code.

    ``statements`` come first, each with its indentation relative to the others; then ``result`` is an expression for
    the value. Both need the names of ``globals``, and a variable ``spent`` that starts as 0. What they raise is one of
    ``FAILURES`` and means that ``Program.evaluate`` has to be asked.
    """

    statements: tuple[str, ...]
    result: str
    globals: Mapping[str, object]


def inline(node: Node, library: Library, *, native: bool, bindings: str, prefix: str, budget: int) -> Inlined:
    """Return the code of a checked expression.

    ``native`` makes it give what ``to_native`` would. ``bindings`` is the Python name under which the code finds the
    variables; ``prefix`` starts all names of its own, so that several expressions can share a function.
    """
    generator = Generator(library, bindings, prefix)
    made = generator.native(node) if native else generator.raw(node)
    return Inlined(
        tuple(generator.writer.lines()), made.text, {**generator.writer.globals, "BUDGET": budget, "charge": charge}
    )


def compile_function(node: Node, library: Library, *, native: bool, budget: int = DEFAULT_BUDGET) -> Function | None:
    """Return a function from bindings to the value, or ``None`` when Python cannot compile its code."""
    try:
        inlined = inline(node, library, native=native, bindings="b", prefix="", budget=budget)
        names = dict(inlined.globals)
        exec(compile(function_source(inlined), "<expression>", "exec"), names)  # noqa: S102 - our own code
    except _UNCOMPILABLE:
        return None
    function: Function = names[_NAME]  # type: ignore[assignment]
    return function


def function_source(inlined: Inlined) -> str:
    """Return the source of a function around the code of one expression."""
    lines = [f"def {_NAME}(b):"]
    if any("spent" in statement for statement in inlined.statements):
        lines.append("    spent = 0")
        lines.append("    charge(0)")  # a render that has done too much does nothing more
    lines.extend("    " + statement for statement in inlined.statements)
    if lines[1:2] == ["    spent = 0"]:
        lines.append(f"    if spent > {_LITTLE}: charge(spent)")
    lines.append(f"    return {inlined.result}")
    return "\n".join(lines)
