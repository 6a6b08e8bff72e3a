"""Rendering a workflow run: the object that runs it, and the objects it needs beside it.

Differs from the other pipelines on purpose: defaults of a schema are integers here while values of the user are
doubles, and lists and maps go to the run as JSON text. Called by the workflow-run controller.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from catalog.compiler.cel.values import StringList, from_json
from catalog.compiler.control_flow import condition_of, is_true
from catalog.compiler.documents import Document, content_of, items, section, spec_of, text
from catalog.compiler.errors import CompilerError, InputError, ResultTypeError, StructureError
from catalog.compiler.gotext import json_text, value_text
from catalog.compiler.manifest import missing_field, to_json
from catalog.compiler.messages import explained, quote, type_name
from catalog.compiler.parameters import ParameterSection
from catalog.compiler.project import Entry
from catalog.compiler.render_limit import limited
from catalog.compiler.scope import Scope
from catalog.compiler.template import TemplateSource


class WorkflowOutput(NamedTuple):
    """``resource``: the run itself; ``resources``: what it needs, by template id. Plain JSON values."""

    resource: Document
    resources: list[Entry]


def run_namespace(namespace: str) -> str:
    """Return the namespace on the workflow plane for runs of a control-plane namespace."""
    return f"workflows-{namespace}"


@limited
def render(render_input: Mapping[str, Any], text_arguments: bool = False) -> WorkflowOutput:
    """Render a workflow run.

    ``render_input``: ``Workflow`` and ``WorkflowRun`` (documents; of the second ``spec.workflow.parameters``),
    ``Context{NamespaceName, WorkflowRunName, Labels?, ExternalRefs? (by id: {spec}), WorkflowPlane{SecretStore?}}``.
    ``text_arguments`` turns the values of ``spec.arguments.parameters`` into texts, as Argo Workflows demands of what
    is sent to it.

    Raises a ``CompilerError`` whose ``error_class`` is one of input, scan, compile, evaluate, key, type, structure,
    schema.
    """
    context = _checked_context(render_input)
    plan = _plan(content_of(spec_of(render_input["Workflow"])))
    scope = _scope(plan, render_input, context)
    try:
        run = _manifest(plan.run, scope)
    except CompilerError as error:
        prefix = "validation failed" if isinstance(error, StructureError) else "failed to render template"
        raise explained(error, prefix) from None
    if text_arguments:
        run = _with_text_arguments(run)
    namespace = run_namespace(context["NamespaceName"])
    try:
        needed = [entry for template in plan.resources for entry in template.render(scope, namespace)]
    except CompilerError as error:
        raise explained(error, "failed to render resources") from None
    return WorkflowOutput(to_json(run), needed)


def external_reference_names(render_input: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of the objects that a workflow's ``externalRefs`` need, by id.

    A name may be a template over the run's context without ``externalRefs``; an empty one means that nothing is
    needed. Errors as ``render``.
    """
    context = {**_checked_context(render_input), "ExternalRefs": None}
    spec = spec_of(render_input["Workflow"])
    scope = _scope(_plan(content_of(spec)), render_input, context)
    names: dict[str, str] = {}
    for reference in items(spec, "externalRefs"):
        name = TemplateSource(text(reference, "name")).render(scope)
        if not isinstance(name, str):
            raise ResultTypeError(f"name expression must evaluate to a string, got {type_name(name)}")
        if name:
            names[text(reference, "id")] = name
    return names


class _Plan:
    def __init__(self, spec: Document) -> None:
        self.parameters = ParameterSection(spec.get("parameters"))
        self.run = TemplateSource(spec.get("runTemplate"))
        self.resources = [_ResourceTemplate(declared) for declared in items(spec, "resources")]


@lru_cache(maxsize=128)
def _plan(content: bytes) -> _Plan:
    return _Plan(orjson.loads(content))


