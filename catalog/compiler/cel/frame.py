"""What an evaluation knows: the variables in sight, and what it may still spend. Called by the evaluator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from catalog.compiler.cel.budget import Budget


class Frame:
    """The variables that an expression sees, and what it may still spend."""

    __slots__ = ("budget", "names", "variables")

    def __init__(self, variables: Mapping[str, Any], names: dict[str, Any], budget: Budget) -> None:
        self.variables = variables
        self.names = names
        self.budget = budget

    def inner(self) -> Frame:
        """Return a frame for a loop: it can hide names."""
        return Frame(self.variables, dict(self.names), self.budget)

    def bound(self, name: str, value: Any) -> Frame:
        """Return a frame with one more name."""
        return Frame(self.variables, {**self.names, name: value}, self.budget)


# A node, planned: gives its value in a frame, or raises ``CelEvaluationError``.
Closure = Callable[[Frame], Any]
