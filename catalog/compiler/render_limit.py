"""How much a whole render may do and give, so that no type and no values can stall a worker or fill its memory.

``limited`` goes around the entry of a pipeline. All expressions of the render together may spend a multiple of what
one may (``cel.budget``); turns of loops and the objects that come out are taken from the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, NoReturn, ParamSpec, TypeVar

from catalog.compiler.cel.budget import BudgetError, charge, rendering
from catalog.compiler.errors import ResultTypeError

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

STEPS_OF_A_TURN: Final = 20  # a turn renders a template
STEPS_OF_A_NODE: Final = 20  # short texts are not counted by themselves
SHORT: Final = 60
MAX_OBJECT: Final = 10_000_000  # characters and nodes of one object; a plane takes a fraction of it


def limited(render: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """Limit what one call may do; calls inside of it are part of it."""

    @wraps(render)
    def limited_render(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        with rendering():
            return render(*args, **kwargs)

    return limited_render


def count_turns(turns: int) -> None:
    """Count the turns of a loop over templates. Raises ``BudgetError``."""
    try:
        charge(turns * STEPS_OF_A_TURN)
    except BudgetError as error:
        raise BudgetError(f"a loop of {turns} turns {error}") from None


class Room:
    """Counts what an object is made of while it is copied, before its parts are.

    A value may hold the same container many times, so that its text is much larger than what it takes in memory.
    Whoever copies takes the characters, and every node as ``STEPS_OF_A_NODE`` of them, off ``left``. ``refuse`` raises
    ``ResultTypeError``, ``close`` raises ``BudgetError`` when the render has used up what it may.
    """

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_OBJECT

    def refuse(self) -> NoReturn:
        """Say that the object is too large: when less than nothing is ``left``."""
        raise ResultTypeError(f"a rendered object has more than {MAX_OBJECT} characters")

    def close(self) -> None:
        """Take what was counted off what the render may do."""
        if self.left < 0:
            self.refuse()
        size = MAX_OBJECT - self.left
        try:
            charge(size)
        except BudgetError as error:
            raise BudgetError(f"an object of {size} characters {error}") from None
