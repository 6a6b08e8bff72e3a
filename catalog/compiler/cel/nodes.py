"""The syntax tree of an expression.

Macros are nodes of their own kind (``Fold``, ``OptionalMap``, ``SortBy``) rather than their expansion into a generic
loop: the checker, the evaluator and the generator each know best what a loop means to them.

``offset`` is the place in the source that messages point to: of an operator or a call its sign (``+``, ``(``, ``[``),
of everything else its first character. ``type`` is filled in by the checker.
"""

from __future__ import annotations

from collections.abc import Iterator

from catalog.compiler.cel.types import DYN, Type


class Node:
    """What all nodes share."""

    __slots__ = ("offset", "type")

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.type: Type = DYN

    def children(self) -> Iterator[Node]:
        """Yield the operands, in the order of the source."""
        return iter(())


class Literal(Node):
    """A number, text, bytes, boolean or null."""

    __slots__ = ("value",)

    def __init__(self, offset: int, value: object) -> None:
        super().__init__(offset)
        self.value = value


class Ident(Node):
    """A name; a leading dot means that no loop variable is meant. The checker sets ``type_value`` for type names."""

    __slots__ = ("name", "type_value")

    def __init__(self, offset: int, name: str) -> None:
        super().__init__(offset)
        self.name = name
        self.type_value: str | None = None


class Select(Node):
    """``operand.field``, ``operand.?field`` (optional) or ``has(operand.field)`` (test).

    ``type_value`` is the full name when the checker finds that the whole path names a type, ``variable`` when it names
    a variable: one may be declared as ``a.b``, and is then preferred to the field ``b`` of a variable ``a``.
    """

    __slots__ = ("field", "operand", "optional", "test", "type_value", "variable")

    def __init__(self, offset: int, operand: Node, field: str, *, optional: bool = False, test: bool = False) -> None:
        super().__init__(offset)
        self.operand = operand
        self.field = field
        self.optional = optional
        self.test = test
        self.type_value: str | None = None
        self.variable: str | None = None

    def children(self) -> Iterator[Node]:
        yield self.operand


class Call(Node):
    """A function or operator. ``target`` is the receiver of a member call.

    The checker turns ``a.b(x)`` into a call without target when ``a.b`` names a function, and sets ``overloads`` to
    those that can match.
    """

    __slots__ = ("args", "function", "overloads", "target")

    def __init__(self, offset: int, function: str, args: list[Node], target: Node | None = None) -> None:
        super().__init__(offset)
        self.function = function
        self.args = args
        self.target = target
        self.overloads: tuple[str, ...] = ()

    def children(self) -> Iterator[Node]:
        if self.target is not None:
            yield self.target
        yield from self.args


class ListNode(Node):
    """A list literal; ``optional_items`` are the places written with ``?``."""

    __slots__ = ("items", "optional_items")

    def __init__(self, offset: int, items: list[Node], optional_items: frozenset[int] = frozenset()) -> None:
        super().__init__(offset)
        self.items = items
        self.optional_items = optional_items

    def children(self) -> Iterator[Node]:
        return iter(self.items)


class Entry:
    """One entry of a map literal; ``optional`` when its key is written with ``?``."""

    __slots__ = ("key", "optional", "value")

    def __init__(self, key: Node, value: Node, optional: bool) -> None:
        self.key = key
        self.value = value
        self.optional = optional


class MapNode(Node):
    """A map literal."""

    __slots__ = ("entries",)

    def __init__(self, offset: int, entries: list[Entry]) -> None:
        super().__init__(offset)
        self.entries = entries

    def children(self) -> Iterator[Node]:
        for entry in self.entries:
            yield entry.key
            yield entry.value


class Message(Node):
    """``Type{field: value}``: parsed for the sake of its message; no such types exist here."""

    __slots__ = ("name",)

    def __init__(self, offset: int, name: str) -> None:
        super().__init__(offset)
        self.name = name


class Fold(Node):
    """A loop over a list or map: ``kind`` is one of ``FOLDS``.

    ``second`` is the second variable or ``None``. With one variable, ``first`` is the item or the key; with two it is
    the index or the key, and ``second`` the item or the value. ``condition`` is the filter of ``map`` and
    ``transform…`` (or ``None``); ``body`` is the predicate or the result of a turn.
    """

    __slots__ = ("body", "condition", "first", "kind", "range", "second")

    def __init__(
        self,
        offset: int,
        kind: str,
        range_: Node,
        variables: tuple[str, str | None],
        condition: Node | None,
        body: Node,
    ) -> None:
        super().__init__(offset)
        self.kind = kind
        self.range = range_
        self.first, self.second = variables
        self.condition = condition
        self.body = body

    def children(self) -> Iterator[Node]:
        yield self.range
        if self.condition is not None:
            yield self.condition
        yield self.body


FOLDS = frozenset(
    {"all", "exists", "exists_one", "map", "filter", "transformList", "transformMap", "transformMapEntry"}
)


class OptionalMap(Node):
    """``target.optMap(variable, body)``, or ``optFlatMap`` when ``flat``."""

    __slots__ = ("body", "flat", "operand", "variable")

    def __init__(self, offset: int, operand: Node, variable: str, body: Node, flat: bool) -> None:
        super().__init__(offset)
        self.operand = operand
        self.variable = variable
        self.body = body
        self.flat = flat

    def children(self) -> Iterator[Node]:
        yield self.operand
        yield self.body


class SortBy(Node):
    """``target.sortBy(variable, key)``."""

    __slots__ = ("key", "operand", "variable")

    def __init__(self, offset: int, operand: Node, variable: str, key: Node) -> None:
        super().__init__(offset)
        self.operand = operand
        self.variable = variable
        self.key = key

    def children(self) -> Iterator[Node]:
        yield self.operand
        yield self.key


def length_of(loop: Fold | SortBy) -> int:
    """Return how many steps a turn of a loop counts for: one, and one more for every eight nodes of its body."""
    bodies = [loop.key] if isinstance(loop, SortBy) else [loop.body, *([loop.condition] if loop.condition else [])]
    return 1 + sum(1 for body in bodies for _ in descendants(body)) // 8


def descendants(root: Node) -> Iterator[Node]:
    """Yield a node and everything below it."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(node.children())
