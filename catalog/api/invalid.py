"""Refusals by the store as the contract words them."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.api.collection import Collection
from catalog.kinds.base import FieldError
from catalog.store.errors import AlreadyExists, Invalid, Malformed, NotFound, StoreError, Terminating
from portal.wire.responses import Refusal

RULES_NOT_CHECKED = FieldError(
    "<nil>",
    "Invalid",
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation",
)
# Errors of these sorts keep Kubernetes from evaluating a kind's rules, and it says so.
BLOCKING = frozenset({"Required", "NotSupported", "TooLong", "TooMany", "TypeInvalid"})
KINDS_WITHOUT_RULES = frozenset(
    {
        "Namespace",
        "AuthzRole",
        "ClusterAuthzRole",
        "ClusterObservabilityPlane",
        "DataPlane",
        "DeploymentPipeline",
        "ObservabilityPlane",
        "SecretReference",
        "WorkflowPlane",
    }
)


def refusal_of(error: StoreError, collection: Collection) -> Refusal:
    """The reply for a refusal by the store."""
    match error:
        case Invalid():
            return invalid(collection, error.errors)
        case AlreadyExists():
            return Refusal(409, collection.already_exists)
        case NotFound(kind=kind):
            return Refusal(404, collection.not_found if kind == collection.kind else f"{kind} not found")
        case Terminating():
            return Refusal(409, str(error))
        case Malformed():
            return Refusal(400, str(error))
    return Refusal(400, str(error))


def invalid(collection: Collection, errors: Iterable[FieldError]) -> Refusal:
    """The reply for a document that breaks its schema or rules: every cause, in one text."""
    causes = list(errors)
    if collection.kind not in KINDS_WITHOUT_RULES and any(is_blocking(cause) for cause in causes):
        causes.append(RULES_NOT_CHECKED)
    return Refusal(collection.invalid_status, "; ".join(str(cause) for cause in causes))


def is_blocking(cause: FieldError) -> bool:
    """Whether an error keeps the kind's rules from being looked at; the schema's errors bear long names."""
    return cause.reason.removeprefix("FieldValue") in BLOCKING
