"""The two ways in which an expression can fail."""

from __future__ import annotations

from catalog.compiler.errors import CompilerError


class CelError(CompilerError):
    """An expression that gives no value."""


class CelCompileError(CelError):
    """The expression does not parse or does not type-check. The message names line, column and source."""

    error_class = "compile"


class CelEvaluationError(CelError):
    """The expression is sound, but fails with these inputs. The message is the bare reason (``no such key: x``)."""

    error_class = "evaluate"
