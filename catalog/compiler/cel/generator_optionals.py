"""The generator's part for calls with optionals, which stay bare values or ``MISSING`` where they can."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from catalog.compiler.cel import code
from catalog.compiler.cel.code import Code
from catalog.compiler.cel.nodes import Call
from catalog.compiler.cel.paths import gives_optional

if TYPE_CHECKING:
    from catalog.compiler.cel.generator import Generator


def may_be_optional(node: Call) -> bool:
    """Tell whether a call may give an optional that can be kept as a bare value."""
    return node.function in _OPTIONAL or (node.function == "_[_]" and gives_optional(node))


def optional_call(generator: Generator, node: Call) -> Code | None:
    """Return code (a name) for the bare value of a call that gives an optional, or ``None`` for other calls."""
    if node.function in ("_[_]", "_[?_]"):
        return generator.optional(node) if gives_optional(node) else None
    make = _OPTIONAL.get(node.function)
    return make(generator, node) if make is not None else None


def _of(generator: Generator, node: Call) -> Code:
    return generator.writer.stored(generator.raw(node.args[0]))


def _none(generator: Generator, node: Call) -> Code:
    return Code(generator.missing(), is_name=True)


def _or(generator: Generator, node: Call) -> Code | None:
    if node.target is None:
        return None
    first = generator.optional(node.target)
    result = generator.writer.name()
    generator.writer.line(f"{result} = {first.text}")
    with generator.writer.block(f"if {result} is {generator.missing()}:"):
        second = generator.optional(node.args[0])
        generator.writer.line(f"{result} = {second.text}")
    return Code(result, of_context=first.of_context and second.of_context, is_name=True)


def _edge(place: int) -> Callable[[Generator, Call], Code | None]:
    """``first`` and ``last``."""

    def make(generator: Generator, node: Call) -> Code | None:
        if node.target is None:
            return None
        made = generator.raw(node.target)
        text = made.text if made.kind == code.LIST else f"{generator.helper('as_list')}({made.text})"
        items = generator.writer.stored(made._replace(text=text, is_name=made.is_name and text == made.text))
        edge = f"({items.text}[{place}] if {items.text} else {generator.missing()})"
        return generator.writer.stored(Code(edge, of_context=made.of_context))

    return make


def or_value(generator: Generator, node: Call, emit: str) -> Code | None:
    """Return code for ``optional.orValue(x)``; ``emit`` is the generator's method for the result."""
    if node.target is None:
        return None
    bare = generator.optional(node.target)
    with generator.writer.capture() as captured:
        alternative: Code = getattr(generator, emit)(node.args[0])
    present = bare
    if emit == "native":
        present = generator.converted(bare)
    of_context = bare.of_context and alternative.of_context
    missing = generator.missing()
    if not captured.lines:
        text = f"({alternative.text} if {bare.text} is {missing} else {present.text})"
        return Code(text, of_context=of_context, may_omit=alternative.may_omit or present.may_omit)
    result = generator.writer.name()
    with generator.writer.block(f"if {bare.text} is {missing}:"):
        generator.writer.add_captured(captured.lines)
        generator.writer.line(f"{result} = {alternative.text}")
    with generator.writer.block("else:"):
        generator.writer.line(f"{result} = {present.text}")
    return Code(result, of_context=of_context, is_name=True, may_omit=alternative.may_omit or present.may_omit)


def or_value_raw(generator: Generator, node: Call) -> Code | None:
    """Return code for the raw value of ``optional.orValue(x)``."""
    return or_value(generator, node, "raw")


def has_value(generator: Generator, node: Call) -> Code | None:
    """Return code for ``optional.hasValue()``."""
    if node.target is None:
        return None
    bare = generator.optional(node.target)
    return Code(f"({bare.text} is not {generator.missing()})", code.BOOL)


def value(generator: Generator, node: Call) -> Code | None:
    """Return code for ``optional.value()``."""
    if node.target is None:
        return None
    bare = generator.optional(node.target)
    with generator.writer.block(f"if {bare.text} is {generator.missing()}:"):
        generator.writer.line(f"{generator.helper('give_up')}()")
    return bare


_OPTIONAL: Final[dict[str, Callable[[Generator, Call], Code | None]]] = {
    "_[?_]": lambda generator, node: generator.optional(node),
    "optional.of": _of,
    "optional.none": _none,
    "or": _or,
    "first": _edge(0),
    "last": _edge(-1),
}
