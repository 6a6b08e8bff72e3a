"""Functions of the expression language: their signatures for the checker, their implementations for the evaluator.

A library is a mapping from a function's name to its overloads. The modules of ``library`` declare theirs with the
decorator of a ``Registry`` and a signature like ``"string|split(string, int) -> list(string)"``: a type before the bar
makes a member function, single capital letters are type parameters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar

from catalog.compiler.cel import types
from catalog.compiler.cel.budget import weight, work
from catalog.compiler.cel.errors import CelEvaluationError
from catalog.compiler.cel.types import Type
from catalog.compiler.cel.values import BoxedKey, CelList, CelMap, StringList, key_value, type_name

Implementation = Callable[..., Any]
_Declared = TypeVar("_Declared", bound=Implementation)
# What functions look through; as long as it is small, nobody counts.
_SIZED: Final = frozenset({str, bytes, list, dict, CelList, CelMap, StringList})
_SMALL: Final = 64
_TOKEN = re.compile(r"[A-Za-z_.]+|[(),]")


class Overload(NamedTuple):
    """One signature. ``guarded`` overloads are tried only with arguments whose types fit at run time."""

    name: str
    is_member: bool
    parameters: tuple[Type, ...]
    result: Type
    implementation: Implementation | None
    guarded: bool
    # The names of the type parameters in the signature, sorted.
    type_parameters: tuple[str, ...]


Library = Mapping[str, tuple[Overload, ...]]


def _type_parameters(signature: tuple[Type, ...]) -> tuple[str, ...]:
    names: set[str] = set()
    pending = list(signature)
    while pending:
        current = pending.pop()
        if current.kind == "parameter":
            names.add(current.name)
        pending.extend(current.parameters)
    return tuple(sorted(names))


class Registry:
    """Collects the overloads of a library, in order."""

    def __init__(self) -> None:
        self._overloads: dict[str, list[Overload]] = {}

    def function(self, *signatures: str, guarded: bool = True) -> Callable[[_Declared], _Declared]:
        """Declare what the decorated function implements."""

        def declare(implementation: _Declared) -> _Declared:
            for signature in signatures:
                self.add(signature, implementation, guarded=guarded)
            return implementation

        return declare

    def add(self, signature: str, implementation: Implementation | None, *, guarded: bool = True) -> None:
        """Declare one signature. Without implementation it is one of the evaluator's own."""
        overload = _read_signature(signature, implementation, guarded)
        self._overloads.setdefault(overload.name, []).append(overload)

    def library(self) -> dict[str, tuple[Overload, ...]]:
        """Return what has been declared."""
        return {name: tuple(overloads) for name, overloads in self._overloads.items()}


def merge_libraries(*libraries: Library) -> Library:
    """Return one library with the overloads of all, in order."""
    merged: dict[str, tuple[Overload, ...]] = {}
    for library in libraries:
        for name, overloads in library.items():
            merged[name] = merged.get(name, ()) + overloads
    return merged


class Dispatcher:
    """Calls the overload of one function that takes the arguments.

    Which one that is depends, for most overloads, on nothing but the Python types of the arguments, and is remembered.
    """

    __slots__ = ("_known", "_name", "_overloads")

    def __init__(self, name: str, overloads: tuple[Overload, ...]) -> None:
        self._name = name
        self._overloads = overloads
        self._known: dict[tuple[type, ...], Implementation] = {}

    def __call__(self, *args: Any) -> Any:
        """Raises ``CelEvaluationError`` when no overload takes the arguments."""
        for argument in args:
            if type(argument) in _SIZED and len(argument) > _SMALL:
                work(weight(argument))
        known = self._known.get(tuple(map(type, args)))
        return self._find(args)(*args) if known is None else known(*args)

    def _find(self, args: tuple[Any, ...]) -> Implementation:
        for overload in self._overloads:
            if len(overload.parameters) != len(args) or overload.implementation is None:
                continue
            if not overload.guarded or all(map(accepts, overload.parameters, args)):
                if not overload.guarded or not any(map(_looks_inside, overload.parameters)):
                    self._known[tuple(map(type, args))] = overload.implementation
                return overload.implementation
            if any(map(_looks_inside, overload.parameters)):
                return self._find_slowly(args)
        raise self._no_overload(args)

    def _find_slowly(self, args: tuple[Any, ...]) -> Implementation:
        """As ``_find``, but an earlier overload depends on what is in a container: nothing is remembered."""
        for overload in self._overloads:
            if len(overload.parameters) != len(args) or overload.implementation is None:
                continue
            if not overload.guarded or all(map(accepts, overload.parameters, args)):
                return overload.implementation
        raise self._no_overload(args)

    def _no_overload(self, args: tuple[Any, ...]) -> CelEvaluationError:
        return CelEvaluationError(f"no such overload: {self._name}({', '.join(map(type_name, args))})")


