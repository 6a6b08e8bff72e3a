"""The structure of manifest templates: kind, name, namespace, and how many workloads a component may have.

Whoever reads a type must see which kinds it makes, so a kind is never an expression; the namespace belongs to the
platform. Called by the checks of component types, traits and workflows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from catalog.compiler.documents import Document
from catalog.compiler.messages import quote
from catalog.compiler.schema.field_errors import FieldError, duplicate, forbidden, invalid, required
from catalog.compiler.template_scan import GO_SPACE

WORKLOAD_KINDS: Final = frozenset({"deployment", "statefulset", "daemonset", "cronjob", "job"})
WORKLOAD_GROUPS: Final = ("apps", "batch")
NAMESPACE: Final = "${metadata.namespace}"


class Structure(NamedTuple):
    """What a template says about itself. ``kind`` is empty when it cannot be read."""

    kind: str
    errors: list[FieldError]


def read_structure(template: object, path: str) -> Structure:
    """Read a manifest template and say what its structure lacks."""
    if (fault := _unreadable(template)) is not None:
        return Structure("", [invalid(path, "<invalid>", f"failed to parse template: {fault}")])
    assert isinstance(template, dict)  # noqa: S101  (else it were unreadable)
    errors: list[FieldError] = []
    if not template.get("apiVersion"):
        errors.append(required(f"{path}.apiVersion", "apiVersion is required in resource template"))
    kind = template.get("kind") or ""
    if not kind:
        errors.append(required(f"{path}.kind", "kind is required in resource template"))
    elif "${" in kind:
        errors.append(forbidden(f"{path}.kind", "kind must be a literal value, not a template expression"))
    metadata = template.get("metadata") or {}
    if metadata.get("name") in (None, ""):
        errors.append(required(f"{path}.metadata.name", "metadata.name is required in resource template"))
    namespace = metadata.get("namespace")
    if namespace is not None and not _is_the_platforms(namespace):
        detail = f"if metadata.namespace is specified, it must be {quote(NAMESPACE)}"
        errors.append(invalid(f"{path}.metadata.namespace", namespace, detail))
    return Structure(kind, errors)


def workload_errors(workload_type: str, resources: Sequence[Document], path: str) -> Iterator[FieldError]:
    """Check the templates of a component type: one workload, of the declared kind; a proxy has none."""
    workloads: list[str] = []
    for index, resource in enumerate(resources):
        where = f"{path}[{index}].template"
        kind, errors = read_structure(resource.get("template"), where)
        yield from errors
        if workload_type == "proxy":
            if is_workload(kind):
                detail = f"proxy ComponentType must not contain workload resources (kind {quote(kind)})"
                yield forbidden(f"{where}.kind", detail)
        elif kind.lower() == workload_type.lower():
            workloads.append(f"{where}.kind")
        elif is_workload(kind):
            yield forbidden(
                f"{where}.kind",
                f"resource kind {quote(kind)} is a workload type that does not match the declared workloadType "
                f"{quote(workload_type)}; only one workload resource is allowed",
            )
    if workload_type == "proxy" or len(workloads) == 1:
        return
    wanted = f"must have exactly one resource with kind matching workloadType {quote(workload_type)}"
    if not workloads:
        yield required(path, wanted)
        return
    for where in workloads:
        yield duplicate(where, workload_type)
    yield invalid(path, f"{len(workloads)} resources", f"{wanted}, found {len(workloads)}")


def is_workload(kind: str) -> bool:
    """Whether a kind, in whatever case, is one of those that run containers."""
    return kind.lower() in WORKLOAD_KINDS


def _unreadable(template: object) -> str | None:
    """Say why a template is none, whatever its expressions may give."""
    if not isinstance(template, dict):
        return "it must be an object"
    for field in ("apiVersion", "kind"):
        if not isinstance(template.get(field), str | None):
            return f"{field} must be a string"
    if not isinstance(template.get("metadata"), dict | None):
        return "metadata must be an object"
    return None


def _is_the_platforms(namespace: object) -> bool:
    if not isinstance(namespace, str):
        return False
    trimmed = namespace.strip(GO_SPACE)
    return trimmed.startswith("${") and trimmed.endswith("}") and trimmed[2:-1].strip(GO_SPACE) == "metadata.namespace"
