"""The SecretReferences that a release in an environment takes values from, and whether they hold the keys it wants.

A value that the binding overrides is no longer asked for. Called by the ReleaseBinding controller before rendering.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from django.db.models import Q

from catalog.compiler.component.workload import secret_key_references, with_overrides
from catalog.compiler.documents import Document, items, section
from catalog.controllers.registry import Watch
from catalog.kinds.release_binding import ReleaseBinding
from catalog.kinds.secret_reference import SecretReference
from catalog.store.changes import Change
from catalog.store.references import referrers as references_to

FindSpecs = Callable[[str, set[str]], dict[str, Document]]


class SecretMissing(LookupError):
    """A SecretReference or one of its keys is not there. The text is for conditions."""


def secret_names(workload: Document, overrides: Document | None) -> list[str]:
    """The SecretReferences that the workload's spec names under the binding's overrides, each once."""
    wanted = secret_key_references(with_overrides(workload, overrides))
    return list(dict.fromkeys(reference["name"] for reference in wanted if reference.get("name")))


def secret_references(
    namespace: str, workload: Document, overrides: Document | None, find: FindSpecs | None = None
) -> dict[str, Document]:
    """The SecretReferences by name, as documents `{spec}`. At most one query. Raises `SecretMissing`.

    `find` stands in for `specs_of`, for previews.
    """
    wanted = list(wanted_keys(workload, overrides))
    if not wanted:
        return {}
    names = {reference["name"] for reference in wanted}
    specs = (find or specs_of)(namespace, names)
    found = {name: {"metadata": {"name": name}, "spec": spec} for name, spec in specs.items()}
    for reference in wanted:
        check_key(reference, found)
    return found


def specs_of(namespace: str, names: set[str]) -> dict[str, Document]:
    """The specs of those SecretReferences that exist, by name."""
    return dict(
        SecretReference.objects.system("reconcile")
        .filter(namespace_id=namespace, name__in=names)
        .values_list("name", "spec")
    )


def wanted_keys(workload: Document, overrides: Document | None) -> Iterator[Document]:
    """Each `{name, key}` in the order in which they are checked: those of the overrides, then what they leave over."""
    container = section(overrides, "container")
    overridden = {field: {entry.get("key") for entry in items(container, field)} for field in ("env", "files")}
    left_over = {
        field: [entry for entry in items(section(workload, "container"), field) if entry.get("key") not in keys]
        for field, keys in overridden.items()
    }
    for source in (container, left_over):
        for reference in secret_key_references({"container": source}):
            if reference.get("name"):
                yield reference


def check_key(reference: Document, found: Mapping[str, Document]) -> None:
    """The SecretReference exists and has the key."""
    name, key = reference["name"], reference.get("key")
    if name not in found:
        raise SecretMissing(
            f'failed to get SecretReference "{name}": secretreferences.openchoreo.dev "{name}" not found'
        )
    available = [row["secretKey"] for row in items(found[name]["spec"], "data")]
    if key not in available:
        raise SecretMissing(
            f'key "{key}" not found in SecretReference "{name}"; available keys: [{" ".join(available)}]'
        )


def bindings_with_secret() -> Watch:
    """A SecretReference concerns the bindings that override with it and those whose release takes values from it."""

    def mapping(change: Change, watcher: str) -> Iterable[int]:
        users = references_to("SecretReference", change.obj.namespace_name, change.obj.name)
        concerned = Q(pk__in=users.filter(source_kind="ReleaseBinding").values("source_id"))
        concerned |= Q(component_release_id__in=users.filter(source_kind="ComponentRelease").values("source_id"))
        return ReleaseBinding.objects.system("reconcile").filter(concerned).values_list("id", flat=True)

    return Watch("SecretReference", mapping, frozenset({"created", "changed", "deleted"}))
