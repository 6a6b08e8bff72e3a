"""The type checker: finds undeclared names, wrong fields and calls that no overload takes, before anything runs.

It reasons as cel-go's does. Values of the context are ``dyn`` and fit everything; literals have types of their own, so
``1 == 1.0`` is refused while ``parameters.count == 1`` is not. Type parameters (of signatures, of empty lists) are
bound while arguments are compared with parameters, to the more general of two types that fit each other.

What it finds is written into the tree: the type of each node, names of types, calls of functions in a namespace.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from catalog.compiler.cel import types
from catalog.compiler.cel.errors import CelCompileError
from catalog.compiler.cel.format_check import check_formats
from catalog.compiler.cel.functions import Library, Overload
from catalog.compiler.cel.nodes import (
    Call,
    Fold,
    Ident,
    ListNode,
    Literal,
    MapNode,
    Message,
    Node,
    OptionalMap,
    Select,
    SortBy,
    descendants,
)
from catalog.compiler.cel.operators import invalid_key, is_key
from catalog.compiler.cel.source import Faults
from catalog.compiler.cel.type_matching import Substitutions, is_dyn, is_error, never_fit
from catalog.compiler.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DYN,
    ERROR,
    INT,
    NULL,
    STRING,
    UINT,
    Type,
    format_signature,
    format_type,
    list_of,
    map_of,
    optional_of,
    parameter,
    type_of,
)
from catalog.compiler.cel.values import UInt

_LITERAL_TYPES: Final[dict[type, Type]] = {
    bool: BOOL,
    int: INT,
    UInt: UINT,
    float: DOUBLE,
    str: STRING,
    bytes: BYTES,
    type(None): NULL,
}
_ORDERINGS: Final = frozenset({"_<_", "_<=_", "_>_", "_>=_"})
_NUMBERS: Final = frozenset({"int", "uint", "double"})
_SORT_KEYS: Final = "@sortByAssociatedKeys"


def type_identifiers(library: Library) -> Mapping[str, Type]:
    """Return the names that stand for types in an environment with that library."""
    named = {
        **types.BY_NAME,
        "list": list_of(DYN),
        "map": map_of(DYN, DYN),
    }
    del named["dyn"]
    if "optional.of" in library:
        named[types.OPTIONAL_NAME] = optional_of(DYN)
    return named


def check(
    node: Node, variables: Mapping[str, Type], library: Library, type_names: Mapping[str, Type], source: str
) -> Type:
    """Check a tree and return the type of its value. Raises ``CelCompileError`` with everything found wrong."""
    faults = Faults(source)
    checker = _Checker(variables, library, type_names, faults)
    checker.visit(node)
    faults.raise_if_any()
    checker.settle(node)
    check_formats(node, faults)
    faults.raise_if_any()
    _check_constant_keys(node)
    return node.type


def _check_constant_keys(node: Node) -> None:
    """Refuse ``x[null]``: the reference does so when it plans an evaluation, without naming the place."""
    for current in descendants(node):
        if isinstance(current, Call) and current.function in ("_[_]", "_[?_]"):
            key = current.args[1]
            if isinstance(key, Literal) and not is_key(key.value):
                raise CelCompileError(invalid_key(key.value))


class _Checker:
    def __init__(
        self, variables: Mapping[str, Type], library: Library, type_names: Mapping[str, Type], faults: Faults
    ) -> None:
        self._globals = variables
        self._scopes: list[dict[str, Type]] = []
        self._library = library
        self._type_names = type_names
        self._faults = faults
        self._bound = Substitutions()
        self._free = 0

    # --- the tree

    def visit(self, node: Node) -> Type:
        """Find the type of a node, and of everything below it."""
        if isinstance(node, Literal):
            found = _LITERAL_TYPES[type(node.value)]
        elif isinstance(node, Ident):
            found = self._ident(node)
        elif isinstance(node, Select):
            found = self._select(node)
        elif isinstance(node, Call):
            found = self._call(node)
        elif isinstance(node, ListNode):
            found = self._list(node)
        elif isinstance(node, MapNode):
            found = self._map(node)
        elif isinstance(node, Fold):
            found = self._fold(node)
        elif isinstance(node, OptionalMap):
            found = self._optional_map(node)
        elif isinstance(node, SortBy):
            found = self._sort_by(node)
        elif isinstance(node, Message):
            found = self._undeclared(node, node.name)
        else:
            raise TypeError(f"not a node of an expression: {type(node).__name__}")
        node.type = found
        return found

    def settle(self, node: Node) -> None:
        """Replace type parameters by what they are bound to, or by ``dyn``, in the whole tree."""
        for current in descendants(node):
            current.type = self._bound.resolve(current.type, free_to_dyn=True)

    def _undeclared(self, node: Node, name: str) -> Type:
        self._faults.report(node.offset, f"undeclared reference to '{name}' (in container '')")
        return ERROR

    def _free_type(self) -> Type:
        self._free += 1
        return parameter(f"_var{self._free - 1}")

    # --- names and members

    def _ident(self, node: Ident) -> Type:
        name = node.name
        if not name.startswith("."):
            for scope in reversed(self._scopes):
                if name in scope:
                    return scope[name]
        found = self._global(name.removeprefix("."))
        if found is None:
            return self._undeclared(node, name)
        declared, is_type = found
        if is_type:
            node.type_value = name.removeprefix(".")
        return declared

    def _global(self, name: str) -> tuple[Type, bool] | None:
        if name in self._globals:
            return self._globals[name], False
        named = self._type_names.get(name)
        return None if named is None else (type_of(named), True)

    def _select(self, node: Select) -> Type:
        qualified = None if node.test or node.optional else _qualified_name(node)
        if qualified is not None and not self._is_local(qualified.split(".", 1)[0]):
            found = self._global(qualified.removeprefix("."))
            if found is not None:
                declared, is_type = found
                node.type_value = qualified.removeprefix(".") if is_type else None
                if is_type:
                    return declared
        result = self._field(node)
        return BOOL if node.test else self._bound.resolve(result)

    def _is_local(self, name: str) -> bool:
        return any(name in scope for scope in self._scopes)

    def _field(self, node: Select) -> Type:
        operand = self._bound.resolve(self.visit(node.operand))
        target = operand.parameters[0] if types.is_optional(operand) else operand
        if target.kind == "map":
            result = target.parameters[1]
        elif target.kind == "object":
            result = self._object_field(node, target)
        elif target.kind == "parameter":
            self._bound.assign(DYN, target)
            result = DYN
        else:
            if not is_dyn(target) and not is_error(target):
                self._faults.report(node.offset, f"type '{format_type(target)}' does not support field selection")
            result = DYN
        return optional_of(result) if node.optional or types.is_optional(operand) else result

    def _object_field(self, node: Select, target: Type) -> Type:
        found = (target.fields or {}).get(node.field)
        if found is None:
            self._faults.report(node.offset, f"undefined field '{node.field}'")
            return ERROR
        return found

    # --- calls

    def _call(self, node: Call) -> Type:
        for argument in node.args:
            self.visit(argument)
        if node.target is not None:
            prefix = _qualified_name(node.target)
            if prefix is not None and f"{prefix.removeprefix('.')}.{node.function}" in self._library:
                node.function = f"{prefix.removeprefix('.')}.{node.function}"
                node.target = None
            else:
                self.visit(node.target)
        name = node.function.removeprefix(".") if node.target is None else node.function
        overloads = self._library.get(name)
        if overloads is None:
            return self._undeclared(node, node.function)
        node.function = name
        operands = node.args if node.target is None else [node.target, *node.args]
        return self._resolve(node, name, overloads, operands)

    def _resolve(self, node: Node, name: str, overloads: tuple[Overload, ...], operands: list[Node]) -> Type:
        """Find the overloads that take the operands; their common result type, ``dyn`` when there is none."""
        is_member = isinstance(node, Call) and node.target is not None
        if name in ("_&&_", "_||_"):
            return self._logical(operands)
        arguments = [operand.type for operand in operands]
        result: Type | None = None
        for overload in overloads:
            if overload.is_member != is_member or not self._is_offered(name, overload):
                continue
            matched = self._match(overload, arguments)
            if matched is None:
                continue
            if result is None:
                result = matched
            elif not is_dyn(result) and matched != result:
                result = DYN
        if result is not None:
            return result
        shown = [self._bound.resolve(argument, free_to_dyn=True) for argument in arguments]
        signature = format_signature(shown, is_member)
        self._faults.report(node.offset, f"found no matching overload for '{name}' applied to '{signature}'")
        return ERROR

    def _is_offered(self, name: str, overload: Overload) -> bool:
        """Tell whether an overload counts here: numbers of two types are ordered inside of loops only.

        That is how the reference behaves; outside of loops such a comparison must go through ``dyn``.
        """
        if self._scopes or name not in _ORDERINGS:
            return True
        left, right = overload.parameters
        return left == right or not (left.kind in _NUMBERS and right.kind in _NUMBERS)

    def _match(self, overload: Overload, arguments: list[Type]) -> Type | None:
        result, parameters = overload.result, overload.parameters
        if len(parameters) != len(arguments) or never_fit(parameters, arguments):
            return None
        if overload.type_parameters:
            fresh = {name: self._free_type() for name in overload.type_parameters}
            result = _instantiate(result, fresh)
            parameters = tuple(_instantiate(declared, fresh) for declared in parameters)
        if not self._bound.assign_all(arguments, parameters):
            return None
        return self._bound.resolve(result) if overload.type_parameters else result

    def _logical(self, operands: list[Node]) -> Type:
        mismatch = False
        for operand in operands:
            if not self._bound.assign(operand.type, BOOL):
                self._mismatch(operand, BOOL, operand.type)
                mismatch = True
        return ERROR if mismatch else BOOL

    def _mismatch(self, node: Node, expected: Type, actual: Type) -> None:
        message = f"expected type '{format_type(expected)}' but found '{format_type(actual)}'"
        self._faults.report(node.offset, message)

    # --- literals

    def _list(self, node: ListNode) -> Type:
        common: Type | None = None
        for place, item in enumerate(node.items):
            found = self.visit(item)
            if place in node.optional_items:
                found = self._unwrapped(item, found)
            common = self._join(common, found)
        return list_of(common or self._free_type())

    def _map(self, node: MapNode) -> Type:
        keys: Type | None = None
        values: Type | None = None
        for entry in node.entries:
            keys = self._join(keys, self.visit(entry.key))
            found = self.visit(entry.value)
            if entry.optional:
                found = self._unwrapped(entry.value, found)
            values = self._join(values, found)
        if keys is None or values is None:
            return map_of(self._free_type(), self._free_type())
        return map_of(keys, values)

    def _unwrapped(self, node: Node, found: Type) -> Type:
        if types.is_optional(found):
            return found.parameters[0]
        if not is_dyn(found):
            self._mismatch(node, optional_of(found), found)
        return found

    def _join(self, previous: Type | None, current: Type) -> Type:
        """Return a type for both: the more general one when they fit each other, ``dyn`` otherwise."""
        if previous is None:
            return current
        return self._bound.more_general(previous, current) if self._bound.assign(previous, current) else DYN

    # --- macros

    def _fold(self, node: Fold) -> Type:
        items = self._range(node)
        names = (node.first,) if node.second is None else (node.first, node.second)
        self._scopes.append(dict(zip(names, items, strict=False)))
        try:
            return self._fold_body(node)
        finally:
            self._scopes.pop()

    def _range(self, node: Fold) -> tuple[Type, Type]:
        """Return the types of the loop's variables."""
        found = self._bound.resolve(self.visit(node.range))
        if found.kind == "list":
            item = found.parameters[0]
            return (item, item) if node.second is None else (INT, item)
        if found.kind == "map":
            return found.parameters[0], found.parameters[1]
        if is_dyn(found) or is_error(found) or found.kind == "parameter":
            self._bound.assign(DYN, found)
            return DYN, DYN
        self._faults.report(
            node.range.offset,
            f"expression of type '{format_type(found)}' cannot be range of a comprehension "
            "(must be list, map, or dynamic)",
        )
        return ERROR, ERROR

    def _fold_body(self, node: Fold) -> Type:
        kind = node.kind
        if kind in ("all", "exists"):
            body = self.visit(node.body)
            if not self._bound.assign(body, BOOL):
                self._mismatch(node.body, BOOL, body)
            return BOOL
        if kind == "exists_one":
            self._choice(node, node.body, INT)
            return BOOL
        if kind == "filter":
            built = self._appended(node, self._local(node.first))
            self._choice(node, node.body, built)
            return self._bound.resolve(built)
        if node.condition is not None:
            self.visit(node.condition)
        body = self.visit(node.body)
        if kind in ("map", "transformList"):
            built = self._appended(node, body)
        else:
            built = self._inserted(node, body)
        if node.condition is not None:
            self._condition(node, node.condition, built)
        return self._bound.resolve(built)

    def _local(self, name: str) -> Type:
        return self._scopes[-1][name]

    def _appended(self, node: Fold, item: Type) -> Type:
        """The type of a list that starts empty and gets ``item`` added each turn."""
        accumulator = list_of(self._free_type())
        result = self._operator(node, "_+_", [accumulator, list_of(item)])
        self._expect(node, accumulator, result)
        return accumulator

    def _inserted(self, node: Fold, body: Type) -> Type:
        accumulator = map_of(self._free_type(), self._free_type())
        arguments = [accumulator, body]
        if node.kind == "transformMap":
            arguments = [accumulator, self._local(node.first), body]
        result = self._operator(node, "cel.@mapInsert", arguments)
        self._expect(node, accumulator, result)
        return accumulator

    def _choice(self, node: Fold, condition: Node, accumulator: Type) -> None:
        self.visit(condition)
        self._condition(node, condition, accumulator)

    def _condition(self, node: Fold, condition: Node, accumulator: Type) -> None:
        self._operator(node, "_?_:_", [condition.type, accumulator, accumulator])

    def _operator(self, node: Node, name: str, arguments: list[Type]) -> Type:
        """Resolve a call that the loop stands for."""
        operands = [Literal(node.offset, None) for _ in arguments]
        for operand, declared in zip(operands, arguments, strict=True):
            operand.type = declared
        return self._resolve(Literal(node.offset, None), name, self._library[name], list(operands))

    def _expect(self, node: Node, expected: Type, actual: Type) -> None:
        if not self._bound.assign(expected, actual):
            self._mismatch(node, expected, actual)

    def _optional_map(self, node: OptionalMap) -> Type:
        operand = self.visit(node.operand)
        self._member_call(node, "hasValue", operand)
        value = self._member_call(node, "value", operand)
        self._scopes.append({node.variable: value})
        try:
            body = self.visit(node.body)
        finally:
            self._scopes.pop()
        wrapped = body if node.flat else optional_of(body)
        return self._operator(node, "_?_:_", [BOOL, wrapped, optional_of(self._free_type())])

    def _member_call(self, node: Node, name: str, receiver: Type) -> Type:
        target = Literal(node.offset, None)
        target.type = receiver
        return self._resolve(Call(node.offset, name, [], target), name, self._library[name], [target])

    def _sort_by(self, node: SortBy) -> Type:
        items = self.visit(node.operand)
        loop = Fold(node.offset, "map", node.operand, (node.variable, None), None, node.key)
        target = self._bound.resolve(items)
        self._scopes.append({node.variable: self._item_type(loop, target)})
        try:
            keys = self._appended(loop, self.visit(node.key))
        finally:
            self._scopes.pop()
        receiver, argument = Literal(node.offset, None), Literal(node.offset, None)
        receiver.type, argument.type = items, self._bound.resolve(keys)
        call = Call(node.offset, _SORT_KEYS, [argument], receiver)
        return self._resolve(call, _SORT_KEYS, self._library[_SORT_KEYS], [receiver, argument])

    def _item_type(self, node: Fold, found: Type) -> Type:
        if found.kind in ("list", "map"):
            return found.parameters[0]
        if is_dyn(found) or is_error(found) or found.kind == "parameter":
            self._bound.assign(DYN, found)
            return DYN
        message = f"expression of type '{format_type(found)}' cannot be range of a comprehension "
        self._faults.report(node.offset, message + "(must be list, map, or dynamic)")
        return ERROR


def _qualified_name(node: Node) -> str | None:
    """Return ``a.b.c`` when the node is a path of plain names."""
    names: list[str] = []
    while isinstance(node, Select) and not node.test and not node.optional:
        names.append(node.field)
        node = node.operand
    if not isinstance(node, Ident):
        return None
    return ".".join([node.name, *reversed(names)])


def _instantiate(declared: Type, fresh: Mapping[str, Type]) -> Type:
    if declared.kind == "parameter":
        return fresh.get(declared.name, declared)
    if not declared.parameters:
        return declared
    return Type(declared.kind, declared.name, tuple(_instantiate(inner, fresh) for inner in declared.parameters))
