"""The evaluator's part for loops: running through lists and maps, and finding what decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from catalog.compiler.cel import members, operators
from catalog.compiler.cel.budget import BudgetError
from catalog.compiler.cel.errors import CelEvaluationError
from catalog.compiler.cel.frame import Closure, Frame
from catalog.compiler.cel.values import key_value, sorted_keys, type_name

# Gives the frame of each turn; it is the same frame, changed.
Loop = Callable[[Frame], Iterable[Frame]]


def turns_through(first: str, second: str | None, length: int) -> Callable[[Any, Frame], Iterator[Frame]]:
    """Return how to run through a range: each turn sets the variables of the frame and yields it.

    ``length`` is what a turn costs.
    """

    def one(container: Any, frame: Frame) -> Iterator[Frame]:
        if isinstance(container, dict):
            items: Iterable[Any] = map(key_value, sorted_keys(container))
        elif isinstance(container, list):
            items = container
        else:
            raise CelEvaluationError(f"got '{members.GO_TYPES[type_name(container)]}', expected iterable type")
        frame.budget.spend(len(container) * length)
        names = frame.names
        for item in items:
            names[first] = item
            yield frame

    def two(container: Any, frame: Frame) -> Iterator[Frame]:
        if isinstance(container, dict):
            pairs: Iterable[tuple[Any, Any]] = ((key_value(key), container[key]) for key in sorted_keys(container))
        elif isinstance(container, list):
            pairs = enumerate(container)
        else:
            raise CelEvaluationError(f"unsupported comprehension range type: {members.GO_TYPES[type_name(container)]}")
        frame.budget.spend(len(container) * length)
        names = frame.names
        for key, value in pairs:
            names[first] = key
            names[second] = value  # type: ignore[index]
            yield frame

    return one if second is None else two


def holds(condition: Closure, frame: Frame) -> bool:
    """Evaluate a condition. Raises when it gives no boolean."""
    value = condition(frame)
    if value is not True and value is not False:
        operators.no_such_overload()
    return value is True


def filtered(loop: Loop, condition: Closure) -> Loop:
    """Return the loop without the turns for which a condition does not hold."""
    return lambda frame: (inner for inner in loop(frame) if holds(condition, inner))


def is_decided(conditions: Iterable[tuple[Closure, Frame]], decisive: bool) -> bool:
    """Evaluate conditions until one is ``decisive``: what ``||`` and ``exists`` (true), ``&&`` and ``all`` (false) do.

    An error, or a value that is no boolean, counts only when nothing decides; then the first one is raised.
    """
    failure: CelEvaluationError | None = None
    for condition, frame in conditions:
        try:
            value = condition(frame)
        except BudgetError:
            raise
        except CelEvaluationError as error:
            failure = failure or error
            continue
        if value is decisive:
            return True
        if type(value) is not bool and failure is None:
            failure = CelEvaluationError("no such overload")
    if failure is not None:
        raise failure
    return False
