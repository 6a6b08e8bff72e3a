"""Explaining what a binding renders: which object, which field, and where its value comes from.

Called by `manage.py explain` and by the REST endpoint; the explaining itself is the compiler's
(`catalog.compiler.explain`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.compiler.documents import Document, name_of, namespace_of
from catalog.compiler.errors import CompilerError
from catalog.compiler.explain import (
    ExplainedObject,
    FieldPath,
    Input,
    Origin,
    explain_component,
    inputs_of,
    path_text,
)
from catalog.compiler.explain.origin import Place
from catalog.compiler.rendered import component_entries
from catalog.controllers.binding_sync import NotSynced
from catalog.controllers.component_manifests import input_of_binding
from catalog.controllers.secret_references import SecretMissing
from catalog.kinds.release_binding import ReleaseBinding


class NotExplained(LookupError):
    """Why there is nothing to explain, for the person who asked."""


@dataclass(frozen=True)
class Explanation:
    """All objects of a binding, explained, each with the id that it has in its RenderedRelease."""

    binding: ReleaseBinding
    render_input: Document
    objects: list[tuple[str, ExplainedObject]]


def binding_of(namespace: str, component: str, environment: str) -> ReleaseBinding:
    """The component's binding in the environment. Raises `NotExplained`."""
    rows = ReleaseBinding.objects.system("of a permitted object").filter(
        namespace_id=namespace, component__name=component
    )
    bindings = list(rows.order_by("name"))
    for binding in bindings:
        if binding.spec["environment"] == environment:
            return binding
    known = ", ".join(binding.spec["environment"] for binding in bindings)
    hint = f"it is deployed to: {known}" if known else "it is not deployed anywhere"
    raise NotExplained(f'component "{component}" has no binding in environment "{environment}"; {hint}')


def explain_binding(binding: ReleaseBinding) -> Explanation:
    """Render the binding's release as its controller would now, explained. Raises `NotExplained` if it cannot be."""
    try:
        render_input = input_of_binding(binding)
        explained = explain_component(render_input)
    except NotSynced as problem:
        raise NotExplained(problem.message) from None
    except (SecretMissing, CompilerError) as problem:
        raise NotExplained(f"the release cannot be rendered: {problem}") from None
    objects = [
        (entry["id"], item)
        for plane in dict.fromkeys(item.plane for item in explained)
        for on_plane in [[item for item in explained if item.plane == plane]]
        for entry, item in zip(component_entries(found.object for found in on_plane), on_plane, strict=True)
    ]
    return Explanation(binding, render_input, objects)


def select_object(explanation: Explanation, wanted: str) -> ExplainedObject:
    """The object that `Kind/name`, `Kind`, or an id of the rendered release or of the type's template means.

    Raises `NotExplained` when none or several are meant.
    """
    found = [item for identity, item in explanation.objects if wanted in names_of(identity, item)]
    if not found:
        kind, _, name = wanted.lower().partition("/")
        found = [
            item
            for _, item in explanation.objects
            if item.object["kind"].lower() == kind and name in ("", name_of(item.object))
        ]
    if len(found) == 1:
        return found[0]
    known = "\n  ".join(title(item) for item in found or [item for _, item in explanation.objects])
    problem = f'several objects are called "{wanted}"' if found else f'no object is called "{wanted}"'
    raise NotExplained(f"{problem}; there are:\n  {known}")


def names_of(identity: str, item: ExplainedObject) -> set[str]:
    """The ids that mean an object: its own, and that of the template that has made it."""
    step = item.tree.origin.step
    return {identity, step.resource} if step.kind == "template" else {identity}


def title(item: ExplainedObject) -> str:
    return f"{item.object['kind']}/{name_of(item.object)}"


