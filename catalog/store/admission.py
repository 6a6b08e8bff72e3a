"""Admission: what every document passes before it is stored, on every surface alike.

Order, as in a Kubernetes API server: the outer form (`documents.parse`), names and labels, then for the spec prune
unknown fields, drop nulls, set defaults, validate against the schema, the kind's own rules, and last, if all that is
right, its content: schemas, templates and expressions. All errors that one look can find are returned at once.
`catalog.kinds` says what is right for a kind; this module says how it is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from catalog.compiler.schema import CompiledSchema, compile_schema
from catalog.kinds.base import Document, FieldError, PlatformObject
from portal.wire.kubernetes_names import (
    label_key_problems,
    label_problems,
    label_value_problems,
    subdomain_problems,
)
from portal.wire.nul import places_of_nul

ANNOTATIONS_MAX_BYTES = 256 * 1024  # the limit that Kubernetes sets for all annotations of an object together

SHAPE_REASONS = frozenset({"Required", "TypeInvalid", "TooLong", "TooMany", "NotSupported"})
"""After errors of these classes Kubernetes does not run a kind's rules: they could not rely on the document's shape."""
RULES_NOT_CHECKED = FieldError(
    "<nil>",
    "Invalid",
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation",
)


@cache
def spec_schema_of(model: type[PlatformObject]) -> CompiledSchema:
    """The compiled schema of a kind's spec, made once per process."""
    return compile_schema(model.spec_schema)


def admit(model: type[PlatformObject], old: Document | None, new: Document) -> tuple[Document, list[FieldError]]:
    """Check a document and complete it.

    `old` is the stored document (None on create), `new` the wanted one; both have `metadata` and `spec`. Returns the
    document with its spec pruned and defaulted, and every error found. The inputs are not changed.
    """
    schema = spec_schema_of(model)
    errors = list(check_metadata(model, new["metadata"]))
    spec = schema.default(schema.drop_nulls(schema.prune(new.get("spec") or {})))
    admitted: Document = {**new, "spec": spec}
    model.prepare(old, admitted)
    if model.spec_required and not new.get("spec") and not spec:
        return admitted, [*errors, FieldError("spec", "Required", "Required value")]
    schema_errors = [
        FieldError(error.path, error.reason.removeprefix("FieldValue"), error.message)
        for error in schema.field_errors(admitted["spec"], "spec")
    ]
    errors += schema_errors
    nul = next(places_of_nul(admitted["spec"], "spec"), None)
    if nul is not None:
        errors.append(FieldError(nul, "Invalid", "Invalid value: a string may not contain the NUL character"))
    if not any(error.reason in SHAPE_REASONS for error in errors):
        errors += model.violations(old, admitted)
    elif has_rules(model):
        errors.append(RULES_NOT_CHECKED)
    if not errors:
        errors += model.content_violations(old, admitted)
    return admitted, errors


def has_rules(model: type[PlatformObject]) -> bool:
    """Whether the kind has admission rules beyond its schema."""
    return model.violations.__func__ is not PlatformObject.violations.__func__  # type: ignore[attr-defined]


def check_metadata(model: type[PlatformObject], metadata: Mapping[str, Any]) -> Iterator[FieldError]:
    """Kubernetes' rules for names, labels and annotations."""
    name = metadata["name"]
    if not name:
        yield FieldError("metadata.name", "Required", "Required value: name or generateName is required")
    else:
        rule = label_problems if model.name_is_label else subdomain_problems
        yield from invalid_values("metadata.name", name, rule)
    if model.namespaced:
        yield from invalid_values("metadata.namespace", metadata.get("namespace", ""), label_problems)
    for key, value in (metadata.get("labels") or {}).items():
        yield from invalid_values("metadata.labels", key, label_key_problems)
        yield from invalid_values("metadata.labels", value, label_value_problems)
    size = 0
    for key, value in (metadata.get("annotations") or {}).items():
        yield from invalid_values("metadata.annotations", key.lower(), label_key_problems)
        size += len(key.encode()) + len(value.encode())
        if "\0" in value:
            yield FieldError(
                "metadata.annotations", "Invalid", "Invalid value: a string may not contain the NUL character"
            )
    if size > ANNOTATIONS_MAX_BYTES:
        yield FieldError(
            "metadata.annotations", "TooLong", f"Too long: may not be more than {ANNOTATIONS_MAX_BYTES} bytes"
        )


def invalid_values(path: str, text: str, problems_of: Callable[[str], list[str]]) -> Iterator[FieldError]:
    """An error for every rule that a name, key or value breaks."""
    for problem in problems_of(text):
        yield FieldError(path, "Invalid", f'Invalid value: "{text}": {problem}')
