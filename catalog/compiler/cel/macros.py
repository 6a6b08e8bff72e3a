"""Macros: calls that the parser turns into something else, because their arguments are not values.

A macro is found by its name, the number of its arguments and whether it has a receiver. It returns a node, or
``None`` to leave the call as it is; a wrong argument raises ``MacroError``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

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
)
from catalog.compiler.cel.values import UInt

ACCUMULATOR: Final = "__result__"
_OVERWRITES: Final = "iteration variable overwrites accumulator variable"


class MacroError(ValueError):
    """A macro with an argument of the wrong form."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


class MacroKey(NamedTuple):
    """What selects a macro. ``arguments`` is ``None`` for any number."""

    name: str
    arguments: int | None
    has_receiver: bool


class MacroCall(NamedTuple):
    """A call that may be a macro. ``offset`` is that of its parenthesis."""

    offset: int
    name: str
    receiver: Node | None
    args: list[Node]


Macro = Callable[[MacroCall], Node | None]
Macros = Mapping[MacroKey, Macro]


def find_macro(macros: Macros, call: MacroCall) -> Macro | None:
    """Return the macro for a call: one with its exact number of arguments first."""
    has_receiver = call.receiver is not None
    exact = macros.get(MacroKey(call.name, len(call.args), has_receiver))
    return exact or macros.get(MacroKey(call.name, None, has_receiver))


def _receiver(call: MacroCall) -> Node:
    assert call.receiver is not None  # noqa: S101 - the key of the macro says so
    return call.receiver


def _has(call: MacroCall) -> Node:
    (argument,) = call.args
    if not isinstance(argument, Select) or argument.optional:
        raise MacroError(argument.offset, "invalid argument to has() macro")
    return Select(call.offset, argument.operand, argument.field, test=True)


def _variable(argument: Node, complaint: str) -> str:
    if not isinstance(argument, Ident):
        raise MacroError(argument.offset, complaint)
    if argument.name == ACCUMULATOR:
        raise MacroError(argument.offset, _OVERWRITES)
    return argument.name


def _fold(kind: str, complaint: str) -> Macro:
    """One variable; the argument before the last is a filter when there are three."""

    def expand(call: MacroCall) -> Node:
        variable = _variable(call.args[0], complaint)
        condition = call.args[1] if len(call.args) == 3 else None
        return Fold(call.offset, kind, _receiver(call), (variable, None), condition, call.args[-1])

    return expand


def _fold_with_two_variables(kind: str) -> Macro:
    def expand(call: MacroCall) -> Node:
        first_argument, second_argument = call.args[:2]
        for argument in (first_argument, second_argument):
            if not isinstance(argument, Ident):
                raise MacroError(argument.offset, "argument must be a simple name")
        if first_argument.name == second_argument.name:  # type: ignore[attr-defined]
            message = f"duplicate variable name: {first_argument.name}"  # type: ignore[attr-defined]
            raise MacroError(second_argument.offset, message)
        variables = (_variable(first_argument, ""), _variable(second_argument, ""))
        condition = call.args[2] if len(call.args) == 4 else None
        return Fold(call.offset, kind, _receiver(call), variables, condition, call.args[-1])

    return expand


def _optional_map(name: str, flat: bool) -> Macro:
    def expand(call: MacroCall) -> Node:
        variable, body = call.args
        if not isinstance(variable, Ident):
            raise MacroError(variable.offset, f"{name}() variable name must be a simple identifier")
        return OptionalMap(call.offset, _receiver(call), variable.name, body, flat)

    return expand


def _sort_by(call: MacroCall) -> Node:
    receiver = _receiver(call)
    if isinstance(receiver, (Literal, MapNode, Message)):
        raise MacroError(
            receiver.offset,
            "sortBy can only be applied to a list, identifier, comprehension, call or select expression",
        )
    return SortBy(call.offset, receiver, _variable(call.args[0], "argument is not an identifier"), call.args[1])


def _extreme(name: str, function: str) -> Macro:
    """``math.least`` and ``math.greatest``: any number of numbers, or one list of them."""

    def expand(call: MacroCall) -> Node | None:
        if not (isinstance(call.receiver, Ident) and call.receiver.name == "math"):
            return None
        args = call.args
        if not args:
            raise MacroError(call.receiver.offset, f"{name}() requires at least one argument")
        if len(args) == 1:
            if not (_may_be_number(args[0]) or _is_list_of_numbers(args[0])):
                raise MacroError(args[0].offset, f"{name}() invalid single argument value")
            return Call(call.offset, function, args)
        for argument in args:
            if not _may_be_number(argument):
                raise MacroError(argument.offset, f"{name}() simple literal arguments must be numeric")
        return Call(call.offset, function, args if len(args) == 2 else [ListNode(call.offset, args)])

    return expand


def _may_be_number(node: Node) -> bool:
    if isinstance(node, Literal):
        return type(node.value) in (int, float, UInt)
    return not isinstance(node, (ListNode, MapNode, Message))


