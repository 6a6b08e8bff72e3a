"""Rendering a resource (a database, a queue): its manifests, its outputs, and whether each manifest is ready.

Outputs and ready conditions are expressions over what the plane reports, as ``applied.<id>.status``. Called by the
resource-release-binding controller.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

import orjson

from catalog.compiler.cel.values import from_json
from catalog.compiler.control_flow import condition_of
from catalog.compiler.documents import Document, content_of, items, section, spec_of, text
from catalog.compiler.errors import CompilerError, InputError, OutputError, ResultTypeError
from catalog.compiler.manifest import to_json
from catalog.compiler.messages import explained, quote, type_name
from catalog.compiler.parameters import ParameterSection
from catalog.compiler.project import Entry, with_label_maps
from catalog.compiler.render_limit import limited
from catalog.compiler.scope import Scope
from catalog.compiler.template import TemplateSource

Observed = Mapping[str, Document]


class OutputsNotResolvedError(OutputError):
    """Some outputs do not resolve. ``resolved`` holds those that do, ``failed`` the names of the others."""

    error_class: ClassVar[str] = "output"

    def __init__(self, resolved: list[Document], failures: list[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"output {quote(name)}: {reason}" for name, reason in failures))
        self.resolved = resolved
        self.failed = [name for name, _ in failures]


@limited
def render(render_input: Mapping[str, Any]) -> list[Entry]:
    """Render a resource's manifests, in the order of its type, under the ids of their templates.

    ``render_input``: ``ResourceType`` and ``Resource`` (documents; of the second ``spec.parameters``),
    ``ResourceReleaseBinding?`` (``spec.resourceTypeEnvironmentConfigs``), ``Metadata`` (see
    ``metadata.resource_metadata``), ``DataPlane`` (``gateway.plane_context``), ``Environment``
    (``gateway.environment_context``). Objects are plain JSON values; that they have kind and name is not checked.

    Raises a ``CompilerError`` whose ``error_class`` is one of input, scan, compile, evaluate, key, type, schema.
    """
    plan, scope = _prepare(render_input)
    return [Entry(template.id, to_json(rendered)) for template in plan.resources for rendered in template.render(scope)]


@limited
def outputs(render_input: Mapping[str, Any], observed: Observed | None) -> list[Document]:
    """Resolve the outputs of a resource: ``{name, value | secretKeyRef{name, key} | configMapKeyRef{name, key}}``.

    ``observed`` holds the status object of each manifest that the plane knows, by id; ``None``: none.
    Raises ``OutputsNotResolvedError``, which carries the outputs that did resolve; for its input as ``render``.
    """
    plan, scope = _prepare(render_input)
    scope = _with_applied(scope, observed)
    resolved: list[Document] = []
    failures: list[tuple[str, str]] = []
    for output in plan.outputs:
        try:
            resolved.append(output.resolve(scope))
        except CompilerError as error:
            failures.append((output.name, str(error)))
    if failures:
        raise OutputsNotResolvedError(resolved, failures)
    return resolved


@limited
def ready_when(render_input: Mapping[str, Any], observed: Observed | None, expression: str) -> bool:
    """Evaluate a manifest's ``readyWhen`` template; an empty one holds.

    Raises ``ResultTypeError`` when it gives no boolean, and what ``render`` raises for its input.
    """
    if not expression:
        return True
    _, scope = _prepare(render_input)
    result = TemplateSource(expression).render(_with_applied(scope, observed))
    if not isinstance(result, bool):
        raise ResultTypeError(f"readyWhen must evaluate to bool, got {type_name(result)}")
    return result


class _Plan:
    def __init__(self, spec: Document) -> None:
        self.parameters = ParameterSection(spec.get("parameters"))
        self.environment_configs = ParameterSection(spec.get("environmentConfigs"))
        self.resources = [_ResourceTemplate(declared) for declared in items(spec, "resources")]
        self.outputs = [_Output(declared) for declared in items(spec, "outputs")]


@lru_cache(maxsize=128)
def _plan(content: bytes) -> _Plan:
    return _Plan(orjson.loads(content))


def _prepare(render_input: Mapping[str, Any]) -> tuple[_Plan, Scope]:
    for name in ("ResourceType", "Resource"):
        if render_input.get(name) is None:
            raise InputError(f"input.{name} is nil")
    plan = _plan(content_of(spec_of(render_input["ResourceType"])))
    binding = spec_of(render_input.get("ResourceReleaseBinding"))
    environment = from_json(render_input.get("Environment") or {})
    parameters = spec_of(render_input["Resource"]).get("parameters")
    environment_configs = binding.get("resourceTypeEnvironmentConfigs")
    bindings = {
        "metadata": with_label_maps(render_input.get("Metadata") or {}),
        "parameters": plan.parameters.defaulted(parameters, "parameters"),
        "environmentConfigs": plan.environment_configs.defaulted(environment_configs, "environmentConfigs"),
        "dataplane": from_json(render_input.get("DataPlane") or {}),
        "environment": environment,
        "gateway": environment.get("gateway") or {},  # unlike elsewhere, declared even when there is none
    }
    return plan, Scope(bindings)


def _with_applied(scope: Scope, observed: Observed | None) -> Scope:
    seen = observed or {}
    return scope.bind("applied", {id: {"status": from_json(status or {})} for id, status in seen.items()})


class _ResourceTemplate:
    __slots__ = ("condition", "id", "template")

    def __init__(self, document: Document) -> None:
        self.id = text(document, "id")
        self.condition = condition_of(document, "includeWhen", component_macros=False)
        self.template = TemplateSource(document.get("template"))

    def render(self, scope: Scope) -> list[Document]:
        if not self._is_included(scope):
            return []
        name = f"render resource {quote(self.id)}"
        if self.template.document is None:
            raise ResultTypeError(f"{name}: template is empty")
        try:
            rendered = self.template.render(scope)
        except CompilerError as error:
            raise explained(error, name) from None
        if not isinstance(rendered, dict):
            raise ResultTypeError(f"{name}: rendered template is not a map (got {type_name(rendered)})")
        return [rendered]

    def _is_included(self, scope: Scope) -> bool:
        if self.condition is None:
            return True
        name = f"evaluate includeWhen for resource {quote(self.id)}"
        try:
            result = self.condition.render(scope)
        except CompilerError as error:
            raise explained(error, name) from None
        if not isinstance(result, bool):
            raise ResultTypeError(f"{name}: includeWhen must evaluate to bool, got {type_name(result)}")
        return result


class _Output:
    """One output: of its three possible sources the first that is set counts."""

    __slots__ = ("key_references", "name", "value")

    def __init__(self, document: Document) -> None:
        self.name = text(document, "name")
        value = text(document, "value")
        self.value = TemplateSource(value) if value else None
        self.key_references = [
            (
                field,
                TemplateSource(text(section(document, field), "name")),
                TemplateSource(text(section(document, field), "key")),
            )
            for field in ("secretKeyRef", "configMapKeyRef")
            if document.get(field) is not None
        ]

    def resolve(self, scope: Scope) -> Document:
        if self.value is not None:
            return {"name": self.name, "value": _text(self.value, scope)}
        for field, name, key in self.key_references:
            reference = {}
            for part, template in (("name", name), ("key", key)):
                try:
                    reference[part] = _text(template, scope)
                except CompilerError as error:
                    raise explained(error, part) from None
            return {"name": self.name, field: reference}
        raise OutputError("no source kind set (value, secretKeyRef, or configMapKeyRef)")


def _text(template: TemplateSource, scope: Scope) -> str:
    result = template.render(scope)
    if not isinstance(result, str):
        raise ResultTypeError(f"expected string, got {type_name(result)}")
    return result
