"""How much a whole render may do and give, so that no type and no values can stall a worker or fill its memory.

``limited`` goes around the entry of a pipeline. All expressions of the render together may spend a multiple of what
one may (``cel.budget``); turns of loops and the objects that come out are taken from the same.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

from catalog.compiler.cel.budget import BudgetError, charge, rendering
from catalog.compiler.errors import ResultTypeError

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

STEPS_OF_A_TURN: Final = 20  # a turn renders a template
STEPS_OF_A_NODE: Final = 10
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


def count_object(value: object) -> None:
    """Count the nodes and characters of a rendered value before it is copied.

    A value may hold the same container many times, so that its text is much larger than what it takes in memory.
    Raises ``BudgetError`` when the render has used up what it may, ``ResultTypeError`` when the value alone is too
    large.
    """
    nodes, characters = 1, 0
    pending: list[Any] = [value]
    while pending:
        container = pending.pop()
        kind = type(container)
        if kind is str:
            characters += len(container)
            continue
        nodes += len(container)
        if nodes * STEPS_OF_A_NODE + characters > MAX_OBJECT:
            raise ResultTypeError(f"a rendered object has more than {MAX_OBJECT} characters")
        if kind is not list and isinstance(container, dict):
            characters += sum(map(len, container))
            container = container.values()
        pending.extend([entry for entry in container if isinstance(entry, (str, dict, list))])
    try:
        charge(nodes * STEPS_OF_A_NODE + characters)
    except BudgetError as error:
        raise BudgetError(f"an object of {nodes} nodes and {characters} characters {error}") from None
