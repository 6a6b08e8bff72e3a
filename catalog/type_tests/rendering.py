"""One case rendered, by the pipeline of its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from catalog.compiler import project, resource, workflow
from catalog.compiler.admission.schemas import parameter_errors
from catalog.compiler.component import pipeline as component
from catalog.compiler.component.targets import DATA_PLANE
from catalog.compiler.documents import Document
from catalog.compiler.errors import CompilerError, InputError, SchemaError
from catalog.compiler.explain import find_fault, path_text
from catalog.compiler.schema import compile_schema
from catalog.type_tests.definitions import Definition, Definitions
from catalog.type_tests.given import Given, component_input, project_input, resource_input, workflow_input

PLANE, ID = "$plane", "$id"
"""Keys that results and expectations have beside an object's own: the plane, if not the data plane, and the id."""


@dataclass(frozen=True)
class Rendered:
    """What a case has given: objects (with ``$plane`` and ``$id`` where they have one), or an error.

    ``find_fault`` looks for the place of the error; it renders once more, so it is called only to tell a person.
    """

    objects: list[Document] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    ready: dict[str, bool] = field(default_factory=dict)
    error: CompilerError | None = None
    find_fault: Callable[[], str] = str


def render(given: Given, target: Definition, definitions: Definitions) -> Rendered:
    """Render a case. What fails is part of the result; nothing is raised for it."""
    try:
        return _PIPELINES[target.kind.removeprefix("Cluster")](given, target, definitions)
    except CompilerError as error:
        return Rendered(error=error)


def _component(given: Given, target: Definition, definitions: Definitions) -> Rendered:
    render_input = component_input(given, target, definitions)
    _check_allowed(given, target)
    _check_component_parameters(render_input)
    try:
        output = component.render(render_input)
    except CompilerError as error:
        return Rendered(error=error, find_fault=partial(_fault, render_input))
    marks: list[Document] = [{} if plane == DATA_PLANE else {PLANE: plane} for _, plane in output.resources]
    return Rendered([{**mark, **rendered} for mark, (rendered, _) in zip(marks, output.resources, strict=True)])


def _fault(render_input: Document) -> str:
    place = find_fault(render_input)
    return f"{place.kind} {place.name}: {path_text(place.path)}" if place is not None else ""


def _check_allowed(given: Given, target: Definition) -> None:
    """A component may use only the traits that its type allows; its controller sees to that."""
    if not target.kind.endswith("ComponentType"):
        return
    allowed = {(trait["kind"], trait["name"]) for trait in target.spec.get("allowedTraits") or ()}
    for use in given.get("traits") or ():
        kinds = {use["kind"]} if "kind" in use else {"Trait", "ClusterTrait"}
        if not any((kind, use["name"]) in allowed for kind in kinds):
            raise InputError(f'the type does not allow the trait "{use["name"]}": it is not in spec.allowedTraits')


def _check_component_parameters(render_input: Document) -> None:
    """A release is made only of parameters that fit their schemas without defaults; so says its admission."""
    component_type, component_spec = render_input["ComponentType"], render_input["Component"]["spec"]
    _check_parameters(component_type, component_spec["parameters"])
    definitions = {(trait["kind"], trait["metadata"]["name"]): trait for trait in render_input["Traits"]}
    for use in component_spec["traits"]:
        _check_parameters(definitions[use["kind"], use["name"]], use.get("parameters"))


def _check_parameters(definition: Document, values: Any) -> None:
    owner = f"{definition['kind']} {definition['metadata']['name']}"
    errors = parameter_errors(definition["spec"].get("parameters"), values, "parameters", owner)
    if found := list(map(str, errors)):
        raise SchemaError("; ".join(found))


def _check_fit(given: Given, target: Definition) -> None:
    """Values, and the defaults that complete them, fit their schemas.

    The renders of these kinds do not look. But a test whose values no form would let through tests nothing, and a
    schema that refuses its own defaults is wrong.
    """
    for name in ("parameters", "environmentConfigs"):
        schema = (target.spec.get(name) or {}).get("openAPIV3Schema")
        if schema is None:
            continue
        compiled = compile_schema(schema)
        if reasons := compiled.validate(compiled.default(given.get(name) or {})):
            raise SchemaError(f"{name} do not fit their schema: {'; '.join(reasons)}")


def _project(given: Given, target: Definition, definitions: Definitions) -> Rendered:
    _check_fit(given, target)
    render_input = project_input(given, target)
    objects = [{ID: entry.id, **entry.object} for entry in project.render(render_input)]
    namespace = render_input["Metadata"]["namespace"]
    if not any(_is_namespace(rendered, namespace) for rendered in objects):
        raise InputError(f'the type renders no Namespace "{namespace}", so nothing of the project would be delivered')
    return Rendered(objects)


def _is_namespace(rendered: Document, name: str) -> bool:
    identity = rendered.get("apiVersion"), rendered.get("kind"), rendered["metadata"].get("name")
    return identity == ("v1", "Namespace", name)


def _resource(given: Given, target: Definition, definitions: Definitions) -> Rendered:
    render_input = resource_input(given, target)
    _check_parameters(target.document, given.get("parameters"))
    _check_fit(given, target)
    observed: Mapping[str, Document] = given.get("observed") or {}
    entries = resource.render(render_input)
    try:
        outputs = resource.outputs(render_input, observed)
    except resource.OutputsNotResolvedError as error:
        outputs = error.resolved
    ready = {}
    for declared in target.spec["resources"]:
        if expression := declared.get("readyWhen"):
            try:
                ready[declared["id"]] = resource.ready_when(render_input, observed, expression)
            except CompilerError:
                ready[declared["id"]] = False  # as its controller takes it: not ready, until it can be told
    return Rendered(
        [{ID: entry.id, **entry.object} for entry in entries],
        {output["name"]: output.get("value", output) for output in map(_shown, outputs)},
        ready,
    )


def _shown(output: Document) -> Document:
    """An output without what it has not."""
    return {key: value for key, value in output.items() if value is not None}


def _workflow(given: Given, target: Definition, definitions: Definitions) -> Rendered:
    _check_fit(given, target)
    render_input = workflow_input(given, target)
    names = workflow.external_reference_names(render_input)
    output = workflow.render(render_input, text_arguments=True)
    needed = [{ID: entry.id, **entry.object} for entry in output.resources]
    return Rendered(
        [{ID: "run", **output.resource}, *needed], {f"externalRefs.{key}": name for key, name in names.items()}
    )


_PIPELINES = {
    "ComponentType": _component,
    "Trait": _component,
    "ProjectType": _project,
    "ResourceType": _resource,
    "Workflow": _workflow,
}
