"""Rendering a component: from its release, binding, environment and plane to the objects on the planes.

A story in eleven steps: check the input; bind the variables; apply the type's schemas; check the rules before
rendering; render the type's resources; apply embedded traits, then the component's own; check the rules after
rendering; add labels; add the resource hash; check the structure; sort.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.compiler.component.context import component_scope, shared_bindings, trait_scope
from catalog.compiler.component.input import RenderInput, read_input
from catalog.compiler.component.plan import ComponentPlan, EmbeddedTrait, TraitPlan, plan_component
from catalog.compiler.component.postprocess import add_labels, add_resource_hash, check_structure, in_order
from catalog.compiler.component.renderer import check_base_resource
from catalog.compiler.component.targets import RenderedResource
from catalog.compiler.component.validations import PendingRules, check_after_render, check_before_render
from catalog.compiler.documents import Document, items, name_of, section, spec_of, text
from catalog.compiler.errors import CompilerError, ResultTypeError, TraitMissingError
from catalog.compiler.manifest import to_json
from catalog.compiler.messages import explained, type_name
from catalog.compiler.render_limit import limited
from catalog.compiler.scope import Scope
from catalog.compiler.template import TemplateSource


@dataclass(frozen=True, slots=True)
class Counts:
    """How many resources came from where. ``trait_resources`` is the net change, so removals count against it."""

    resources: int
    base_resources: int
    traits: int
    trait_resources: int


@dataclass(frozen=True, slots=True)
class ComponentOutput:
    """``resources``: ``(object, target plane)`` in their final order; objects are plain JSON values."""

    resources: list[tuple[Document, str]]
    counts: Counts
    warnings: list[str] = field(default_factory=list)

    def on_plane(self, plane: str) -> list[Document]:
        """Return the objects for one plane (``dataplane`` or ``observabilityplane``), in their order."""
        return [rendered for rendered, target in self.resources if target == plane]


@dataclass(frozen=True, slots=True)
class TraitInstance:
    """One use of a trait: its definition's key, its name among uses, and its values. ``subject`` is for messages."""

    key: tuple[str, str]
    instance: str
    parameters: Document
    environment_configs: Document
    subject: str


@limited
def render(render_input: Mapping[str, Any], plan: ComponentPlan | None = None) -> ComponentOutput:
    """Render a component.

    ``render_input`` holds documents in their JSON form: ``ComponentType``, ``Component`` (``spec.parameters``,
    ``spec.traits[]{kind, name, instanceName, parameters}``), ``Traits[]`` (definitions), ``Workload``,
    ``Environment``, ``DataPlane``, ``ReleaseBinding?``, ``SecretReferences?`` (by name), ``Metadata`` (see
    ``metadata.component_metadata``), ``DefaultNotificationChannel?``, ``DependencyItems?`` (see
    ``component.connections``), ``ResourceDependencyItems?`` (see ``component.resource_dependencies``). Nothing in it
    is changed. ``plan`` is that of ``plan_component`` for the same type and traits, for callers that keep it.

    Raises a ``CompilerError`` whose ``error_class`` is one of input, scan, compile, evaluate, key, type, structure,
    schema, pre-render, post-render, trait-missing, patch. There is no partial result.
    """
    given = read_input(render_input)
    if plan is None:
        plan = plan_component(spec_of(given.component_type), given.traits)
    shared, warnings = shared_bindings(given, plan.reads_endpoint_schemas)
    scope = component_scope_of(given, plan, shared)

    type_plan = plan.component_type
    check_before_render(type_plan.pre_render_rules, scope, "component type")
    pending = [PendingRules(f"ComponentType {name_of(given.component_type)}", type_plan.post_render_rules, scope)]
    resources = _base_resources(plan, scope)
    base_count = len(resources)
    trait_count = 0
    for instance in trait_instances(given, plan, scope):
        resources = _apply_trait(instance, plan, shared, resources, pending)
        trait_count += 1
    trait_resource_count = len(resources) - base_count

    check_after_render(pending, resources)
    add_labels(resources, given.metadata["labels"])
    add_resource_hash(resources, type_plan.workload_type)
    check_structure(resources)
    return ComponentOutput(
        resources=[(to_json(resource.object), resource.plane) for resource in in_order(resources)],
        counts=Counts(len(resources), base_count, trait_count, trait_resource_count),
        warnings=warnings,
    )


