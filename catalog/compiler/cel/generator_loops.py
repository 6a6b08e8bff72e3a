"""The generator's part for loops. Called by ``generator``.

Loops count their turns, and what is made inside of them is counted too (``Generator.counted``), so that a few nested
loops cannot run for ever.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.compiler.cel import code
from catalog.compiler.cel.code import Code
from catalog.compiler.cel.library.lists import sort_by_keys
from catalog.compiler.cel.library.maps import insert_all
from catalog.compiler.cel.native import key_text
from catalog.compiler.cel.nodes import Fold, ListNode, MapNode, Node, SortBy, length_of
from catalog.compiler.cel.values import CelList, CelMap, map_key

if TYPE_CHECKING:
    from catalog.compiler.cel.generator import Generator


def fold(generator: Generator, node: Fold, *, native: bool) -> Code:
    """Return code for the value of a loop; ``native`` makes what it builds one for documents."""
    if node.kind in ("all", "exists", "exists_one"):
        return _quantifier(generator, node)
    if node.kind in ("transformMap", "transformMapEntry"):
        return _map(generator, node, native)
    return _list(generator, node, native)


class _Loop:
    """The head of a loop: opened by ``with``, its variables are bound inside."""

    def __init__(self, generator: Generator, node: Fold) -> None:
        self._generator = generator
        self._node = node
        self.first = Code("", is_name=True)
        self.second = Code("", is_name=True)

    def __enter__(self) -> _Loop:
        generator, node = self._generator, self._node
        writer = generator.writer
        of_context, text = _range(generator, node)
        name = writer.name()
        writer.line(f"{name} = {text}")
        generator.spend(f"len({name}) * {length_of(node)}")
        text = name
        self.first = Code(writer.name(), of_context=of_context, is_name=True)
        names = {node.first: self.first}
        targets = self.first.text
        if node.second is not None:
            self.second = Code(writer.name(), of_context=of_context, is_name=True)
            self.first = self.first._replace(of_context=True)  # at least as plain: a text or a number
            names = {node.first: self.first, node.second: self.second}
            targets += f", {self.second.text}"
        self._block = writer.block(f"for {targets} in {text}:")
        self._block.__enter__()
        generator.loops += 1
        generator.bind(names)
        return self

    def __exit__(self, *error: object) -> None:
        self._generator.unbind()
        self._generator.loops -= 1
        self._block.__exit__(None, None, None)


def _range(generator: Generator, node: Fold) -> tuple[bool, str]:
    """Return whether a loop's values stand in the context, and code for what it runs through."""
    if isinstance(node.range, ListNode) and not node.range.optional_items and node.second is None:
        items = generator.items(node.range)
        return False, f"({items},)" if items else "()"
    made = generator.raw(node.range)
    if node.second is not None:
        return made.of_context, f"{generator.helper('pairs_of')}({made.text})"
    if made.kind == code.LIST:
        return made.of_context, made.text
    made = generator.writer.stored(made)
    text = f"({made.text} if type({made.text}) is list else {generator.helper('items_of')}({made.text}))"
    return made.of_context, text


def _condition(generator: Generator, node: Node) -> str:
    made = generator.raw(node)
    return made.text if made.kind == code.BOOL else f"{generator.helper('truth')}({made.text})"


def _quantifier(generator: Generator, node: Fold) -> Code:
    """``all``, ``exists``: a turn that decides ends the loop; ``exists_one`` counts all turns."""
    writer = generator.writer
    result = writer.name()
    if node.kind == "exists_one":
        writer.line(f"{result} = 0")
        with _Loop(generator, node), writer.block(f"if {_condition(generator, node.body)}:"):
            writer.line(f"{result} += 1")
        return Code(f"({result} == 1)", code.BOOL)
    wanted = node.kind == "exists"
    writer.line(f"{result} = {not wanted}")
    with _Loop(generator, node):
        condition = _condition(generator, node.body)
        with writer.block(f"if {condition}:" if wanted else f"if not {condition}:"):
            writer.line(f"{result} = {wanted}")
            writer.line("break")
    return Code(result, code.BOOL, is_name=True)


