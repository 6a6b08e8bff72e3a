"""From a checked tree to Python source: the fast path.

The source computes exactly what the evaluator defines, or raises anything at all; then the evaluator is asked. So the
code can leave rare cases to exceptions that Python raises by itself (a key that is not there, a method that a type
lacks), but must not succeed where the language fails: Python holds ``True == 1``, looks for text inside of text, counts
negative places from the end. Where a value's type is unknown, such cases go through functions of ``runtime`` and
``operators``, which are exact.

An optional is kept as its bare value, or ``MISSING``, as long as nothing else needs it boxed. Statements come before
the expression that uses their names; a branch with statements becomes an ``if``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from catalog.compiler.cel import (
    code,
    generator_calls,
    generator_loops,
    generator_native,
    generator_optionals,
    operators,
    runtime,
)
from catalog.compiler.cel.code import Code, Writer
from catalog.compiler.cel.functions import Library
from catalog.compiler.cel.nodes import (
    Call,
    Fold,
    Ident,
    ListNode,
    Literal,
    MapNode,
    Node,
    OptionalMap,
    Select,
    SortBy,
)
from catalog.compiler.cel.paths import gives_optional, path
from catalog.compiler.cel.types import is_optional
from catalog.compiler.cel.values import CelList, CelMap, TypeValue, UInt, map_key

_LITERAL_KINDS: Final[dict[type, str]] = {
    str: code.STR,
    int: code.INT,
    float: code.FLOAT,
    UInt: code.UINT,
    bool: code.BOOL,
    bytes: code.BYTES,
    type(None): code.NULL,
}


class Generator:
    """Generates the code of one expression. ``bindings`` is the Python name under which it finds its variables."""

    def __init__(self, library: Library, bindings: str, prefix: str = "") -> None:
        self.library = library
        self.writer = Writer(prefix)
        self.bindings = bindings
        self.loops = 0
        self._scopes: list[dict[str, Code]] = []

    # --- what the modules of the generator call

    def raw(self, node: Node) -> Code:
        """Return code for the value of a node, as ``values`` describes it."""
        if isinstance(node, Literal):
            return self._literal(node.value)
        if isinstance(node, Ident):
            return self._ident(node)
        if isinstance(node, Select):
            return self._select(node)
        if isinstance(node, Call):
            return generator_calls.call(self, node)
        if isinstance(node, ListNode):
            return self._list(node)
        if isinstance(node, MapNode):
            return self._map(node)
        if isinstance(node, Fold):
            return generator_loops.fold(self, node, native=False)
        if isinstance(node, SortBy):
            return generator_loops.sort_by(self, node)
        if isinstance(node, OptionalMap):
            return self.boxed(self.optional(node))
        raise TypeError(f"not a node of an expression: {type(node).__name__}")

    def native(self, node: Node) -> Code:
        """Return code for the value of a node, as documents hold it."""
        return generator_native.native(self, node)

    def converted(self, value: Code) -> Code:
        """Return code for the document form of a raw value."""
        return generator_native.converted(self, value)

    def helper(self, name: str) -> str:
        """Return the name of a function of ``runtime``."""
        return self.writer.helper(getattr(runtime, name), name)

    def operator(self, name: str) -> str:
        """Return the name of a function of ``operators``."""
        return self.writer.helper(getattr(operators, name), name)

    def name(self, node: Node) -> Code:
        """Return code for a node that can be repeated."""
        return self.writer.stored(self.raw(node))

    def bind(self, names: Mapping[str, Code]) -> None:
        """Give variables to what is generated until ``unbind``."""
        self._scopes.append(dict(names))

    def unbind(self) -> None:
        """Take the variables of the last ``bind`` back."""
        self._scopes.pop()

    def either(self, condition: str, accepted: Node, refused: Node, emit: str, otherwise: str | None = None) -> Code:
        """Return code for one of two nodes, made by the method ``emit`` of this object.

        ``otherwise`` is a condition that must hold for the second; without it the first one's being false is enough.
        """
        make = getattr(self, emit)
        with self.writer.capture() as first:
            accepted_code: Code = make(accepted)
        with self.writer.capture() as second:
            refused_code: Code = make(refused)
        kind = accepted_code.kind if accepted_code.kind == refused_code.kind else code.ANY
        of_context = accepted_code.of_context and refused_code.of_context
        may_omit = accepted_code.may_omit or refused_code.may_omit
        last = refused_code.text
        if not first.lines and not second.lines:
            if otherwise is not None:
                last = f"({last} if {otherwise} else {self.helper('give_up')}())"
            text = f"({accepted_code.text} if {condition} else {last})"
            return Code(text, kind, of_context, may_omit=may_omit)
        result = self.writer.name()
        with self.writer.block(f"if {condition}:"):
            self.writer.add_captured(first.lines)
            self.writer.line(f"{result} = {accepted_code.text}")
        with self.writer.block(f"elif {otherwise}:" if otherwise else "else:"):
            self.writer.add_captured(second.lines)
            self.writer.line(f"{result} = {refused_code.text}")
        if otherwise:
            with self.writer.block("else:"):
                self.writer.line(f"{self.helper('give_up')}()")
        return Code(result, kind, of_context, is_name=True, may_omit=may_omit)

    def counted(self, made: Code) -> Code:
        """Count the text or list that has been made, against endless growth; outside of loops only a large one."""
        made = self.writer.stored(made)
        size = f"len({made.text})" if made.kind == code.LIST else f"len({made.text}) >> 4"
        if self.loops:
            self.spend(size)
        else:
            with self.writer.block(f"if len({made.text}) > 500:"):
                self.writer.line(f"{self.helper('work')}({size})")
        return made

    def spend(self, steps: str) -> None:
        """Add to what the evaluation has spent."""
        self.writer.line(f"spent += {steps}")
        with self.writer.block("if spent > BUDGET:"):
            self.writer.line(f"{self.helper('too_much')}(BUDGET)")

    # --- optionals

    def optional(self, node: Node) -> Code:
        """Return code (a name) for the bare value of an optional, or ``MISSING``."""
        if isinstance(node, OptionalMap):
            return self._optional_map(node)
        if gives_optional(node):
            return self._optional_path(node)
        if isinstance(node, Call):
            made = generator_optionals.optional_call(self, node)
            if made is not None:
                return made
        return self.writer.stored(Code(f"{self.helper('unboxed')}({self.raw(node).text})"))

    def boxed(self, bare: Code) -> Code:
        """Return code for the optional of a bare value."""
        return Code(f"{self.helper('boxed')}({bare.text})", code.OPTIONAL)

    def missing(self) -> str:
        """Return the name of ``MISSING``."""
        return self.writer.helper(runtime.MISSING, "MISSING")

    def optional_result(self, emit_present: Node, emit: str, result: str, condition: str) -> bool:
        """Assign a node's code to ``result`` if ``condition`` holds, else ``MISSING``; tell whether of the context."""
        with self.writer.block(f"if {condition}:"):
            present: Code = getattr(self, emit)(emit_present)
            self.writer.line(f"{result} = {present.text}")
        with self.writer.block("else:"):
            self.writer.line(f"{result} = {self.missing()}")
        return present.of_context

    def _optional_map(self, node: OptionalMap) -> Code:
        bare = self.optional(node.operand)
        result = self.writer.name()
        self.bind({node.variable: bare._replace(is_name=True)})
        try:
            condition = f"{bare.text} is not {self.missing()}"
            of_context = self.optional_result(node.body, "optional" if node.flat else "raw", result, condition)
        finally:
            self.unbind()
        return Code(result, of_context=of_context, is_name=True)

    def _optional_path(self, node: Node) -> Code:
        """A path that is optional from its start or from some step on: what is missing then makes it none."""
        root, steps = path(node)
        if is_optional(root.type):
            current, first = self.optional(root), 0
        else:
            current = self.raw(root)
            first = next(place for place, (_, optional) in enumerate(steps) if optional)
            for key, _ in steps[:first]:
                current = self._member(current, key)
            current = self.writer.stored(current)
        may_be_missing = is_optional(root.type)
        for key, _ in steps[first:]:
            result = self.writer.name()
            step = self._found(current, key)
            if may_be_missing:
                step = f"{self.missing()} if {current.text} is {self.missing()} else {step}"
            self.writer.line(f"{result} = {step}")
            current = Code(result, of_context=current.of_context, is_name=True)
            may_be_missing = True
        return current

    def _found(self, container: Code, key: str | Node) -> str:
        """Return code for a member or ``MISSING``."""
        find = self.helper("find")
        if not isinstance(key, str):
            return f"{find}({container.text}, {self.raw(key).text})"
        quick = f"{container.text}.get({key!r}, {self.missing()}) if type({container.text}) is dict"
        return f"({quick} else {find}({container.text}, {key!r}))"

    # --- names and members

    def _literal(self, value: object) -> Code:
        kind = _LITERAL_KINDS[type(value)]
        if kind == code.UINT or (isinstance(value, float) and (value != value or value in _INFINITE)):
            return Code(self.writer.constant(value), kind, is_name=True)
        # Not a name: Python warns of literals that are called, subscripted or compared by identity.
        return Code(f"({value!r})" if _is_negative(value) else repr(value), kind)

    def _ident(self, node: Ident) -> Code:
        if node.type_value is not None:
            return self._type(node.type_value)
        if not node.name.startswith("."):
            for scope in reversed(self._scopes):
                if node.name in scope:
                    return scope[node.name]
        return Code(f"{self.bindings}[{node.name.removeprefix('.')!r}]", of_context=True)

    def _type(self, name: str) -> Code:
        return Code(self.writer.constant(TypeValue(name)), is_name=True)

    def _select(self, node: Select) -> Code:
        if node.type_value is not None:
            return self._type(node.type_value)
        if node.variable is not None:
            return Code(f"{self.bindings}[{node.variable!r}]", of_context=True)
        if node.test:
            return self._presence(node)
        return self.boxed(self._optional_path(node)) if gives_optional(node) else self.members(node)

    def members(self, node: Node) -> Code:
        """Return code for a path of members without optional steps."""
        root, steps = path(node)
        current = self.raw(root)
        for key, _ in steps:
            current = self._member(current, key)
        return current

    def _member(self, container: Code, key: str | Node) -> Code:
        if container.kind in code.SCALARS:
            container = self.writer.stored(container)
        if isinstance(key, str):
            return Code(f"{container.text}[{key!r}]", of_context=container.of_context)
        if isinstance(key, Literal):
            if type(key.value) is str:
                return Code(f"{container.text}[{key.value!r}]", of_context=container.of_context)
            if type(key.value) is int and key.value >= 0:
                item_at = self.helper("item_at")
                return Code(f"{item_at}({container.text}, {key.value})", of_context=container.of_context)
        place = self.raw(key)
        if place.kind == code.STR:
            # Nothing but a map has texts for keys: lists and texts refuse them by themselves.
            return Code(f"{container.text}[{place.text}]", of_context=container.of_context)
        return Code(f"{self.helper('index')}({container.text}, {place.text})", of_context=container.of_context)

    def _presence(self, node: Select) -> Code:
        """``has(a.b.c)``."""
        if is_optional(node.operand.type):
            bare = self.optional(node.operand)
            test = self._has(bare, node.field)
            return Code(f"({bare.text} is not {self.missing()} and {test})", code.BOOL)
        return Code(self._has(self.name(node.operand), node.field), code.BOOL)

    def _has(self, container: Code, field: str) -> str:
        test = f"{field!r} in {container.text}"
        return (
            f"({test} if type({container.text}) is dict else {self.helper('has_member')}({container.text}, {field!r}))"
        )

    # --- literals

    def items(self, node: ListNode) -> str:
        """Return the items of a list literal without ``?``, for a display."""
        return ", ".join([self.raw(item).text for item in node.items])

    def _list(self, node: ListNode) -> Code:
        made = self.writer.helper(CelList, "CelList")
        if not node.optional_items:
            items = self.items(node)
            return Code(f"{made}([{items}])" if items else f"{made}()", code.LIST)
        result = self.writer.name()
        self.writer.line(f"{result} = {made}()")
        for place, item in enumerate(node.items):
            self.append(result, item, "raw", optional=place in node.optional_items)
        return Code(result, code.LIST, is_name=True)

    def append(self, result: str, item: Node, emit: str, *, optional: bool) -> None:
        """Add an item of a list literal to the list ``result``."""
        if not optional:
            self.writer.line(f"{result}.append({getattr(self, emit)(item).text})")
            return
        bare = self.optional(item)
        with self.writer.block(f"if {bare.text} is not {self.missing()}:"):
            value = bare if emit == "raw" else self.converted(bare)
            self.writer.line(f"{result}.append({value.text})")

    def _map(self, node: MapNode) -> Code:
        made = self.writer.helper(CelMap, "CelMap")
        if not any(entry.optional for entry in node.entries):
            entries = ", ".join([f"{self.key(entry.key)}: {self.raw(entry.value).text}" for entry in node.entries])
            return Code(f"{made}({{{entries}}})" if entries else f"{made}()", code.MAP)
        result = self.writer.name()
        self.writer.line(f"{result} = {made}()")
        for entry in node.entries:
            key = self.key(entry.key)
            if not entry.optional:
                self.writer.line(f"{result}[{key}] = {self.raw(entry.value).text}")
                continue
            bare = self.optional(entry.value)
            with self.writer.block(f"if {bare.text} is not {self.missing()}:"):
                self.writer.line(f"{result}[{key}] = {bare.text}")
            with self.writer.block("else:"):
                self.writer.line(f"{result}.pop({key}, None)")
        return Code(result, code.MAP, is_name=True)

    def key(self, node: Node) -> str:
        """Return code for the stored form of a key of a map."""
        key = self.raw(node)
        if key.kind == code.STR:
            return key.text
        return f"{self.writer.helper(map_key, 'map_key')}({key.text})"


_INFINITE: Final = (float("inf"), float("-inf"))


def _is_negative(value: object) -> bool:
    return type(value) in (int, float) and repr(value).startswith("-")
