"""Rendering a project's cell: the namespace of its components in one environment, and what goes with it.

Called by the project-release-binding controller. Nothing is sorted, labelled or hashed here: the type says all.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from catalog.compiler.cel.values import from_json
from catalog.compiler.control_flow import Rule, broken_rules, condition_of, is_true, loop_of
from catalog.compiler.documents import Document, content_of, items, text
from catalog.compiler.errors import CompilerError, InputError, PreRenderError, ResultTypeError, StructureError
from catalog.compiler.manifest import missing_field, to_json
from catalog.compiler.messages import explained, quote, type_name
from catalog.compiler.parameters import ParameterSection
from catalog.compiler.render_limit import limited
from catalog.compiler.scope import Scope
from catalog.compiler.template import TemplateSource


class Entry(NamedTuple):
    """A rendered object under the id of its template; within a loop followed by ``-`` and the turn, from 0."""

    id: str
    object: Document


@limited
def render(render_input: Mapping[str, Any]) -> list[Entry]:
    """Render a project's resources, in the order of its type.

    ``render_input``: ``ProjectTypeSpec``, ``ProjectParameters?``, ``EnvironmentConfigs?``, ``Metadata`` (see
    ``metadata.project_metadata``), ``DataPlane`` (``gateway.plane_context``), ``Environment``
    (``gateway.environment_context``). Objects are plain JSON values.

    Raises a ``CompilerError`` whose ``error_class`` is one of input, scan, compile, evaluate, key, type, structure,
    schema, pre-render.
    """
    spec = render_input.get("ProjectTypeSpec")
    if spec is None:
        raise InputError("input.ProjectTypeSpec is nil")
    metadata = render_input.get("Metadata") or {}
    if not metadata.get("namespace"):
        raise InputError("input.Metadata.Namespace is empty")
    plan = _plan(content_of(spec))
    scope = _scope(plan, render_input, metadata)
    if broken := broken_rules(plan.rules, scope):
        raise PreRenderError(f"project type validation failed: {'; '.join(broken)}")
    return [entry for template in plan.resources for entry in template.render(scope)]


class _Plan:
    def __init__(self, spec: Document) -> None:
        self.parameters = ParameterSection(spec.get("parameters"))
        self.environment_configs = ParameterSection(spec.get("environmentConfigs"))
        self.rules = [Rule(rule, component_macros=False) for rule in items(spec, "validations")]
        self.resources = [_ResourceTemplate(declared) for declared in items(spec, "resources")]


@lru_cache(maxsize=128)
def _plan(content: bytes) -> _Plan:
    return _Plan(orjson.loads(content))


def _scope(plan: _Plan, render_input: Mapping[str, Any], metadata: Document) -> Scope:
    environment = render_input.get("Environment") or {}
    bindings = {
        "metadata": with_label_maps(metadata),
        "parameters": plan.parameters.defaulted(render_input.get("ProjectParameters"), "parameters"),
        "environmentConfigs": plan.environment_configs.defaulted(
            render_input.get("EnvironmentConfigs"), "environmentConfigs"
        ),
        "dataplane": from_json(render_input.get("DataPlane") or {}),
        "environment": from_json(environment),
    }
    if environment.get("gateway") is not None:
        bindings["gateway"] = bindings["environment"]["gateway"]
    return Scope(bindings)


def with_label_maps(metadata: Document) -> Document:
    """Return ``metadata`` with ``labels`` and ``annotations`` as maps, also when they are absent or null."""
    return {**metadata, "labels": metadata.get("labels") or {}, "annotations": metadata.get("annotations") or {}}


class _ResourceTemplate:
    __slots__ = ("condition", "id", "loop", "template")

    def __init__(self, document: Document) -> None:
        self.id = text(document, "id")
        self.condition = condition_of(document, "includeWhen", component_macros=False)
        self.loop = loop_of(document, component_macros=False)
        self.template = TemplateSource(document.get("template"))

    def render(self, scope: Scope) -> list[Entry]:
        name = f"resource {quote(self.id)}"
        try:
            if not is_true(self.condition, scope, "includeWhen"):
                return []
        except CompilerError as error:
            raise explained(error, f"evaluate includeWhen for {name}") from None
        if self.loop is None:
            return [Entry(self.id, self._object(scope, name))]
        try:
            turns = self.loop.scopes(scope)
        except CompilerError as error:
            raise explained(error, f"evaluate forEach for {name}") from None
        return [Entry(f"{self.id}-{index}", self._object(turn, name)) for index, turn in enumerate(turns)]

    def _object(self, scope: Scope, name: str) -> Document:
        if self.template.document is None:
            raise ResultTypeError(f"template is empty for {name}")
        try:
            rendered = self.template.render(scope)
        except CompilerError as error:
            raise explained(error, f"render template for {name}") from None
        if not isinstance(rendered, dict):
            raise ResultTypeError(f"rendered template for {name} is not a map (got {type_name(rendered)})")
        if missing := missing_field(rendered, ("apiVersion", "kind")):
            raise StructureError(f"{name} missing {missing}")
        return to_json(rendered)  # type: ignore[no-any-return]