def _list(generator: Generator, node: Fold, native: bool) -> Code:
    """``map``, ``filter``, ``transformList``."""
    writer = generator.writer
    result = writer.name()
    writer.line(f"{result} = []" if native else f"{result} = {writer.helper(CelList, 'CelList')}()")
    with _Loop(generator, node) as loop:
        if node.kind == "filter":
            with writer.block(f"if {_condition(generator, node.body)}:"):
                _append(generator, result, generator.converted(loop.first) if native else loop.first, native)
        elif node.condition is not None:
            with writer.block(f"if {_condition(generator, node.condition)}:"):
                _append(generator, result, _body(generator, node.body, native), native)
        else:
            _append(generator, result, _body(generator, node.body, native), native)
    return Code(result, code.LIST, is_name=True)


def _body(generator: Generator, node: Node, native: bool) -> Code:
    return generator.native(node) if native else generator.raw(node)


def _append(generator: Generator, result: str, item: Code, native: bool) -> None:
    if not (native and item.may_omit):
        generator.writer.line(f"{result}.append({item.text})")
        return
    item = generator.writer.stored(item)
    with generator.writer.block(f"if {item.text} is not OMIT:"):
        generator.writer.line(f"{result}.append({item.text})")


def _map(generator: Generator, node: Fold, native: bool) -> Code:
    """``transformMap``, ``transformMapEntry``."""
    writer = generator.writer
    result = writer.name()
    writer.line(f"{result} = {{}}" if native else f"{result} = {writer.helper(CelMap, 'CelMap')}()")
    with _Loop(generator, node) as loop:
        if node.condition is not None:
            with writer.block(f"if {_condition(generator, node.condition)}:"):
                _insert(generator, node, loop, result, native)
        else:
            _insert(generator, node, loop, result, native)
    return Code(result, code.MAP, is_name=True)


def _insert(generator: Generator, node: Fold, loop: _Loop, result: str, native: bool) -> None:
    writer = generator.writer
    if node.kind == "transformMap":
        # The keys of a map and the places of a list are all different: nothing can be there already.
        stored = writer.helper(key_text, "key_text") if native else writer.helper(map_key, "map_key")
        key = f"{loop.first.text} if type({loop.first.text}) is str else {stored}({loop.first.text})"
        _set(generator, result, key, _body(generator, node.body, native), native)
        return
    body = node.body
    if isinstance(body, MapNode) and len(body.entries) == 1 and not body.entries[0].optional:
        key_code = writer.stored(generator.raw(body.entries[0].key))
        with writer.block(f"if type({key_code.text}) is not str or {key_code.text} in {result}:"):
            writer.line(f"{generator.helper('give_up')}()")
        value = _body(generator, body.entries[0].value, native)
        if native and value.may_omit:
            value = writer.stored(value)
            with writer.block(f"if {value.text} is OMIT:"):
                writer.line(f"{generator.helper('give_up')}()")  # an omitted entry still takes its key
        writer.line(f"{result}[{key_code.text}] = {value.text}")
        return
    made = generator.raw(body)
    if native:
        # Conversion comes last, over all entries: they are plain ones or make the code give up.
        writer.line(f"{generator.helper('insert_plain')}({result}, {made.text})")
    else:
        writer.line(f"{writer.helper(insert_all, 'insert_all')}({result}, {made.text})")


def _set(generator: Generator, result: str, key: str, value: Code, native: bool) -> None:
    if not (native and value.may_omit):
        generator.writer.line(f"{result}[{key}] = {value.text}")
        return
    value = generator.writer.stored(value)
    with generator.writer.block(f"if {value.text} is not OMIT:"):
        generator.writer.line(f"{result}[{key}] = {value.text}")


def sort_by(generator: Generator, node: SortBy) -> Code:
    """Return code for ``list.sortBy(variable, key)``."""
    writer = generator.writer
    made = generator.raw(node.operand)
    text = made.text if made.kind == code.LIST else f"{generator.helper('as_list')}({made.text})"
    items = writer.stored(made._replace(text=text, is_name=made.is_name and text == made.text))
    generator.spend(f"len({items.text}) * {length_of(node)}")
    keys, variable = writer.name(), writer.name()
    writer.line(f"{keys} = []")
    with writer.block(f"for {variable} in {items.text}:"):
        generator.loops += 1
        generator.bind({node.variable: Code(variable, of_context=made.of_context, is_name=True)})
        writer.line(f"{keys}.append({generator.raw(node.key).text})")
        generator.unbind()
        generator.loops -= 1
    return Code(f"{writer.helper(sort_by_keys, 'sort_by_keys')}({items.text}, {keys})", code.LIST)
