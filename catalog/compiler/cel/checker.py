"""The type checker: finds undeclared names, wrong fields and calls that no overload takes, before anything runs.

It reasons as cel-go's does. Values of the context are ``dyn`` and fit everything; literals have types of their own, so
``1 == 1.0`` is refused while ``parameters.count == 1`` is not. Type parameters (of signatures, of empty lists) are
bound while arguments are compared with parameters, to the more general of two types that fit each other.

What it finds is written into the tree: the type of each node, names of types, calls of functions in a namespace.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from catalog.compiler.cel import checker_loops, types
from catalog.compiler.cel.errors import CelCompileError
from catalog.compiler.cel.format_check import check_formats
from catalog.compiler.cel.functions import Library, Overload
from catalog.compiler.cel.members import invalid_key, is_key
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
    checker = Checker(variables, library, type_names, faults)
    try:
        checker.visit(node)
    except RecursionError:
        raise CelCompileError("ERROR: <input>:-1:0: expression is nested too deeply") from None
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


class Checker:
    """Visits a tree. What is public here is for ``checker_loops``."""

    def __init__(
        self, variables: Mapping[str, Type], library: Library, type_names: Mapping[str, Type], faults: Faults
    ) -> None:
        self._globals = variables
        self._scopes: list[dict[str, Type]] = []
        self.library = library
        self._type_names = type_names
        self.faults = faults
        self.bound = Substitutions()
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
            found = checker_loops.fold(self, node)
        elif isinstance(node, OptionalMap):
            found = checker_loops.optional_map(self, node)
        elif isinstance(node, SortBy):
            found = checker_loops.sort_by(self, node)
        elif isinstance(node, Message):
            found = self._undeclared(node, node.name)
        else:
            raise TypeError(f"not a node of an expression: {type(node).__name__}")
        node.type = found
        return found

    def settle(self, node: Node) -> None:
        """Replace type parameters by what they are bound to, or by ``dyn``, in the whole tree."""
        for current in descendants(node):
            current.type = self.bound.resolve(current.type, free_to_dyn=True)

    def _undeclared(self, node: Node, name: str) -> Type:
        self.faults.report(node.offset, f"undeclared reference to '{name}' (in container '')")
        return ERROR

    def free_type(self) -> Type:
        """Return a type that is still to be found."""
        self._free += 1
        return parameter(f"_var{self._free - 1}")

    def bind(self, names: dict[str, Type]) -> None:
        """Give variables to what is visited until ``unbind``."""
        self._scopes.append(names)

    def unbind(self) -> None:
        """Take the variables of the last ``bind`` back."""
        self._scopes.pop()

    def innermost(self) -> Mapping[str, Type]:
        """Return the variables of the last ``bind``."""
        return self._scopes[-1]

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
                name = qualified.removeprefix(".")
                node.type_value, node.variable = (name, None) if is_type else (None, name)
                return declared
        result = self._field(node)
        return BOOL if node.test else self.bound.resolve(result)

    def _is_local(self, name: str) -> bool:
        return any(name in scope for scope in self._scopes)

    def _field(self, node: Select) -> Type:
        operand = self.bound.resolve(self.visit(node.operand))
        target = operand.parameters[0] if types.is_optional(operand) else operand
        if target.kind == "map":
            result = target.parameters[1]
        elif target.kind == "object":
            result = self._object_field(node, target)
        elif target.kind == "parameter":
            self.bound.assign(DYN, target)
            result = DYN
        else:
            if not is_dyn(target) and not is_error(target):
                self.faults.report(node.offset, f"type '{format_type(target)}' does not support field selection")
            result = DYN
        return optional_of(result) if node.optional or types.is_optional(operand) else result

    def _object_field(self, node: Select, target: Type) -> Type:
        found = (target.fields or {}).get(node.field)
        if found is None:
            self.faults.report(node.offset, f"undefined field '{node.field}'")
            return ERROR
        return found

    # --- calls

    def _call(self, node: Call) -> Type:
        for argument in node.args:
            self.visit(argument)
        if node.target is not None:
            prefix = _qualified_name(node.target)
            if prefix is not None and f"{prefix.removeprefix('.')}.{node.function}" in self.library:
                node.function = f"{prefix.removeprefix('.')}.{node.function}"
                node.target = None
            else:
                self.visit(node.target)
        name = node.function.removeprefix(".") if node.target is None else node.function
        overloads = self.library.get(name)
        if overloads is None:
            return self._undeclared(node, node.function)
        node.function = name
        operands = node.args if node.target is None else [node.target, *node.args]
        return self.resolve_call(node, name, overloads, operands)

    def resolve_call(self, node: Node, name: str, overloads: tuple[Overload, ...], operands: list[Node]) -> Type:
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
        shown = [self.bound.resolve(argument, free_to_dyn=True) for argument in arguments]
        signature = format_signature(shown, is_member)
        self.faults.report(node.offset, f"found no matching overload for '{name}' applied to '{signature}'")
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
            fresh = {name: self.free_type() for name in overload.type_parameters}
            result = _instantiate(result, fresh)
            parameters = tuple(_instantiate(declared, fresh) for declared in parameters)
        if not self.bound.assign_all(arguments, parameters):
            return None
        return self.bound.resolve(result) if overload.type_parameters else result

    def _logical(self, operands: list[Node]) -> Type:
        mismatch = False
        for operand in operands:
            if not self.bound.assign(operand.type, BOOL):
                self.mismatch(operand, BOOL, operand.type)
                mismatch = True
        return ERROR if mismatch else BOOL

    def mismatch(self, node: Node, expected: Type, actual: Type) -> None:
        """Report a node whose type is not the expected one."""
        message = f"expected type '{format_type(expected)}' but found '{format_type(actual)}'"
        self.faults.report(node.offset, message)

    # --- literals

    def _list(self, node: ListNode) -> Type:
        common: Type | None = None
        for place, item in enumerate(node.items):
            found = self.visit(item)
            if place in node.optional_items:
                found = self._unwrapped(item, found)
            common = self._join(common, found)
        return list_of(common or self.free_type())

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
            return map_of(self.free_type(), self.free_type())
        return map_of(keys, values)

    def _unwrapped(self, node: Node, found: Type) -> Type:
        if types.is_optional(found):
            return found.parameters[0]
        if not is_dyn(found):
            self.mismatch(node, optional_of(found), found)
        return found

    def _join(self, previous: Type | None, current: Type) -> Type:
        """Return a type for both: the more general one when they fit each other, ``dyn`` otherwise."""
        if previous is None:
            return current
        return self.bound.more_general(previous, current) if self.bound.assign(previous, current) else DYN


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
