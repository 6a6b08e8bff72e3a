"""What the operators do to values, and what they say when they cannot. Called by the evaluator and by generated code.

Numbers of different types never mix in arithmetic, but compare and equal each other by value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, NoReturn

from catalog.compiler.cel.budget import work
from catalog.compiler.cel.errors import CelEvaluationError
from catalog.compiler.cel.members import find_key
from catalog.compiler.cel.values import (
    INT_MAX,
    INT_MIN,
    UINT_MAX,
    BoxedKey,
    CelList,
    Duration,
    NullValue,
    OptionalValue,
    Timestamp,
    UInt,
)

_NO_OVERLOAD: Final = "no such overload"
_NANOSECONDS: Final = 1_000_000_000
# Types that can receive methods: an operator they lack is refused without its name.
_RECEIVERS: Final = (str, Timestamp, Duration)
_NUMBERS: Final = (int, float, UInt)


def no_such_overload() -> NoReturn:
    """Raise the error for operands of wrong types."""
    raise CelEvaluationError(_NO_OVERLOAD)


def _refuse(left: object, function: str) -> NoReturn:
    raise CelEvaluationError(_NO_OVERLOAD if isinstance(left, _RECEIVERS) else f"{_NO_OVERLOAD}: {function}")


def _int(value: int) -> int:
    if not INT_MIN <= value <= INT_MAX:
        raise CelEvaluationError("integer overflow")
    return value


def _uint(value: int) -> UInt:
    if not 0 <= value <= UINT_MAX:
        raise CelEvaluationError("unsigned integer overflow")
    return UInt(value)


def duration(nanoseconds: int) -> Duration:
    """Return a duration, or raise when it does not fit 64 bits."""
    return Duration(_int(nanoseconds))


def timestamp(seconds: int, nanoseconds: int) -> Timestamp:
    """Return a timestamp from any split into seconds and nanoseconds, or raise when its year is not 1 to 9999."""
    carried, rest = divmod(nanoseconds, _NANOSECONDS)
    moment = Timestamp(seconds + carried, rest)
    if not moment.is_in_range():
        raise CelEvaluationError("timestamp overflow")
    return moment


# --- arithmetic


def add(left: Any, right: Any) -> Any:
    """``+``: numbers of one type, texts, bytes, lists, durations, a timestamp and a duration."""
    kind, other = type(left), type(right)
    if kind is str:
        return left + right if other is str else no_such_overload()
    if kind is float:
        return left + right if other is float else no_such_overload()
    if kind is int:
        return _int(left + right) if other is int else no_such_overload()
    if isinstance(left, list):
        return concatenate(left, right) if isinstance(right, list) else no_such_overload()
    if kind is UInt:
        return _uint(int(left) + int(right)) if other is UInt else no_such_overload()
    if kind is bytes:
        return left + right if other is bytes else no_such_overload()
    if kind is Duration and other is Duration:
        return duration(left.nanoseconds + right.nanoseconds)
    if kind is Duration and other is Timestamp:
        return timestamp(right.seconds, right.nanoseconds + left.nanoseconds)
    if kind is Timestamp and other is Duration:
        return timestamp(left.seconds, left.nanoseconds + right.nanoseconds)
    if kind is Duration or kind is Timestamp:
        no_such_overload()
    _refuse(left, "_+_")


def concatenate(left: list[Any], right: list[Any]) -> list[Any]:
    """Join two lists; an empty one leaves the other untouched, as something of the context if it is that."""
    if not right:
        return left
    if not left:
        return right
    return CelList([*left, *right])


def subtract(left: Any, right: Any) -> Any:
    """``-`` of two operands."""
    kind, other = type(left), type(right)
    if kind is int:
        return _int(left - right) if other is int else no_such_overload()
    if kind is float:
        return left - right if other is float else no_such_overload()
    if kind is UInt:
        return _uint(int(left) - int(right)) if other is UInt else no_such_overload()
    if kind is Duration and other is Duration:
        return duration(left.nanoseconds - right.nanoseconds)
    if kind is Timestamp and other is Duration:
        return timestamp(left.seconds, left.nanoseconds - right.nanoseconds)
    if kind is Timestamp and other is Timestamp:
        seconds = left.seconds - right.seconds
        return duration(seconds * _NANOSECONDS + left.nanoseconds - right.nanoseconds)
    _refuse(left, "_-_")


def multiply(left: Any, right: Any) -> Any:
    """``*``."""
    kind, other = type(left), type(right)
    if kind is int:
        return _int(left * right) if other is int else no_such_overload()
    if kind is float:
        return left * right if other is float else no_such_overload()
    if kind is UInt:
        return _uint(int(left) * int(right)) if other is UInt else no_such_overload()
    _refuse(left, "_*_")


def divide(left: Any, right: Any) -> Any:
    """``/``: integers towards zero; doubles as IEEE 754, by zero too."""
    kind, other = type(left), type(right)
    if kind is float:
        return _divide_doubles(left, right) if other is float else no_such_overload()
    if kind is int or kind is UInt:
        if other is not kind:
            no_such_overload()
        if right == 0:
            raise CelEvaluationError("division by zero")
        quotient = abs(int(left)) // abs(int(right))
        if kind is UInt:
            return UInt(quotient)
        return _int(-quotient if (left < 0) != (right < 0) else quotient)
    _refuse(left, "_/_")


def _divide_doubles(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1.0, right)


def modulo(left: Any, right: Any) -> Any:
    """``%``: the sign is that of the left operand."""
    kind, other = type(left), type(right)
    if kind is int or kind is UInt:
        if other is not kind:
            no_such_overload()
        if right == 0:
            raise CelEvaluationError("modulus by zero")
        rest = abs(int(left)) % abs(int(right))
        if kind is UInt:
            return UInt(rest)
        if left == INT_MIN and right == -1:
            raise CelEvaluationError("integer overflow")
        return -rest if left < 0 else rest
    _refuse(left, "_%_")


def negate(value: Any) -> Any:
    """``-`` of one operand."""
    kind = type(value)
    if kind is int:
        return _int(-value)
    if kind is float:
        return -value
    if kind is Duration:
        return duration(-value.nanoseconds)
    if kind is bool:
        no_such_overload()
    _refuse(value, "-_")


def logical_not(value: Any) -> bool:
    """``!``."""
    if type(value) is not bool:
        no_such_overload()
    return not value


# --- equality and order


def equal(left: Any, right: Any) -> bool:
    """``==``: by value across the number types, element by element in lists and maps; false across other types."""
    if type(left) is NullValue:
        left = None
    if type(right) is NullValue:
        right = None
    kind, other = type(left), type(right)
    if kind is other:
        if kind is str or kind is float or kind is bool or kind is int:
            return bool(left == right)
        if kind is OptionalValue:
            return left.present == right.present and (not left.present or equal(left.value, right.value))
        if not isinstance(left, (list, dict)):
            return bool(left == right)
    if isinstance(left, dict):
        return isinstance(right, dict) and _equal_maps(left, right)
    if isinstance(left, list):
        if not isinstance(right, list) or len(left) != len(right):
            return False
        work(len(left) + 1)
        return all(map(equal, left, right))
    if kind in _NUMBERS and other in _NUMBERS:
        return left == left and right == right and _sign(left, right) == 0
    return left is right


def _equal_maps(left: dict[Any, Any], right: dict[Any, Any]) -> bool:
    if len(left) != len(right):
        return False
    work(len(left) + 1)
    for key, value in left.items():
        other_key = find_key(right, key.value if type(key) is BoxedKey else key)
        if other_key is None or not equal(value, right[other_key]):
            return False
    return True


def compare(left: Any, right: Any, function: str) -> int | None:
    """Order two values: negative, 0, positive; ``None`` when one is NaN. ``function`` is named when it cannot be.

    Raises ``CelEvaluationError`` for types that have no order or none with each other.
    """
    kind, other = type(left), type(right)
    if kind in _NUMBERS:
        if other not in _NUMBERS:
            if kind is float and math.isnan(left):
                return None
            no_such_overload()
        if left != left or right != right:
            return None
        return _sign(left, right)
    if kind is other and kind in (str, bool, bytes, Duration, Timestamp):
        return _sign(left, right)
    if other is float and math.isnan(right):
        return None
    if kind in (str, bool, bytes, Duration, Timestamp):
        no_such_overload()
    _refuse(left, function)


def _sign(left: Any, right: Any) -> int:
    if type(left) is float or type(right) is float:
        left, right = float(left), float(right)  # as the reference does: large integers lose digits
    return -1 if left < right else int(left > right)


def less(left: Any, right: Any) -> bool:
    """``<``."""
    order = compare(left, right, "_<_")
    return order is not None and order < 0


def less_equal(left: Any, right: Any) -> bool:
    """``<=``."""
    order = compare(left, right, "_<=_")
    return order is not None and order <= 0


def greater(left: Any, right: Any) -> bool:
    """``>``."""
    order = compare(left, right, "_>_")
    return order is not None and order > 0


def greater_equal(left: Any, right: Any) -> bool:
    """``>=``."""
    order = compare(left, right, "_>=_")
    return order is not None and order >= 0


def contains(item: Any, container: Any) -> bool:
    """``in``: an item of a list, or a key of a map."""
    if isinstance(container, dict):
        return find_key(container, item) is not None
    if isinstance(container, list):
        work(len(container))
        return any(equal(item, candidate) for candidate in container)
    no_such_overload()


BINARY: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "_+_": add,
    "_-_": subtract,
    "_*_": multiply,
    "_/_": divide,
    "_%_": modulo,
    "_==_": equal,
    "_!=_": lambda left, right: not equal(left, right),
    "_<_": less,
    "_<=_": less_equal,
    "_>_": greater,
    "_>=_": greater_equal,
    "@in": contains,
}
UNARY: Final[dict[str, Callable[[Any], Any]]] = {"!_": logical_not, "-_": negate}
