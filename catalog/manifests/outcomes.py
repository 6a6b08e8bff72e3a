"""What became of one document of many: the unit in which applying, deleting and comparing report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from catalog.compiler.errors import CompilerError
from catalog.kinds.base import API_GROUP
from catalog.kinds.registry import UnknownKind
from catalog.manifests.conditions import ANNOTATION
from catalog.manifests.reading import Entry
from catalog.store.admission import RULES_NOT_CHECKED
from catalog.store.errors import Invalid, Malformed, NotFound, Outdated, StoreError

FOREIGN_KIND = "not a kind of this platform"
WORKLOAD_DESCRIPTOR = "a workload descriptor, from which a build makes a Workload; it is not applied itself"
CONDITION_PATH = f"metadata.annotations[{ANNOTATION}]"
DESCRIPTOR_FIELDS = frozenset({"endpoints", "configurations", "dependencies"})

Result = Literal["created", "changed", "unchanged", "deleted", "deleting", "skipped", "failed", "undone"]
"""`undone` is what would have been stored, had another document of the same transaction not failed."""


@dataclass(frozen=True)
class Problem:
    """One reason why a document was refused: where, if a field is to blame, and what to read."""

    message: str
    path: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


@dataclass(frozen=True)
class DocumentOutcome:
    """What became of one document. `problems` say why it was skipped or failed."""

    entry: Entry
    result: Result
    kind: str = ""
    namespace: str = ""
    name: str = ""
    problems: tuple[Problem, ...] = field(default=())
    version: str = ""
    """Of the object as it is stored now: its ETag without the quotes."""
    is_outdated: bool = False
    """Whether it failed only because the object is another version than the document was made for."""

    @property
    def subject(self) -> str:
        """The object in words: `Component acme/web`."""
        where = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind or 'document'} {where}{self.name}".strip()


def identity(value: Any, default_namespace: str) -> tuple[str, str, str]:
    """Kind, namespace and name of a document as far as it has them; "" for what it has not."""
    if not isinstance(value, dict):
        return "", "", ""
    metadata = value.get("metadata") if isinstance(value.get("metadata"), dict) else {}
    kind, name, namespace = value.get("kind"), metadata.get("name"), metadata.get("namespace")
    texts = [item if isinstance(item, str) else "" for item in (kind, namespace, name)]
    return texts[0], texts[1] or default_namespace, texts[2]


def refused(entry: Entry, error: Exception, default_namespace: str) -> DocumentOutcome:
    """The outcome for an error: skipped for what is not meant to be applied, failed for everything else."""
    kind, namespace, name = identity(entry.value, default_namespace)
    if is_workload_descriptor(entry.value):
        problem = Problem(WORKLOAD_DESCRIPTOR, "", entry.line_of())
        return DocumentOutcome(entry, "skipped", "WorkloadDescriptor", namespace, name, (problem,))
    result: Result = "skipped" if is_foreign(entry.value, error) else "failed"
    problems, is_outdated = problems_of(entry, error), isinstance(error, Outdated)
    return DocumentOutcome(entry, result, kind, namespace, name, problems, is_outdated=is_outdated)


def is_foreign(value: Any, error: Exception) -> bool:
    """Whether a document belongs to another API group: a Secret, an Argo template. A misspelt kind of ours does not."""
    if not isinstance(error, UnknownKind) or not isinstance(value, dict):
        return False
    return str(value.get("apiVersion", "")).partition("/")[0] != API_GROUP


def is_workload_descriptor(value: Any) -> bool:
    """Whether a document is the `workload.yaml` of a source repository: of our API group, with content but no kind."""
    return (
        isinstance(value, dict)
        and "kind" not in value
        and str(value.get("apiVersion", "")).partition("/")[0] == API_GROUP
        and bool(DESCRIPTOR_FIELDS & value.keys())
    )


def problems_of(entry: Entry, error: Exception) -> tuple[Problem, ...]:
    """The reasons of an error, each with its line."""
    match error:
        case Invalid(errors=errors):
            # The notice about rules blames no field, and never comes alone.
            blamed = [item for item in errors if item is not RULES_NOT_CHECKED]
            return tuple(Problem(item.message, item.path, entry.line_of(item.path)) for item in blamed)
        case Malformed():
            path, colon, message = str(error).partition(": ")
            if colon and " " not in path:
                return (Problem(message, path, entry.line_of(path)),)
        case UnknownKind():
            text = FOREIGN_KIND if is_foreign(entry.value, error) else str(error)
            return (Problem(text, "", entry.line_of("kind")),)
        case NotFound(kind="Namespace", name=name):
            return (Problem(f"namespace {name!r} does not exist", "", entry.line_of("metadata.namespace")),)
        case Outdated():
            return (Problem(str(error), CONDITION_PATH, entry.line_of("metadata.annotations")),)
    return (Problem(str(error), "", entry.line_of()),)


REFUSALS = (StoreError, UnknownKind, CompilerError)
"""What a document can be refused with; anything else is a defect of ours."""
