"""The variables that expressions may name, with their values.

Which names exist decides whether an expression compiles; what they hold decides what it gives. A ``Scope`` keeps both
together, so that a template is compiled once for each set of names and evaluated with each set of values. Made by the
pipelines; read by ``template``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache


class Scope:
    """Values by variable name. A scope is never changed: ``bind`` makes a new one."""

    __slots__ = ("bindings", "variables")

    def __init__(self, bindings: Mapping[str, object], variables: frozenset[str] | None = None) -> None:
        self.bindings = bindings
        self.variables = _one_set(frozenset(bindings)) if variables is None else variables

    def bind(self, name: str, value: object) -> Scope:
        """Return this scope with one variable more, or with another value for it."""
        bindings = dict(self.bindings)
        bindings[name] = value
        return Scope(bindings, _with(self.variables, name))


@lru_cache(maxsize=1024)
def _one_set(variables: frozenset[str]) -> frozenset[str]:
    # Always the same object for the same names: look-ups by it then compare by identity.
    return variables


@lru_cache(maxsize=1024)
def _with(variables: frozenset[str], name: str) -> frozenset[str]:
    return _one_set(variables | {name})
