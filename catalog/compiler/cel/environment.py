"""Environments and programs: what the rest of the compiler sees of the expression language.

An ``Environment`` says which variables, functions and macros an expression may use; it compiles texts to ``Program``s,
once for each text. A ``Program`` evaluates: first by generated Python, which is fast and gives up on anything unusual,
then, if it gave up, by the exact evaluator, which defines the result. Expressions have no side effects, so evaluating
twice is safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from catalog.compiler.cel import macros
from catalog.compiler.cel.budget import BudgetError, default_budget, naming
from catalog.compiler.cel.checker import check, type_identifiers
from catalog.compiler.cel.errors import CelEvaluationError
from catalog.compiler.cel.evaluator import Evaluator
from catalog.compiler.cel.fast_path import FAILURES, Function, Inlined, compile_function, inline
from catalog.compiler.cel.functions import Library
from catalog.compiler.cel.library import EXTENDED, STANDARD
from catalog.compiler.cel.native import to_native
from catalog.compiler.cel.nodes import Node
from catalog.compiler.cel.parser import parse
from catalog.compiler.cel.runtime import GiveUp
from catalog.compiler.cel.types import DYN, Type, fingerprint

_CACHED_PROGRAMS: Final = 8192


class Program:
    """A compiled expression. May be used by many threads at once."""

    __slots__ = ("_evaluate", "_evaluate_native", "_evaluator", "_library", "_node", "budget", "result_type", "source")

    def __init__(self, source: str, node: Node, library: Library, budget: int) -> None:
        self.source = source
        self.result_type = node.type
        self.budget = budget
        self._node = node
        self._library = library
        # Made at first use; threads that come at the same time make equal ones.
        self._evaluator: Evaluator | None = None
        self._evaluate: Function | None = None
        self._evaluate_native: Function | None = None

    def evaluate(self, bindings: Mapping[str, object]) -> Any:
        """Return the raw value of the expression, as ``values`` describes it.

        ``bindings`` holds a value for every variable of the environment. Raises ``CelEvaluationError``.
        """
        function = self._evaluate
        if function is None:
            function = self._evaluate = self._function(native=False)
        try:
            return function(bindings)
        except BudgetError as error:
            raise naming(error, self.source) from None
        except FAILURES:
            return self.evaluate_exactly(bindings)

    def evaluate_native(self, bindings: Mapping[str, object]) -> Any:
        """Return the value as documents hold it: ``to_native`` of ``evaluate``."""
        function = self._evaluate_native
        if function is None:
            function = self._evaluate_native = self._function(native=True)
        try:
            return function(bindings)
        except BudgetError as error:
            raise naming(error, self.source) from None
        except FAILURES:
            return self._native_exactly(bindings)

    def evaluate_exactly(self, bindings: Mapping[str, object]) -> Any:
        """Return what ``evaluate`` does, without generated code."""
        evaluator = self._evaluator
        if evaluator is None:
            try:
                evaluator = self._evaluator = Evaluator(self._node, self._library)
            except RecursionError:
                raise CelEvaluationError("evaluation is nested too deeply") from None
        try:
            return evaluator.evaluate(bindings, self.budget)
        except BudgetError as error:
            raise naming(error, self.source) from None

    def _native_exactly(self, bindings: Mapping[str, object]) -> Any:
        value = self.evaluate_exactly(bindings)
        try:
            return to_native(value)
        except BudgetError as error:
            raise naming(error, self.source) from None

    def inline(self, *, native: bool = True, bindings: str = "b", prefix: str = "") -> Inlined:
        """Return the expression as Python code for a function of the caller's. See ``Inlined``."""
        return inline(self._node, self._library, native=native, bindings=bindings, prefix=prefix, budget=self.budget)

    def _function(self, *, native: bool) -> Function:
        function = compile_function(self._node, self._library, native=native, budget=self.budget)
        return function or _give_up


def _give_up(_: Mapping[str, object]) -> Any:
    """Stand for generated code that Python cannot compile."""
    raise GiveUp


class Environment:
    """What expressions may use. Equal environments share their compiled programs.

    ``variables`` are known by name only; ``variable_types`` gives some of them a type, for static checks (the name
    need not be among ``variables``). ``component_macros`` adds the helpers of component templates, which read the
    variable ``derived``. ``bare`` leaves nothing but the standard library, as authorization conditions have it.
    ``budget`` bounds what one evaluation may do, by default as ``budget.set_default_budget`` says.
    """

    __slots__ = ("_hash", "_key", "bare", "budget", "component_macros", "variable_types", "variables")

    def __init__(
        self,
        variables: frozenset[str],
        component_macros: bool = False,
        *,
        variable_types: Mapping[str, Type] | None = None,
        bare: bool = False,
        budget: int | None = None,
    ) -> None:
        self.variables = variables
        self.component_macros = component_macros
        self.variable_types = dict(variable_types or {})
        self.bare = bare
        self.budget = default_budget() if budget is None else budget
        typed = tuple(sorted((name, fingerprint(declared)) for name, declared in self.variable_types.items()))
        self._key = (variables, component_macros, typed, bare, self.budget)
        self._hash = hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Environment) and other._key == self._key

    def __hash__(self) -> int:
        return self._hash

    def compile(self, expression: str) -> Program:
        """Compile an expression. Raises ``CelCompileError``; results are cached."""
        return _compile(self, expression)


@lru_cache(maxsize=_CACHED_PROGRAMS)
def _compile(environment: Environment, expression: str) -> Program:
    library = STANDARD if environment.bare else EXTENDED
    node = parse(expression, _macros(environment), optional_syntax=not environment.bare)
    declared = {**dict.fromkeys(environment.variables, DYN), **environment.variable_types}
    check(node, declared, library, type_identifiers(library), expression)
    return Program(expression, node, library, environment.budget)


def _macros(environment: Environment) -> macros.Macros:
    if environment.bare:
        return macros.STANDARD
    return macros.COMPONENT if environment.component_macros else macros.EXTENDED
