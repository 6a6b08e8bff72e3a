"""The generator's part for results that go into documents: what ``to_native`` would make, built at once.

A literal, a loop or a choice at the end of an expression is built as plain containers; everything else is converted.
Called by ``generator``.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from catalog.compiler.cel import code, generator_calls, generator_loops, generator_optionals
from catalog.compiler.cel.code import Code
from catalog.compiler.cel.native import key_text, to_native
from catalog.compiler.cel.nodes import Call, Entry, Fold, ListNode, Literal, MapNode, Node, OptionalMap
from catalog.compiler.cel.values import NULL, OMIT

if TYPE_CHECKING:
    from catalog.compiler.cel.generator import Generator

_PLAIN_KINDS = frozenset({code.STR, code.INT, code.FLOAT, code.BOOL, code.UINT})


def native(generator: Generator, node: Node) -> Code:
    """Return code for the value of a node, as documents hold it."""
    if isinstance(node, Literal):
        return _literal(generator, node)
    if isinstance(node, MapNode):
        return _map(generator, node)
    if isinstance(node, ListNode):
        return _list(generator, node)
    if isinstance(node, Fold):
        return generator_loops.fold(generator, node, native=True)
    if isinstance(node, OptionalMap):
        return _optional(generator, generator.optional(node))
    if isinstance(node, Call):
        made = _call(generator, node)
        if made is not None:
            return made
    return converted(generator, generator.raw(node))


def converted(generator: Generator, value: Code) -> Code:
    """Return code for the document form of a raw value."""
    if value.kind in _PLAIN_KINDS:
        return value
    if value.may_omit and value.text == "OMIT":
        return value
    if value.of_context:
        value = generator.writer.stored(value)
        null = generator.writer.helper(NULL, "NULL")
        return Code(f"({value.text} if {value.text} is not None else {null})", value.kind)
    made = generator.writer.helper(to_native, "to_native")
    may_omit = value.kind not in (code.LIST, code.MAP, code.BYTES)
    if may_omit:
        generator.writer.helper(OMIT, "OMIT")
    return Code(
        f"{made}({value.text})", value.kind if value.kind in (code.LIST, code.MAP) else code.ANY, may_omit=may_omit
    )


def _literal(generator: Generator, node: Literal) -> Code:
    if node.value is None:
        return Code(generator.writer.helper(NULL, "NULL"), is_name=True)
    if isinstance(node.value, bytes):
        return Code(repr(base64.b64encode(node.value).decode("ascii")), code.STR, is_name=True)
    return generator.raw(node)


def _call(generator: Generator, node: Call) -> Code | None:
    if node.function == "_?_:_":
        return generator_calls.conditional(generator, node, "native")
    if node.function == "orValue":
        return generator_optionals.or_value(generator, node, "native")
    if node.function == "dyn":
        return native(generator, node.args[0])
    if node.function == "oc_merge":
        base, override = generator.raw(node.args[0]), generator.raw(node.args[1])
        return Code(f"{generator.helper('merged_native')}({base.text}, {override.text})", code.MAP)
    bare = generator_optionals.optional_call(generator, node)
    return None if bare is None else _optional(generator, bare)


def _optional(generator: Generator, bare: Code) -> Code:
    """The document form of an optional: its value's, or null."""
    value = converted(generator, bare)
    text = f"(None if {bare.text} is {generator.missing()} else {value.text})"
    return Code(text, may_omit=value.may_omit)


def _list(generator: Generator, node: ListNode) -> Code:
    if not node.optional_items:
        items = [native(generator, item) for item in node.items]
        if not any(item.may_omit for item in items):
            return Code(f"[{', '.join([item.text for item in items])}]", code.LIST)
        result = generator.writer.name()
        generator.writer.line(f"{result} = []")
        for item in items:
            _append(generator, result, item)
        return Code(result, code.LIST, is_name=True)
    result = generator.writer.name()
    generator.writer.line(f"{result} = []")
    for place, child in enumerate(node.items):
        if place not in node.optional_items:
            _append(generator, result, native(generator, child))
            continue
        bare = generator.optional(child)
        with generator.writer.block(f"if {bare.text} is not {generator.missing()}:"):
            _append(generator, result, converted(generator, bare))
    return Code(result, code.LIST, is_name=True)


def _append(generator: Generator, result: str, item: Code) -> None:
    if not item.may_omit:
        generator.writer.line(f"{result}.append({item.text})")
        return
    item = generator.writer.stored(item)
    with generator.writer.block(f"if {item.text} is not OMIT:"):
        generator.writer.line(f"{result}.append({item.text})")


def _map(generator: Generator, node: MapNode) -> Code:
    if len(_constant_keys(node)) != len(node.entries):
        # A key that may come twice: a later entry, omitted or not, takes the place of an earlier one.
        return converted(generator, generator.raw(node))
    pieces: list[str] = []
    values = []
    for entry in node.entries:
        values.append(None if entry.optional else native(generator, entry.value))
    if all(value is not None and not value.may_omit for value in values):
        for entry, value in zip(node.entries, values, strict=True):
            assert value is not None  # noqa: S101 - as tested
            pieces.append(f"{_key(entry)}: {value.text}")
        return Code(f"{{{', '.join(pieces)}}}", code.MAP)
    result = generator.writer.name()
    generator.writer.line(f"{result} = {{}}")
    for entry, value in zip(node.entries, values, strict=True):
        if value is None:
            bare = generator.optional(entry.value)
            with generator.writer.block(f"if {bare.text} is not {generator.missing()}:"):
                _set(generator, result, entry, converted(generator, bare))
        else:
            _set(generator, result, entry, value)
    return Code(result, code.MAP, is_name=True)


def _constant_keys(node: MapNode) -> set[object]:
    keys = [entry.key for entry in node.entries]
    return {key.value for key in keys if isinstance(key, Literal) and not isinstance(key.value, bytes)}


def _key(entry: Entry) -> str:
    assert isinstance(entry.key, Literal)  # noqa: S101 - tested by the caller
    value = entry.key.value
    return repr(value if isinstance(value, str) else key_text(value))


def _set(generator: Generator, result: str, entry: Entry, value: Code) -> None:
    if not value.may_omit:
        generator.writer.line(f"{result}[{_key(entry)}] = {value.text}")
        return
    value = generator.writer.stored(value)
    with generator.writer.block(f"if {value.text} is not OMIT:"):
        generator.writer.line(f"{result}[{_key(entry)}] = {value.text}")
