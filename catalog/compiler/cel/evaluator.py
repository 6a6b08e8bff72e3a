"""The exact evaluator: defines what every expression means and what is said when it fails.

A checked tree is turned into closures once. An error is an exception; ``&&``, ``||`` and the quantifiers absorb it
where the language says so. Maps are visited in the order of their keys, so that results never depend on chance.
Speed is the business of ``generator``; this module is called when generated code has failed, and by the tests that
hold both equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.compiler.cel import members, operators
from catalog.compiler.cel.budget import DEFAULT_BUDGET, Budget, check_size, evaluating, weight
from catalog.compiler.cel.errors import CelEvaluationError
from catalog.compiler.cel.evaluator_loops import Loop, filtered, holds, is_decided, turns_through
from catalog.compiler.cel.frame import Closure, Frame
from catalog.compiler.cel.functions import Library, dispatcher
from catalog.compiler.cel.library.lists import sort_by_keys
from catalog.compiler.cel.library.maps import insert, insert_all
from catalog.compiler.cel.library.string_format import FormatError, display
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
    length_of,
)
from catalog.compiler.cel.paths import path
from catalog.compiler.cel.values import (
    NONE,
    CelList,
    CelMap,
    OptionalValue,
    TypeValue,
    map_key,
    type_name,
)


class Evaluator:
    """An expression, ready to be evaluated. Immutable; may be used by many threads at once."""

    __slots__ = ("_closure",)

    def __init__(self, node: Node, library: Library) -> None:
        self._closure = _Planner(library).plan(node)

    def evaluate(self, bindings: Mapping[str, Any], budget: int = DEFAULT_BUDGET) -> Any:
        """Return the value of the expression. Raises ``CelEvaluationError``."""
        counted = Budget(budget)
        try:
            with evaluating(counted):
                return self._closure(Frame(bindings, dict(bindings), counted))
        except RecursionError:
            raise CelEvaluationError("evaluation is nested too deeply") from None


class _Planner:
    def __init__(self, library: Library) -> None:
        self._library = library

    def plan(self, node: Node) -> Closure:
        if isinstance(node, Literal):
            value = node.value
            return lambda _: value
        if isinstance(node, Ident):
            return self._ident(node)
        if isinstance(node, Select):
            return self._select(node)
        if isinstance(node, Call):
            return self._call(node)
        if isinstance(node, ListNode):
            return self._list(node)
        if isinstance(node, MapNode):
            return self._map(node)
        if isinstance(node, Fold):
            return self._fold(node)
        if isinstance(node, OptionalMap):
            return self._optional_map(node)
        if isinstance(node, SortBy):
            return self._sort_by(node)
        raise TypeError(f"not a node of an expression: {type(node).__name__}")

    def _ident(self, node: Ident) -> Closure:
        if node.type_value is not None:
            constant = TypeValue(node.type_value)
            return lambda _: constant
        name = node.name.removeprefix(".")

        skips_loops = node.name.startswith(".")

        def read(frame: Frame) -> Any:
            try:
                return frame.variables[name] if skips_loops else frame.names[name]
            except KeyError:
                raise CelEvaluationError(f"no such attribute(s): {name}") from None

        return read

    # --- members

    def _select(self, node: Select) -> Closure:
        if node.type_value is not None:
            constant = TypeValue(node.type_value)
            return lambda _: constant
        if node.variable is not None:
            return self._ident(Ident(node.offset, f".{node.variable}"))
        return self._members(node)

    def _members(self, node: Node) -> Closure:
        """A path of members: from the first optional step on, what is missing makes the whole path none."""
        root, steps = path(node)
        start = self.plan(root)
        planned = [(self.plan(key) if isinstance(key, Node) else _constant(key), optional) for key, optional in steps]
        tests = isinstance(node, Select) and node.test
        last = planned.pop() if tests else None

        def follow(frame: Frame) -> Any:
            value = start(frame)
            is_optional = type(value) is OptionalValue
            if is_optional:
                if not value.present:
                    return False if tests else NONE
                value = value.value
            for key, optional in planned:
                is_optional = is_optional or optional
                if is_optional:
                    found = members.index_if_present(value, key(frame))
                    if found is None:
                        return False if tests else NONE
                    value = found.value
                else:
                    value = members.index(value, key(frame))
            if last is not None:
                return members.index_if_present(value, last[0](frame)) is not None
            return OptionalValue(value) if is_optional else value

        return follow

    # --- calls

    def _call(self, node: Call) -> Closure:
        function = node.function
        if function == "_&&_":
            return self._logical(node, decisive=False)
        if function == "_||_":
            return self._logical(node, decisive=True)
        if function == "_?_:_":
            return self._conditional(node)
        if function in ("_[_]", "_[?_]"):
            return self._members(node)
        operands = [node.target, *node.args] if node.target is not None else node.args
        args = [self.plan(operand) for operand in operands if operand is not None]
        if function in ("or", "orValue") and node.target is not None:
            return _or(args, unwrap=function == "orValue")
        if len(args) == 2 and function in operators.BINARY:
            return _binary(function, args[0], args[1])
        if len(args) == 1 and function in operators.UNARY:
            unary, only = operators.UNARY[function], args[0]
            return lambda frame: unary(only(frame))
        return _counted(_function(function, self._library, args))

    def _logical(self, node: Call, decisive: bool) -> Closure:
        terms = [self.plan(term) for term in _terms(node, node.function)]
        return lambda frame: is_decided(((term, frame) for term in terms), decisive) is decisive

    def _conditional(self, node: Call) -> Closure:
        condition, accepted, refused = map(self.plan, node.args)

        def choose(frame: Frame) -> Any:
            value = condition(frame)
            if value is True:
                return accepted(frame)
            if value is False:
                return refused(frame)
            return operators.no_such_overload()

        return choose

    # --- literals

    def _list(self, node: ListNode) -> Closure:
        items = [(self.plan(item), place in node.optional_items) for place, item in enumerate(node.items)]
        if not node.optional_items:
            plain = [item for item, _ in items]
            return lambda frame: CelList(item(frame) for item in plain)

        def build(frame: Frame) -> CelList:
            built = CelList()
            for item, optional in items:
                value = item(frame)
                if optional:
                    if type(value) is not OptionalValue:
                        message = f"cannot initialize optional list element from non-optional value {_shown(value)}"
                        raise CelEvaluationError(message)
                    if not value.present:
                        continue
                    value = value.value
                built.append(value)
            return built

        return build

    def _map(self, node: MapNode) -> Closure:
        entries = [(self.plan(entry.key), self.plan(entry.value), entry.optional) for entry in node.entries]

        def build(frame: Frame) -> CelMap:
            built = CelMap()
            for key_of, value_of, optional in entries:
                key, value = key_of(frame), value_of(frame)
                try:
                    stored = map_key(key)
                except KeyError:
                    raise CelEvaluationError(f"unsupported key type: {type_name(key)}") from None
                if optional:
                    if type(value) is not OptionalValue:
                        message = f"cannot initialize optional entry '{key}' from non-optional value {_shown(value)}"
                        raise CelEvaluationError(message)
                    if not value.present:
                        built.pop(stored, None)
                        continue
                    value = value.value
                built[stored] = value
            return built

        return build

    # --- macros

    def _fold(self, node: Fold) -> Closure:
        range_of, body = self.plan(node.range), self.plan(node.body)
        condition = None if node.condition is None else self.plan(node.condition)
        through = turns_through(node.first, node.second, length_of(node))

        def loop(frame: Frame) -> Iterator[Frame]:
            return through(range_of(frame), frame.inner())

        if node.kind in ("all", "exists"):
            decisive = node.kind == "exists"
            return lambda frame: is_decided(((body, inner) for inner in loop(frame)), decisive) is decisive
        if node.kind == "exists_one":
            return lambda frame: sum(1 for inner in loop(frame) if holds(body, inner)) == 1
        if node.kind == "filter":
            first = node.first
            return lambda frame: CelList(inner.names[first] for inner in loop(frame) if holds(body, inner))
        kept = loop if condition is None else filtered(loop, condition)
        if node.kind in ("map", "transformList"):
            return lambda frame: CelList(body(inner) for inner in kept(frame))
        return _map_fold(kept, body, node)

    def _optional_map(self, node: OptionalMap) -> Closure:
        operand, body, variable, flat = self.plan(node.operand), self.plan(node.body), node.variable, node.flat

        def apply(frame: Frame) -> Any:
            value = operand(frame)
            if type(value) is not OptionalValue:
                raise CelEvaluationError(f"no such overload: hasValue({type_name(value)})")
            if not value.present:
                return NONE
            result = body(frame.bound(variable, value.value))
            return result if flat else OptionalValue(result)

        return apply

    def _sort_by(self, node: SortBy) -> Closure:
        operand, key, variable = self.plan(node.operand), self.plan(node.key), node.variable
        through = turns_through(variable, None, length_of(node))

        def sort(frame: Frame) -> Any:
            items = operand(frame)
            keys = [key(inner) for inner in through(items, frame.inner())]
            if not isinstance(items, list):
                raise CelEvaluationError("no such overload: @sortByAssociatedKeys")
            return sort_by_keys(items, keys)

        return sort


def _shown(value: Any) -> str:
    try:
        return display(value)
    except FormatError:  # never the whole of a container: it may hold the same thing many times
        return type_name(value) if isinstance(value, (list, dict)) else repr(value)


def _constant(value: Any) -> Closure:
    return lambda _: value


def _terms(node: Node, function: str) -> Iterator[Node]:
    """Yield the operands of a chain of one operator, from the left."""
    pending = [node]
    while pending:
        current = pending.pop()
        if isinstance(current, Call) and current.function == function:
            pending.extend(reversed(current.args))
        else:
            yield current


def _binary(function: str, left: Closure, right: Closure) -> Closure:
    operator = operators.BINARY[function]
    if function == "_+_":

        def add(frame: Frame) -> Any:
            first, second = left(frame), right(frame)
            if isinstance(first, (str, list, bytes)) and type(first) is type(second):
                size = len(first) + len(second)
                check_size(size)
            result = operator(first, second)
            frame.budget.spend(weight(result))
            return result

        return add
    return lambda frame: operator(left(frame), right(frame))


def _function(name: str, library: Library, args: list[Closure]) -> Closure:
    function = dispatcher(name, library[name])
    if len(args) == 1:
        (only,) = args
        return lambda frame: function(only(frame))
    return lambda frame: function(*[argument(frame) for argument in args])


def _counted(function: Closure) -> Closure:
    """Count what a function makes."""

    def count(frame: Frame) -> Any:
        value = function(frame)
        frame.budget.spend(weight(value))
        return value

    return count


def _or(args: list[Closure], unwrap: bool) -> Closure:
    optional, alternative = args

    def choose(frame: Frame) -> Any:
        value = optional(frame)
        if type(value) is not OptionalValue:
            operators.no_such_overload()
        if not value.present:
            return alternative(frame)
        return value.value if unwrap else value

    return choose


def _map_fold(loop: Loop, body: Closure, node: Fold) -> Closure:
    first = node.first

    def transform(frame: Frame) -> CelMap:
        built = CelMap()
        for inner in loop(frame):
            insert(built, inner.names[first], body(inner))
        return built

    def transform_entries(frame: Frame) -> CelMap:
        built = CelMap()
        for inner in loop(frame):
            insert_all(built, body(inner))
        return built

    return transform if node.kind == "transformMap" else transform_entries
