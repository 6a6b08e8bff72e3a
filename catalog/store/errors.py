"""Why the store refused. Surfaces map these to exit codes, HTTP statuses and form errors; the texts are for users."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.kinds.base import FieldError


class StoreError(Exception):
    """Base of all refusals."""


class Malformed(StoreError):
    """The document has not the form of an object at all: no kind, no name, metadata of the wrong type."""


class Invalid(StoreError):
    """The document breaks its kind's schema or rules. `errors` holds every field error, not only the first."""

    def __init__(self, kind: str, name: str, errors: Sequence[FieldError]) -> None:
        self.kind = kind
        self.name = name
        self.errors = tuple(errors)
        super().__init__(f"{kind} {name!r} is invalid: " + "; ".join(str(error) for error in self.errors))


class NotFound(StoreError):
    """No such object."""

    def __init__(self, kind: str, namespace: str, name: str) -> None:
        self.kind, self.namespace, self.name = kind, namespace, name
        where = f" in namespace {namespace!r}" if namespace else ""
        super().__init__(f"{kind} {name!r} not found{where}")


class AlreadyExists(StoreError):
    """An object of that kind and name is there already."""

    def __init__(self, kind: str, namespace: str, name: str) -> None:
        self.kind, self.namespace, self.name = kind, namespace, name
        where = f" in namespace {namespace!r}" if namespace else ""
        super().__init__(f"{kind} {name!r} already exists{where}")


class Terminating(StoreError):
    """The object, or its namespace, is being deleted and takes no new content."""


class Outdated(StoreError):
    """The object is not the version that its author has seen."""


class Gone(StoreError):
    """The position asked for is older than the log reaches: list everything anew and watch from there."""
