"""What the kinds' admission rules are made of: the error for a broken rule, and the rule that a field never changes.

They stand for the `x-kubernetes-validations` of the contract's schemas. Paths are written as Kubernetes writes them
(`spec.resources[0]`), and so are the texts: the value is quoted for plain values and left out for objects and lists.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.compiler.schema import FieldError as CompilerFieldError
from catalog.kinds.base import Document, FieldError
from catalog.kinds.schema import same_value


def invalid(path: str, message: str, value: Any = None) -> FieldError:
    """The error for a broken rule about `path`; `value` is quoted if it is a string, number or boolean."""
    quoted = "" if value is None or isinstance(value, dict | list) else f"{json.dumps(value, ensure_ascii=False)}: "
    return FieldError(path, "Invalid", f"Invalid value: {quoted}{message}")


def from_compiler(errors: Iterable[CompilerFieldError]) -> Iterator[FieldError]:
    """The compiler's findings about a document, as admission reports them."""
    for error in errors:
        yield FieldError(error.path, error.reason.removeprefix("FieldValue"), error.message)


def immutable(
    spec_schema: Mapping[str, Any], old: Document | None, new: Document, path: str, message: str
) -> Iterator[FieldError]:
    """The field at the dotted `path` (from `spec`) keeps its value, once it has one.

    Like every rule of Kubernetes that compares with the old value, it holds only where the field is in both the old
    and the new document: a field may be added, and an optional one may be taken away.
    """
    if old is None:
        return
    schema: Mapping[str, Any] = {"properties": {"spec": spec_schema}}
    before, after = old, new
    for name in path.split("."):
        if name not in before or name not in after:
            return
        schema, before, after = schema["properties"][name], before[name], after[name]
    if not same_value(schema, before, after):
        yield invalid(path, message, after)
