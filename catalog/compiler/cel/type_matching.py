"""Which types fit each other, and what type parameters are bound to while finding out. Called by the checker."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.compiler.cel.types import Type

_FLEXIBLE = frozenset({"dyn", "error", "null_type", "parameter"})
_NULLABLE = frozenset({"opaque", "object", "duration", "timestamp"})


def is_dyn(candidate: Type) -> bool:
    """Tell whether the type is known only at run time."""
    return candidate.kind == "dyn"


def is_error(candidate: Type) -> bool:
    """Tell whether the type is that of a part already found wrong."""
    return candidate.kind == "error"


def never_fit(firsts: Iterable[Type], seconds: Iterable[Type]) -> bool:
    """Tell at a glance that some of the types cannot fit their partners: both are concrete, and of different kinds."""
    for one, other in zip(firsts, seconds, strict=True):
        first, second = one.kind, other.kind
        if first != second and first not in _FLEXIBLE and second not in _FLEXIBLE:
            return True
    return False


class Substitutions:
    """What type parameters are bound to. An attempt that fails leaves nothing behind."""

    __slots__ = ("_bound", "_undo")

    def __init__(self) -> None:
        self._bound: dict[str, Type] = {}
        self._undo: list[tuple[str, Type | None]] = []

    def assign(self, first: Type, second: Type) -> bool:
        """Make two types fit each other if that is possible."""
        return self.assign_all((first,), (second,))

    def assign_all(self, firsts: Iterable[Type], seconds: Iterable[Type]) -> bool:
        """Make each of one list fit its partner in the other, or none."""
        self._undo = []
        if all(map(self._fits, firsts, seconds)):
            return True
        for name, before in reversed(self._undo):
            if before is None:
                del self._bound[name]
            else:
                self._bound[name] = before
        return False

    def _set(self, name: str, bound: Type) -> None:
        self._undo.append((name, self._bound.get(name)))
        self._bound[name] = bound

    def resolve(self, found: Type, *, free_to_dyn: bool = False) -> Type:
        """Replace bound parameters by what they are bound to; free ones stay, or become ``dyn``."""
        if found.kind == "parameter":
            bound = self._bound.get(found.name)
            if bound is not None:
                return self.resolve(bound, free_to_dyn=free_to_dyn)
            return Type("dyn") if free_to_dyn else found
        if not found.parameters:
            return found
        resolved = tuple(self.resolve(inner, free_to_dyn=free_to_dyn) for inner in found.parameters)
        return Type(found.kind, found.name, resolved)

    def more_general(self, first: Type, second: Type) -> Type:
        """Return the one of two fitting types that takes more values."""
        return first if _is_less_specific(first, second) else second

    def _fits(self, first: Type, second: Type) -> bool:
        if second.kind == "parameter":
            fits, was_bound = self._bind(first, second)
            if fits:
                return True
            if was_bound:
                return False
        if first.kind == "parameter":
            return self._bind(second, first)[0]
        if first.kind in ("dyn", "error") or second.kind in ("dyn", "error"):
            return True
        if first.kind == "null_type":
            return second.kind in _NULLABLE or second.kind == "null_type"
        if second.kind == "null_type":
            return first.kind in _NULLABLE
        if first.kind != second.kind:
            return False
        if first.kind == "type":
            return True
        if first.kind in ("opaque", "list", "map"):
            return (
                first.name == second.name
                and len(first.parameters) == len(second.parameters)
                and all(map(self._fits, first.parameters, second.parameters))
            )
        return first == second

    def _bind(self, candidate: Type, free: Type) -> tuple[bool, bool]:
        """Bind a parameter to a type, or widen what it is bound to. Returns whether it fits, and was bound before."""
        if candidate == free:
            return True, True
        bound = self._bound.get(free.name)
        if bound is not None:
            if candidate == bound:
                return True, True
            if not self._fits(candidate, bound):
                return False, True
            wider = self.more_general(candidate, bound)
            if not self._occurs(free, wider):
                self._set(free.name, wider)
            return True, True
        if self._occurs(free, candidate):
            return False, False
        self._set(free.name, candidate)
        return True, False

    def _occurs(self, free: Type, within: Type) -> bool:
        if free == within:
            return True
        if within.kind == "parameter":
            bound = self._bound.get(within.name)
            return bound is not None and self._occurs(free, bound)
        return any(self._occurs(free, inner) for inner in within.parameters)


def _is_less_specific(first: Type, second: Type) -> bool:
    """Tell whether the first type is as general as the second, or more."""
    if first.kind in ("dyn", "parameter"):
        return True
    if second.kind in ("dyn", "parameter") or first.kind != second.kind:
        return False
    if first.kind == "type":
        return True
    if first.kind in ("opaque", "list", "map"):
        return (
            first.name == second.name
            and len(first.parameters) == len(second.parameters)
            and all(map(_is_less_specific, first.parameters, second.parameters))
        )
    return first == second
