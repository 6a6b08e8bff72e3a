"""Refusals by the store as the contract words them."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.api.collection import Collection
from catalog.kinds.base import FieldError
from catalog.store.errors import AlreadyExists, Invalid, Malformed, NotFound, StoreError, Terminating
from portal.wire.responses import Refusal


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
    return Refusal(collection.invalid_status, "; ".join(str(error) for error in errors))