@lru_cache(maxsize=512)
def dispatcher(name: str, overloads: tuple[Overload, ...]) -> Dispatcher:
    """Return the dispatcher of a function of a library."""
    return Dispatcher(name, overloads)


def _looks_inside(parameter: Type) -> bool:
    """Tell whether accepting a value depends on what it contains."""
    return any(inner.kind not in ("dyn", "parameter") for inner in parameter.parameters) and parameter.kind != "opaque"


def accepts(parameter: Type, value: Any) -> bool:
    """Tell whether a value fits a parameter at run time: of lists and maps only the first element is looked at."""
    kind = parameter.kind
    if kind in ("dyn", "parameter"):
        return True
    actual = type_name(value)
    if kind == "list":
        return actual == "list" and (not value or accepts(parameter.parameters[0], value[0]))
    if kind == "map":
        if actual != "map":
            return False
        if not value:
            return True
        key, entry = min(value.items(), key=lambda item: (type(item[0]) is BoxedKey, str(item[0])))
        return accepts(parameter.parameters[0], key_value(key)) and accepts(parameter.parameters[1], entry)
    if kind == "opaque":
        return actual == parameter.name
    return types.runtime_name(parameter) == actual


def _read_signature(signature: str, implementation: Implementation | None, guarded: bool) -> Overload:
    declared, result = signature.split(" -> ")
    receiver, _, call_text = ("", "", declared) if declared.startswith("_") else declared.rpartition("|")
    name, _, arguments = call_text.partition("(")
    texts = ([receiver] if receiver else []) + _split(arguments.removesuffix(")"))
    parameters, returned = tuple(map(_read_type, texts)), _read_type(result)
    names = _type_parameters((returned, *parameters))
    return Overload(name, bool(receiver), parameters, returned, implementation, guarded, names)


def _split(arguments: str) -> list[str]:
    parts, depth, current = [], 0, ""
    for character in arguments:
        if character == "," and depth == 0:
            parts.append(current.strip())
            current = ""
            continue
        depth += (character == "(") - (character == ")")
        current += character
    return [*parts, current.strip()] if current.strip() else parts


def _read_type(text: str) -> Type:
    tokens = _TOKEN.findall(text)
    read, rest = _read_tokens(tokens)
    if rest:
        raise ValueError(f"not a type: {text}")
    return read


def _read_tokens(tokens: list[str]) -> tuple[Type, list[str]]:
    name, rest = tokens[0], tokens[1:]
    arguments: list[Type] = []
    if rest[:1] == ["("]:
        rest = rest[1:]
        while True:
            argument, rest = _read_tokens(rest)
            arguments.append(argument)
            separator, rest = rest[0], rest[1:]
            if separator == ")":
                break
    if len(name) == 1:
        return types.parameter(name), rest
    if name == "list":
        return types.list_of(*arguments), rest
    if name == "map":
        return types.map_of(*arguments), rest
    if name == "optional":
        return types.optional_of(*arguments), rest
    if name == "type":
        return types.type_of(*arguments) if arguments else types.TYPE, rest
    return _SHORT_NAMES[name], rest


_SHORT_NAMES: Final[Mapping[str, Type]] = {
    **types.BY_NAME,
    "duration": types.DURATION,
    "timestamp": types.TIMESTAMP,
}
