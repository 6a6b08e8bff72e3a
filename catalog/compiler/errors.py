"""The errors of the compiler.

Every failure that a user's input can cause is a ``CompilerError``. Its ``error_class`` says which rule was broken, in
the words of the conformance data, so that a caller (a reconciler choosing a condition reason, the conformance runner)
decides on a stable word and never on message text. A subclass fixes its class; a module that needs a finer kind
derives from the nearest one here. Anything else that escapes the compiler is a bug of the compiler.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar


class CompilerError(ValueError):
    """Input that cannot be compiled; ``error_class`` names the broken rule."""

    error_class: ClassVar[str] = "input"


class InputError(CompilerError):
    """The input of a render is incomplete."""

    error_class = "input"


class ScanError(CompilerError):
    """A ``${`` stands unquoted inside another expression."""

    error_class = "scan"


class KeyTemplateError(CompilerError):
    """A map key evaluates to something else than a string."""

    error_class = "key"


class ResultTypeError(CompilerError):
    """A condition, loop, rule, ready expression or manifest has the wrong type."""

    error_class = "type"


class StructureError(CompilerError):
    """A rendered resource lacks apiVersion, kind, metadata or metadata.name."""

    error_class = "structure"


class SchemaError(CompilerError):
    """A schema cannot be converted, or parameters or environmentConfigs break it."""

    error_class = "schema"


class InvalidValuesError(CompilerError):
    """Values break their schema; ``reasons`` holds every single reason, sorted."""

    error_class = "invalid"

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons: tuple[str, ...] = tuple(reasons)


class ReferenceResolutionError(CompilerError):
    """A ``$ref`` cannot be resolved."""

    error_class = "ref"


class PreRenderError(CompilerError):
    """Validation rules that run before rendering fail."""

    error_class = "pre-render"


class PostRenderError(CompilerError):
    """Validation rules that run on rendered resources fail."""

    error_class = "post-render"


class TraitMissingError(CompilerError):
    """A trait is used whose definition is not given."""

    error_class = "trait-missing"


class TraitPatchError(CompilerError):
    """A trait's patch cannot be applied to a rendered resource."""

    error_class = "patch"


class PatchError(CompilerError):
    """A patch operation does not fit the document it is applied to."""

    error_class = "path"


class PatchOperationError(PatchError):
    """A patch names an operation that does not exist."""

    error_class = "operation"


class PatchNoMatchError(PatchError):
    """A filter or wildcard of a patch path matches nothing."""

    error_class = "no-match"


class OutputError(CompilerError):
    """One or more outputs of a resource do not resolve."""

    error_class = "output"


class YamlError(CompilerError):
    """A YAML document cannot be read; says the file, line and column (both from 1), and why."""

    error_class = "yaml"

    def __init__(self, name: str, line: int, column: int, reason: str) -> None:
        super().__init__(f"{name}:{line}:{column}: {reason}")
        self.name = name
        self.line = line
        self.column = column
        self.reason = reason