def select_fields(item: ExplainedObject, wanted: str) -> list[FieldPath]:
    """The leaves at or below a field written with dots (`spec.template.spec.containers[0].image`).

    Brackets hold an index, the name of a list's item, or a key with dots; such a key may also stand without. Raises
    `NotExplained` if there is no such field.
    """
    if not wanted:
        return list(item.origins)
    place = find_field(item.object, wanted.lstrip("."))
    if place is None:
        raise NotExplained(f"{title(item)} has no field {wanted}")
    return [path for path in item.origins if path[: len(place)] == place]


def find_field(value: Any, wanted: str) -> FieldPath | None:
    """The path in a value that a text means, None if there is none."""
    if not wanted:
        return ()
    for key, rest in steps_of(value, wanted):
        found = find_field(value[key], rest)
        if found is not None:
            return (key, *found)
    return None


def steps_of(value: Any, wanted: str) -> Iterator[tuple[Any, str]]:
    """Each key or index that the text may begin with, the longest first, and what is left of the text."""
    if isinstance(value, dict):
        candidates = [(key, f"{form}{key}{end}") for key in value for form, end in (("", ""), ("[", "]"))]
    elif isinstance(value, list):
        named = [(index, item["name"]) for index, item in enumerate(value) if isinstance(item, dict) and "name" in item]
        numbered = [(index, str(index)) for index in range(len(value))]
        candidates = [(index, f"{a}{word}{b}") for index, word in named + numbered for a, b in (("[", "]"), ("", ""))]
    else:
        candidates = []
    for key, text_ in sorted(candidates, key=lambda item: -len(item[1])):
        rest = wanted.removeprefix(text_)
        if rest != wanted and (not rest or rest[0] in ".["):
            yield key, rest.removeprefix(".")


def explanation_document(explanation: Explanation, item: ExplainedObject, fields: Sequence[FieldPath]) -> Document:
    """The explanation of some leaves of an object as JSON."""
    spec = explanation.binding.spec
    return {
        "component": spec["owner"]["componentName"],
        "environment": spec["environment"],
        "release": spec.get("releaseName", ""),
        "object": object_document(item),
        "fields": [field_document(explanation, item, path) for path in fields],
    }


def object_document(item: ExplainedObject) -> Document:
    return {
        "apiVersion": item.object["apiVersion"],
        "kind": item.object["kind"],
        "namespace": namespace_of(item.object),
        "name": name_of(item.object),
        "targetPlane": item.plane,
    }


def field_document(explanation: Explanation, item: ExplainedObject, path: FieldPath) -> Document:
    """One leaf: its value, and its origins, the first one first; the last one gave the value."""
    value: Any = item.object
    for step in path:
        value = value[step]
    origins = item.origins[path].history
    return {
        "field": path_text(path),
        "value": value,
        "origins": [origin_document(origin, inputs_of(origin, explanation.render_input)) for origin in origins],
    }


def origin_document(origin: Origin, inputs: Iterable[Input]) -> Document:
    """One origin: who, where, the template as written, and what went into it."""
    step = origin.step
    found: Document = {"by": step.kind}
    if step.frame is not None and step.frame.trait is not None:
        use = step.frame.trait
        found["trait"] = {"kind": use.kind, "name": use.name, "instance": use.instance, "embedded": use.is_embedded}
    if step.resource:
        found["resource"] = step.resource
    if step.operation:
        found["operation"] = step.operation
    if step.place is not None:
        found |= {**place_document(step.place), "template": step.text}
    if origin.within:
        found["within"] = path_text(origin.within)
    if shown := [input_document(item) for item in inputs]:
        found["inputs"] = shown
    return found


def input_document(item: Input) -> Document:
    found: Document = {"name": item.name, "value": item.value, "source": item.source}
    if item.place is not None:
        found |= place_document(item.place)
    if item.text:
        found["template"] = item.text
    if item.inputs:
        found["inputs"] = [input_document(inner) for inner in item.inputs]
    return found


def place_document(place: Place) -> Document:
    return {"document": {"kind": place.kind, "name": place.name}, "path": path_text(place.path)}
