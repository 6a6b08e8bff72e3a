"""The checker's part for loops and the other macros that bind a variable. Called by ``checker``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from catalog.compiler.cel.nodes import Call, Fold, Literal, Node, OptionalMap, SortBy
from catalog.compiler.cel.type_matching import is_dyn, is_error
from catalog.compiler.cel.types import BOOL, DYN, ERROR, INT, Type, format_type, list_of, map_of, optional_of

if TYPE_CHECKING:
    from catalog.compiler.cel.checker import Checker

_SORT_KEYS: Final = "@sortByAssociatedKeys"


def fold(checker: Checker, node: Fold) -> Type:
    """Find the type of a loop: checked as the accumulation that it stands for."""
    items = _range(checker, node)
    names = (node.first,) if node.second is None else (node.first, node.second)
    checker.bind(dict(zip(names, items, strict=False)))
    try:
        return _fold_body(checker, node)
    finally:
        checker.unbind()


def _range(checker: Checker, node: Fold) -> tuple[Type, Type]:
    """Return the types of the loop's variables."""
    found = checker.bound.resolve(checker.visit(node.range))
    if found.kind == "list":
        item = found.parameters[0]
        return (item, item) if node.second is None else (INT, item)
    if found.kind == "map":
        return found.parameters[0], found.parameters[1]
    unknown = _without_items(checker, node.range, found)
    return unknown, unknown


def _fold_body(checker: Checker, node: Fold) -> Type:
    kind = node.kind
    if kind in ("all", "exists"):
        body = checker.visit(node.body)
        if not checker.bound.assign(body, BOOL):
            checker.mismatch(node.body, BOOL, body)
        return BOOL
    if kind == "exists_one":
        _choice(checker, node, node.body, INT)
        return BOOL
    if kind == "filter":
        built = _appended(checker, node, _local(checker, node.first))
        _choice(checker, node, node.body, built)
        return checker.bound.resolve(built)
    if node.condition is not None:
        checker.visit(node.condition)
    body = checker.visit(node.body)
    if kind in ("map", "transformList"):
        built = _appended(checker, node, body)
    else:
        built = _inserted(checker, node, body)
    if node.condition is not None:
        _condition(checker, node, node.condition, built)
    return checker.bound.resolve(built)


def _local(checker: Checker, name: str) -> Type:
    return checker.innermost()[name]


def _appended(checker: Checker, node: Fold, item: Type) -> Type:
    """The type of a list that starts empty and gets ``item`` added each turn."""
    accumulator = list_of(checker.free_type())
    result = _operator(checker, node, "_+_", [accumulator, list_of(item)])
    _expect(checker, node, accumulator, result)
    return accumulator


def _inserted(checker: Checker, node: Fold, body: Type) -> Type:
    accumulator = map_of(checker.free_type(), checker.free_type())
    arguments = [accumulator, body]
    if node.kind == "transformMap":
        arguments = [accumulator, _local(checker, node.first), body]
    result = _operator(checker, node, "cel.@mapInsert", arguments)
    _expect(checker, node, accumulator, result)
    return accumulator


def _choice(checker: Checker, node: Fold, condition: Node, accumulator: Type) -> None:
    checker.visit(condition)
    _condition(checker, node, condition, accumulator)


def _condition(checker: Checker, node: Fold, condition: Node, accumulator: Type) -> None:
    _operator(checker, node, "_?_:_", [condition.type, accumulator, accumulator])


def _operator(checker: Checker, node: Node, name: str, arguments: list[Type]) -> Type:
    """Resolve a call that the loop stands for."""
    operands = [Literal(node.offset, None) for _ in arguments]
    for operand, declared in zip(operands, arguments, strict=True):
        operand.type = declared
    return checker.resolve_call(Literal(node.offset, None), name, checker.library[name], list(operands))


def _expect(checker: Checker, node: Node, expected: Type, actual: Type) -> None:
    if not checker.bound.assign(expected, actual):
        checker.mismatch(node, expected, actual)


def optional_map(checker: Checker, node: OptionalMap) -> Type:
    """Find the type of ``optMap`` and ``optFlatMap``."""
    operand = checker.visit(node.operand)
    _member_call(checker, node, "hasValue", operand)
    value = _member_call(checker, node, "value", operand)
    checker.bind({node.variable: value})
    try:
        body = checker.visit(node.body)
    finally:
        checker.unbind()
    wrapped = body if node.flat else optional_of(body)
    return _operator(checker, node, "_?_:_", [BOOL, wrapped, optional_of(checker.free_type())])


def _member_call(checker: Checker, node: Node, name: str, receiver: Type) -> Type:
    target = Literal(node.offset, None)
    target.type = receiver
    return checker.resolve_call(Call(node.offset, name, [], target), name, checker.library[name], [target])


def sort_by(checker: Checker, node: SortBy) -> Type:
    """Find the type of ``sortBy``."""
    items = checker.visit(node.operand)
    loop = Fold(node.offset, "map", node.operand, (node.variable, None), None, node.key)
    target = checker.bound.resolve(items)
    checker.bind({node.variable: _item_type(checker, loop, target)})
    try:
        keys = _appended(checker, loop, checker.visit(node.key))
    finally:
        checker.unbind()
    receiver, argument = Literal(node.offset, None), Literal(node.offset, None)
    receiver.type, argument.type = items, checker.bound.resolve(keys)
    call = Call(node.offset, _SORT_KEYS, [argument], receiver)
    return checker.resolve_call(call, _SORT_KEYS, checker.library[_SORT_KEYS], [receiver, argument])


def _item_type(checker: Checker, node: Fold, found: Type) -> Type:
    if found.kind in ("list", "map"):
        return found.parameters[0]
    return _without_items(checker, node, found)


def _without_items(checker: Checker, node: Node, found: Type) -> Type:
    """Return the type of the items of something that is no list and no map by its type."""
    if is_dyn(found) or is_error(found) or found.kind == "parameter":
        checker.bound.assign(DYN, found)
        return DYN
    message = f"expression of type '{format_type(found)}' cannot be range of a comprehension "
    checker.faults.report(node.offset, message + "(must be list, map, or dynamic)")
    return ERROR
