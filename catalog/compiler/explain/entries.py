"""Variables, files and dependencies of a workload: which entry of a document a list's item comes from. For ``inputs``.

What expressions see are lists made of the workload's entries. An entry is known by its name, here and there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from catalog.compiler.component.input import RenderInput
from catalog.compiler.documents import Document, items, name_of, section, spec_of, text
from catalog.compiler.explain.input import Input
from catalog.compiler.explain.origin import FieldPath, Place


def configuration_entries(value: object, asked: FieldPath, given: RenderInput) -> tuple[Input, ...]:
    """Return an input for each environment variable and file that a value shows: from the workload, or overridden.

    ``asked``: names on the way to the leaf that is asked for; if one is that of an entry, only that entry is returned.
    """
    workload = Place("Workload", text(given.metadata, "componentName"), ("spec", "container"))
    binding = Place("ReleaseBinding", name_of(given.binding), ("spec", "workloadOverrides", "container"))
    overrides = section(section(spec_of(given.binding), "workloadOverrides"), "container")
    found: dict[tuple[str, str], Input] = {}
    # Overrides come second and win.
    for container, place, source in (
        (section(spec_of(given.workload), "container"), workload, "workload"),
        (overrides, binding, "binding-override"),
    ):
        for field in ("env", "files"):
            for index, entry in enumerate(items(container, field)):
                seen = entry.get("value") if entry.get("value") is not None else entry.get("valueFrom")
                key = text(entry, "key")
                found[field, key] = Input(key, seen, source, place.below(field, index))  # type: ignore[arg-type]
    return _asked_for(found.values(), value, asked)


def dependency_entries(value: object, asked: FieldPath, given: RenderInput) -> tuple[Input, ...]:
    """Return an input for each variable that a value shows and that an endpoint or a resource gives."""
    place = Place("Workload", text(given.metadata, "componentName"), ("spec", "dependencies"))
    found: list[Input] = []
    for field, provided in (("endpoints", given.endpoint_items), ("resources", given.resource_items)):
        declared = items(section(spec_of(given.workload), "dependencies"), field)
        for item in provided:
            index = next((index for index, entry in enumerate(declared) if _is_for(entry, item)), None)
            at = place.below(field) if index is None else place.below(field, index)
            for variable in items(item, "envVars"):
                content = variable.get("value", variable.get("valueFrom", ""))
                found.append(Input(text(variable, "name"), content, "dependency", at))
            for mount in items(item, "volumeMounts"):
                found.append(Input(text(mount, "name"), text(mount, "mountPath"), "dependency", at))
    return _asked_for(found, value, asked)


def _is_for(declared: Document, item: Document) -> bool:
    if "ref" in item:
        return text(declared, "ref") == text(item, "ref")
    fields = (("component", "component"), ("name", "endpoint"), ("visibility", "visibility"))
    return all(text(declared, here) == text(item, there) for here, there in fields)


def _asked_for(entries: Iterable[Input], value: object, asked: FieldPath) -> tuple[Input, ...]:
    """The entries that a value names; if some of them are asked for, only those."""
    names = set(_names(value))
    shown = [entry for entry in entries if entry.name in names]
    narrowed = [entry for entry in shown if entry.name in asked]
    return tuple(narrowed or shown)


def _names(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("name"), str):
            yield value["name"]
        for entry in value.values():
            yield from _names(entry)
    elif isinstance(value, list):
        for item in value:
            yield from _names(item)
