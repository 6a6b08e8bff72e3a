"""How much one evaluation may do. Templates are written by people who may err or mean harm; loops can be nested.

Counted are steps: the turns of loops, weighed by the length of their bodies; the items and every sixteenth character
of what functions and operators make, look through or compare. A single value is limited in size, too. The limits are
far above what any sound template needs.

The exact evaluator counts as it goes. Generated code counts its loops, and of everything else only that it is little
(``work``): when it is much, it gives up, and the exact evaluator counts. What both spend is taken off what a whole
render may spend (``rendering``), if there is one around them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from catalog.compiler.cel.errors import CelEvaluationError

DEFAULT_BUDGET: Final = 2_000_000
RENDER_FACTOR: Final = 10  # a whole render may spend this many budgets
MAX_SIZE: Final = 1_048_576  # code points, bytes or items of one value; Kubernetes takes no larger objects
MAX_ENTRIES: Final = 1_000_000  # entries and items, all together, of what is handed to a document
MAX_NESTING: Final = 250  # of containers, in what is handed to a document
_UNCOUNTED: Final = 50_000  # what generated code may do outside of loops before it gives up
_SHOWN: Final = 80

_default_budget = DEFAULT_BUDGET


class BudgetError(CelEvaluationError):
    """The evaluation does too much. Unlike other errors it is not absorbed by ``||``, ``&&`` and loops."""


class UncountedError(RuntimeError):
    """Generated code did much that it does not count: the exact evaluator has to."""


class Budget:
    """What is left of the budget of one evaluation."""

    __slots__ = ("left", "limit")

    def __init__(self, limit: int = DEFAULT_BUDGET) -> None:
        self.limit = limit
        self.left = limit

    def spend(self, units: int) -> None:
        """Take units off. Raises ``BudgetError`` when none are left."""
        self.left -= units
        if self.left < 0:
            too_much(self.limit)

    @property
    def spent(self) -> int:
        """How much has been taken off."""
        return self.limit - self.left


class _Thread(threading.local):
    """What is going on in a thread: the exact evaluation, if any, and what is left of the render, if there is one."""

    evaluation: Budget | None = None
    uncounted = _UNCOUNTED
    render: Budget | None = None


_thread = _Thread()


def set_default_budget(steps: int) -> None:
    """Set what an evaluation may do where nobody says otherwise. To be called at start: programs keep their budgets."""
    global _default_budget
    _default_budget = steps


def default_budget() -> int:
    """Return what an evaluation may do where nobody says otherwise."""
    return _default_budget


@contextmanager
def evaluating(budget: Budget) -> Iterator[None]:
    """Make ``work`` take from this budget meanwhile."""
    charge(0)
    outer = _thread.evaluation
    _thread.evaluation = budget
    try:
        yield
    finally:
        _thread.evaluation = outer
        charge(budget.spent)


@contextmanager
def rendering() -> Iterator[None]:
    """Limit all evaluations meanwhile together; within another ``rendering`` it does nothing."""
    if _thread.render is not None:
        yield
        return
    _thread.render = Budget(_default_budget * RENDER_FACTOR)
    try:
        yield
    finally:
        _thread.render = None


def work(units: int) -> None:
    """Count work that a loop's turns do not tell. Raises ``BudgetError``, or ``UncountedError`` in generated code."""
    budget = _thread.evaluation
    if budget is not None:
        budget.spend(units)
        return
    _thread.uncounted -= units
    if _thread.uncounted < 0:
        _thread.uncounted = _UNCOUNTED
        charge(_UNCOUNTED)
        raise UncountedError


def charge(units: int) -> None:
    """Take units off what the whole render may spend. Raises ``BudgetError``."""
    render = _thread.render
    if render is not None:
        render.left -= units
        if render.left < 0:
            raise BudgetError(f"comes when the render has done more than {render.limit} steps")


def too_much(limit: int) -> None:
    """Say that an evaluation does too much."""
    raise BudgetError(f"does more than {limit} steps")


def weight(value: Any) -> int:
    """Return the steps that a value's size stands for: none for what has no size."""
    if isinstance(value, (list, dict)):
        return len(value)
    return len(value) >> 4 if isinstance(value, (str, bytes)) else 0


def check_size(size: int, limit: int = MAX_SIZE) -> None:
    """Raise ``BudgetError`` when a text or list of that size would be too long."""
    if size > limit:
        raise BudgetError(f"makes a value of {size} characters or items, which is longer than {limit}")


def naming(error: BudgetError, source: str) -> BudgetError:
    """Return the error with the expression that did too much in its message."""
    shown = source if len(source) <= _SHOWN else source[:_SHOWN] + "..."
    return BudgetError(f"expression '{shown}' {error}")