class _ResourceTemplate:
    __slots__ = ("condition", "id", "template")

    def __init__(self, document: Document) -> None:
        self.id = text(document, "id")
        self.condition = condition_of(document, "includeWhen", component_macros=False)
        self.template = TemplateSource(document.get("template"))

    def render(self, scope: Scope, namespace: str) -> list[Entry]:
        """Return the object, forced into ``namespace``, or nothing: not included, or a name that starts with ``-``."""
        name = f"resource {quote(self.id)}"
        try:
            if not is_true(self.condition, scope, "includeWhen"):
                return []
        except CompilerError as error:
            raise explained(error, f"failed to evaluate includeWhen for {name}") from None
        try:
            manifest = _manifest(self.template, scope)
        except CompilerError as error:
            prefix = "validation failed for" if isinstance(error, StructureError) else "failed to render"
            raise explained(error, f"{prefix} {name}") from None
        if manifest["metadata"]["name"].startswith("-"):
            return []
        return [Entry(self.id, to_json({**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}))]


def _checked_context(render_input: Mapping[str, Any] | None) -> Document:
    if render_input is None:
        raise InputError("invalid input: workflow run is nil")
    for field, name in (("WorkflowRun", "workflow run"), ("Workflow", "workflow")):
        if render_input.get(field) is None:
            raise InputError(f"invalid input: {name} is nil")
    if spec_of(render_input["Workflow"]).get("runTemplate") is None:
        raise InputError("invalid input: workflow has no runTemplate")
    context: Document = render_input.get("Context") or {}
    for field in ("NamespaceName", "WorkflowRunName"):
        if not context.get(field):
            raise InputError(f"invalid input: context.{field[0].lower()}{field[1:]} is required")
    return context


def _scope(plan: _Plan, render_input: Mapping[str, Any], context: Document) -> Scope:
    given = section(spec_of(render_input["WorkflowRun"]), "workflow").get("parameters")
    bindings: Document = {
        "metadata": {
            "namespaceName": context["NamespaceName"],
            "workflowRunName": context["WorkflowRunName"],
            "namespace": run_namespace(context["NamespaceName"]),
            "labels": context.get("Labels") or {},
        },
        "parameters": plan.parameters.defaulted_with_integers(given, "parameters"),
        "workflowplane": {"secretStore": text(section(context, "WorkflowPlane"), "SecretStore")},
    }
    if references := context.get("ExternalRefs"):
        bindings["externalRefs"] = from_json(references)
    return Scope(bindings)


def _manifest(template: TemplateSource, scope: Scope) -> Document:
    try:
        rendered = _lists_from_text(_values_to_text(template.render(scope)))
    except CompilerError as error:
        raise explained(error, "failed to render workflow resource") from None
    if not isinstance(rendered, dict):
        raise ResultTypeError(f"rendered resource is not a map, got {type_name(rendered)}")
    if missing := missing_field(rendered, ("apiVersion", "kind")):
        raise StructureError(f"rendered resource missing {missing}")
    return rendered


def _values_to_text(node: object) -> object:
    """Turn every map and list under a key ``value`` into its JSON text."""
    if isinstance(node, dict):
        return {
            key: json_text(entry) if key == "value" and _is_complex(entry) else _below(key, entry)
            for key, entry in node.items()
        }
    if isinstance(node, list):
        return [_values_to_text(item) for item in node]
    return node


def _below(key: str, entry: object) -> object:
    return entry if key == "value" else _values_to_text(entry)


def _is_complex(entry: object) -> bool:
    return isinstance(entry, (dict, list)) and not isinstance(entry, StringList)


def _lists_from_text(node: object) -> object:
    """Turn every text that is a JSON array into that array."""
    if isinstance(node, dict):
        return {key: _lists_from_text(entry) for key, entry in node.items()}
    if isinstance(node, list):
        return [_lists_from_text(item) for item in node]
    if isinstance(node, str) and node.startswith("["):
        try:
            return from_json(orjson.loads(node))
        except orjson.JSONDecodeError:
            return node
    return node


def _with_text_arguments(run: Document) -> Document:
    arguments = run["spec"].get("arguments") if isinstance(run.get("spec"), dict) else None
    parameters = arguments.get("parameters") if isinstance(arguments, dict) else None
    if not isinstance(arguments, dict) or not isinstance(parameters, list):
        return run
    texts = [
        {**parameter, "value": _argument_text(parameter["value"])}
        if isinstance(parameter, dict) and "value" in parameter
        else parameter
        for parameter in parameters
    ]
    return {**run, "spec": {**run["spec"], "arguments": {**arguments, "parameters": texts}}}


def _argument_text(value: object) -> str:
    return json_text(value) if _is_complex(value) else value_text(value)
