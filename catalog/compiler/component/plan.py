"""Everything that can be derived from a component type or a trait alone, derived once.

Schemas, conditions, loops, templates and rules are compiled when they are first needed and kept as long as the type's
content is the same. A release freezes its type and traits, so all bindings of a release, and all releases of unchanged
types, share one plan. Called by ``component.pipeline``.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

import orjson

from catalog.compiler.component.renderer import ResourceTemplate
from catalog.compiler.component.traits import TraitChanges
from catalog.compiler.component.validations import post_render_rules, pre_render_rules
from catalog.compiler.documents import Document, content_of, items, text
from catalog.compiler.parameters import ParameterSection
from catalog.compiler.template import TemplateSource

_CACHED_PLANS = 512
_ENDPOINT_MACRO = "toEndpointResources"
_TYPE_FIELDS = ("resources", "validations", "preRenderValidations", "postRenderValidations", "traits")
_TRAIT_FIELDS = ("validations", "preRenderValidations", "postRenderValidations", "creates", "patches", "removes")


class EmbeddedTrait:
    """A trait that a component type brings along, with bindings that are templates over the component's scope."""

    __slots__ = ("environment_configs", "instance", "kind", "name", "parameters")

    def __init__(self, document: Document) -> None:
        self.kind = text(document, "kind") or "Trait"
        self.name = text(document, "name")
        self.instance = text(document, "instanceName")
        self.parameters = _bindings(document, "parameters")
        self.environment_configs = _bindings(document, "environmentConfigs")


class TypePlan:
    """A component type's spec, ready to be rendered."""

    def __init__(self, spec: Document) -> None:
        self.workload_type = text(spec, "workloadType")
        self.parameters = ParameterSection(spec.get("parameters"))
        self.environment_configs = ParameterSection(spec.get("environmentConfigs"))
        self.pre_render_rules = pre_render_rules(spec)
        self.post_render_rules = post_render_rules(spec)
        self.resources = [
            ResourceTemplate(declared, f"resource {text(declared, 'id')}") for declared in items(spec, "resources")
        ]
        self.embedded_traits = [EmbeddedTrait(declared) for declared in items(spec, "traits")]
        self.reads_endpoint_schemas = _mentions(spec, _TYPE_FIELDS)


class TraitPlan:
    """A trait's spec, ready to be applied for any instance."""

    def __init__(self, name: str, spec: Document) -> None:
        self.name = name
        self.parameters = ParameterSection(spec.get("parameters"))
        self.environment_configs = ParameterSection(spec.get("environmentConfigs"))
        self.pre_render_rules = pre_render_rules(spec)
        self.post_render_rules = post_render_rules(spec)
        self.changes = TraitChanges(name, spec)
        self.reads_endpoint_schemas = _mentions(spec, _TRAIT_FIELDS)


class ComponentPlan:
    """The plans of a component type and of the traits that its releases may use, by ``(kind, name)``."""

    def __init__(self, component_type: TypePlan, traits: dict[tuple[str, str], TraitPlan]) -> None:
        self.component_type = component_type
        self.traits = traits

    @cached_property
    def reads_endpoint_schemas(self) -> bool:
        """Whether any template needs the API schemas of endpoints parsed."""
        return self.component_type.reads_endpoint_schemas or any(
            trait.reads_endpoint_schemas for trait in self.traits.values()
        )


def plan_component(type_spec: Document, traits: list[Document]) -> ComponentPlan:
    """Return the plan for a component type's spec and Trait or ClusterTrait documents; cached by content.

    Making one never fails: faults surface where a render first uses what is faulty.
    """
    definitions = [
        (text(trait, "kind") or "Trait", text(trait.get("metadata"), "name"), trait.get("spec") or {})
        for trait in traits
    ]
    return _plan(content_of((type_spec, definitions)))


@lru_cache(maxsize=_CACHED_PLANS)
def _plan(content: bytes) -> ComponentPlan:
    # From the bytes, so that the plan has documents of its own that nobody changes.
    type_spec, traits = orjson.loads(content)
    plans = {(kind, name): _trait_plan(content_of((name, spec))) for kind, name, spec in traits}
    return ComponentPlan(_type_plan(content_of(type_spec)), plans)


@lru_cache(maxsize=_CACHED_PLANS)
def _type_plan(content: bytes) -> TypePlan:
    return TypePlan(orjson.loads(content))


@lru_cache(maxsize=_CACHED_PLANS)
def _trait_plan(content: bytes) -> TraitPlan:
    name, spec = orjson.loads(content)
    return TraitPlan(name, spec)


def _bindings(document: Document, field: str) -> TemplateSource | None:
    bindings = document.get(field)
    return None if bindings is None else TemplateSource(bindings, component_macros=True)


def _mentions(spec: Document, fields: tuple[str, ...]) -> bool:
    return any(_ENDPOINT_MACRO.encode() in content_of(spec.get(field)) for field in fields)
