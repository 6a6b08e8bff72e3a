"""How much one evaluation may do. Templates are written by people who may err or mean harm; loops can be nested.

Counted is one unit for each turn of a loop, and inside loops one for each character or item that an operator or
function makes. Outside of loops only the size of a single result is limited: everything else is bounded by the length
of the expression. The limits are far above what any sound template needs.
"""

from __future__ import annotations

from typing import Final

from catalog.compiler.cel.errors import CelEvaluationError

DEFAULT_BUDGET: Final = 10_000_000
MAX_SIZE: Final = 16_777_216  # code points, bytes or items of one value
MAX_ENTRIES: Final = 1_000_000  # entries and items, all together, of what is handed to a document
_SHOWN: Final = 80


class BudgetError(CelEvaluationError):
    """The evaluation does too much. Unlike other errors it is not absorbed by ``||``, ``&&`` and loops."""


class Budget:
    """What is left of the budget of one evaluation."""

    __slots__ = ("_limit", "left")

    def __init__(self, limit: int = DEFAULT_BUDGET) -> None:
        self._limit = limit
        self.left = limit

    def spend(self, units: int) -> None:
        """Take units off. Raises ``BudgetError`` when none are left."""
        self.left -= units
        if self.left < 0:
            raise BudgetError(f"does more than {self._limit} steps")


def check_size(size: int, limit: int = MAX_SIZE) -> None:
    """Raise ``BudgetError`` when a text or list of that size would be too long."""
    if size > limit:
        raise BudgetError(f"makes a value of {size} characters or items, which is longer than {limit}")


def naming(error: BudgetError, source: str) -> BudgetError:
    """Return the error with the expression that did too much in its message."""
    shown = source if len(source) <= _SHOWN else source[:_SHOWN] + "..."
    return BudgetError(f"expression '{shown}' {error}")