def _is_list_of_numbers(node: Node) -> bool:
    return isinstance(node, ListNode) and bool(node.items) and all(map(_may_be_number, node.items))


def _name_parts(call: MacroCall) -> Node | None:
    """``oc_generate_name`` and ``oc_dns_label``: several arguments become one list."""
    if len(call.args) == 1:
        return None
    return Call(call.offset, call.name, [ListNode(call.offset, call.args)])


def _merge(call: MacroCall) -> Node | None:
    """``oc_merge``: from the left, two at a time."""
    if len(call.args) < 2:
        raise MacroError(call.offset, "oc_merge requires at least 2 arguments")
    if len(call.args) == 2:
        return None
    merged = call.args[0]
    for argument in call.args[1:]:
        merged = Call(call.offset, "oc_merge", [merged, argument])
    return merged


def _derived(receiver: str, field: str) -> Macro:
    """A helper of components: stands for a field of the variable ``derived``."""

    def expand(call: MacroCall) -> Node | None:
        if not (isinstance(call.receiver, Ident) and call.receiver.name == receiver):
            return None
        return Select(call.offset, Ident(call.offset, "derived"), field)

    return expand


def _first_that_applies(*macros: Macro) -> Macro:
    def expand(call: MacroCall) -> Node | None:
        for macro in macros:
            node = macro(call)
            if node is not None:
                return node
        return None

    return expand


def _endpoint_resources(call: MacroCall) -> Node | None:
    by_name = _derived("workload", "endpointResources")(call)
    return by_name and Call(call.offset, "_[?_]", [by_name, call.args[0]])


_NOT_A_NAME: Final = "argument must be a simple name"
_NOT_AN_IDENTIFIER: Final = "argument is not an identifier"

STANDARD: Final[Macros] = MappingProxyType(
    {
        MacroKey("has", 1, False): _has,
        MacroKey("all", 2, True): _fold("all", _NOT_A_NAME),
        MacroKey("exists", 2, True): _fold("exists", _NOT_A_NAME),
        MacroKey("exists_one", 2, True): _fold("exists_one", _NOT_A_NAME),
        MacroKey("map", 2, True): _fold("map", _NOT_AN_IDENTIFIER),
        MacroKey("map", 3, True): _fold("map", _NOT_AN_IDENTIFIER),
        MacroKey("filter", 2, True): _fold("filter", _NOT_AN_IDENTIFIER),
    }
)
EXTENDED: Final[Macros] = MappingProxyType(
    {
        **STANDARD,
        **{
            MacroKey(name, count, True): _fold_with_two_variables(kind)
            for name, kind, counts in (
                ("all", "all", (3,)),
                ("exists", "exists", (3,)),
                ("exists_one", "exists_one", (3,)),
                ("existsOne", "exists_one", (3,)),
                ("transformList", "transformList", (3, 4)),
                ("transformMap", "transformMap", (3, 4)),
                ("transformMapEntry", "transformMapEntry", (3, 4)),
            )
            for count in counts
        },
        MacroKey("optMap", 2, True): _optional_map("optMap", flat=False),
        MacroKey("optFlatMap", 2, True): _optional_map("optFlatMap", flat=True),
        MacroKey("sortBy", 2, True): _sort_by,
        MacroKey("least", None, True): _extreme("math.least", "math.@min"),
        MacroKey("greatest", None, True): _extreme("math.greatest", "math.@max"),
        MacroKey("oc_generate_name", None, False): _name_parts,
        MacroKey("oc_dns_label", None, False): _name_parts,
        MacroKey("oc_merge", None, False): _merge,
    }
)
COMPONENT: Final[Macros] = MappingProxyType(
    {
        **EXTENDED,
        MacroKey("toConfigFileList", 0, True): _derived("configurations", "configFileList"),
        MacroKey("toSecretFileList", 0, True): _derived("configurations", "secretFileList"),
        MacroKey("toContainerEnvFrom", 0, True): _derived("configurations", "containerEnvFrom"),
        MacroKey("toContainerVolumeMounts", 0, True): _first_that_applies(
            _derived("configurations", "configVolumeMounts"), _derived("dependencies", "dependencyVolumeMounts")
        ),
        MacroKey("toVolumes", 0, True): _first_that_applies(
            _derived("configurations", "configVolumes"), _derived("dependencies", "dependencyVolumes")
        ),
        MacroKey("toConfigEnvsByContainer", 0, True): _derived("configurations", "configEnvs"),
        MacroKey("toSecretEnvsByContainer", 0, True): _derived("configurations", "secretEnvs"),
        MacroKey("toContainerEnvs", 0, True): _derived("dependencies", "dependencyEnvVars"),
        MacroKey("toServicePorts", 0, True): _derived("workload", "servicePorts"),
        MacroKey("toEndpointResources", 1, True): _endpoint_resources,
    }
)