def component_scope_of(given: RenderInput, plan: ComponentPlan, shared: Document) -> Scope:
    """Return the scope of the type's expressions: the shared variables and its parameters. Raises ``SchemaError``."""
    type_plan = plan.component_type
    try:
        return component_scope(
            shared,
            type_plan.parameters.valid(spec_of(given.component).get("parameters"), "parameters"),
            type_plan.environment_configs.valid(
                spec_of(given.binding).get("componentTypeEnvironmentConfigs"), "environmentConfigs"
            ),
        )
    except CompilerError as error:
        raise explained(error, "failed to build component context") from None


def _base_resources(plan: ComponentPlan, scope: Scope) -> list[RenderedResource]:
    resources: list[RenderedResource] = []
    try:
        for template in plan.component_type.resources:
            for resource in template.render(scope):
                check_base_resource(resource, template.name)
                resources.append(resource)
    except CompilerError as error:
        raise explained(error, "failed to render base resources") from None
    return resources


def trait_instances(given: RenderInput, plan: ComponentPlan, scope: Scope) -> Iterator[TraitInstance]:
    """Yield embedded traits, then the component's own, each resolved only when its turn has come."""
    for embedded in plan.component_type.embedded_traits:
        _require_trait(plan, (embedded.kind, embedded.name), "embedded trait")
        yield _embedded_instance(embedded, scope)
    configs_by_instance = section(spec_of(given.binding), "traitEnvironmentConfigs")
    for declared in items(spec_of(given.component), "traits"):
        key = (text(declared, "kind") or "Trait", text(declared, "name"))
        _require_trait(plan, key, "trait")
        instance = text(declared, "instanceName")
        yield TraitInstance(
            key,
            instance,
            section(declared, "parameters"),
            section(configs_by_instance, instance),
            "trait",
        )


def _require_trait(plan: ComponentPlan, key: tuple[str, str], subject: str) -> None:
    if key not in plan.traits:
        raise TraitMissingError(f"{subject} {key[1]} referenced but not found in traits list")


def _embedded_instance(embedded: EmbeddedTrait, scope: Scope) -> TraitInstance:
    subject = f"{embedded.name}/{embedded.instance}"
    resolved = []
    for bindings, name in ((embedded.parameters, "parameters"), (embedded.environment_configs, "environmentConfigs")):
        try:
            resolved.append(_resolve_bindings(bindings, scope))
        except CompilerError as error:
            prefix = f"failed to resolve embedded trait bindings for {subject}"
            raise explained(error, f"{prefix}: failed to resolve embedded trait {subject} {name}") from None
    parameters, environment_configs = resolved
    key = (embedded.kind, embedded.name)
    return TraitInstance(key, embedded.instance, parameters, environment_configs, "embedded trait")


def _resolve_bindings(bindings: TemplateSource | None, scope: Scope) -> Document:
    if bindings is None:
        return {}
    resolved = bindings.render(scope)
    if not isinstance(resolved, dict):
        raise ResultTypeError(f"resolved bindings is not a map, got type {type_name(resolved)}")
    return resolved


def _apply_trait(
    instance: TraitInstance,
    plan: ComponentPlan,
    shared: Document,
    resources: list[RenderedResource],
    pending: list[PendingRules],
) -> list[RenderedResource]:
    trait = plan.traits[instance.key]
    name = f"{trait.name}/{instance.instance}"
    scope = trait_scope_of(trait, instance, shared, name)
    check_before_render(trait.pre_render_rules, scope, f"trait {name}")
    try:
        resources = trait.changes.apply(resources, scope)
    except CompilerError as error:
        raise explained(error, f"failed to process {instance.subject} {name}") from None
    pending.append(PendingRules(f"{instance.key[0]} {name}", trait.post_render_rules, scope))
    return resources


def trait_scope_of(trait: TraitPlan, instance: TraitInstance, shared: Document, name: str) -> Scope:
    """Return the scope of a trait instance's expressions; ``name`` is how messages call it. Raises ``SchemaError``."""
    try:
        return trait_scope(
            shared,
            trait.parameters.valid(instance.parameters, "parameters"),
            trait.environment_configs.valid(instance.environment_configs, "environmentConfigs"),
            trait.name,
            instance.instance,
        )
    except CompilerError as error:
        raise explained(error, f"failed to build {instance.subject} context for {name}") from None
