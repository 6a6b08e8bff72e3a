"""Explaining a component: its objects, and for every leaf of each where it comes from.

The walk goes the way of catalog.compiler.component.pipeline: the type's resources, embedded traits, the component's
own traits, platform labels, the hash on the pod template; then the network policy that the controller appends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from catalog.compiler import labels
from catalog.compiler.component.context import shared_bindings
from catalog.compiler.component.input import RenderInput, read_input
from catalog.compiler.component.network_policy import network_policy
from catalog.compiler.component.pipeline import component_scope_of, render, trait_instances, trait_scope_of
from catalog.compiler.component.plan import ComponentPlan, plan_component
from catalog.compiler.component.postprocess import add_labels, add_resource_hash, in_order
from catalog.compiler.component.targets import DATA_PLANE, RenderedResource
from catalog.compiler.documents import Document, name_of, section, spec_of, text
from catalog.compiler.explain.origin import FieldPath, Frame, Origin, Place, Step, TraitUse
from catalog.compiler.explain.traced import Traced, grow, leaves, over
from catalog.compiler.explain.trait_changes import apply_changes
from catalog.compiler.explain.walk import TracedResource, faults_at, render_resources
from catalog.compiler.manifest import to_json
from catalog.compiler.scope import Scope

_HASH_PATH: FieldPath = ("spec", "template", "metadata", "annotations", labels.RESOURCE_HASH_ANNOTATION)


@dataclass(frozen=True)
class ExplainedObject:
    """One object in its final form, its plane, and the tree of its origins."""

    object: Document
    plane: str
    raw: Document
    tree: Traced

    @cached_property
    def origins(self) -> dict[FieldPath, Origin]:
        """The origin of every leaf: of every scalar and every empty container."""
        return dict(leaves(self.raw, self.tree))


def explain_component(render_input: Mapping[str, Any]) -> list[ExplainedObject]:
    """Return what ``component.render`` gives for this input, and the network policy after it, explained.

    ``render_input`` as for ``component.render``; a ``kind`` beside the ``metadata`` of its ComponentType is that of
    the places in it. Raises the ``CompilerError`` that the render raises.
    """
    given = read_input(render_input)
    plan = plan_component(spec_of(given.component_type), given.traits)
    rendered = render(render_input, plan).resources
    explained = [
        ExplainedObject(final, plane, item.resource.object, item.tree)
        for item, (final, plane) in zip(walk_component(given, plan), rendered, strict=True)
    ]
    for found in explained:
        if to_json(found.raw) != found.object:
            raise AssertionError(f"explaining went another way than rendering: {name_of(found.object)}")
    return [*explained, _network_policy(given)]


def walk_component(given: RenderInput, plan: ComponentPlan) -> list[TracedResource]:
    """Return all resources with their origins, in their final order. Raises ``Fault``."""
    kind = text(given.component_type, "kind") or "ComponentType"
    spec = Place(kind, name_of(given.component_type).rpartition("/")[2], ("spec",))
    shared, _ = shared_bindings(given, plan.reads_endpoint_schemas)
    with faults_at(spec):
        scope = component_scope_of(given, plan, shared)
    frame = Frame(scope)
    resources = [
        item
        for index, template in enumerate(plan.component_type.resources)
        for item in render_resources(
            template, Step("template", spec.below("resources", index), frame=frame, resource=_id(given, index))
        )
    ]
    for use, trait_scope in _trait_uses(given, plan, shared, scope, spec):
        definition = Place(use.kind, use.name, ("spec",))
        changes = plan.traits[use.kind, use.name].changes
        resources = apply_changes(changes, resources, Frame(trait_scope, use), definition)
    _label(resources, given.metadata["labels"])
    _annotate(resources, plan.component_type.workload_type)
    by_resource = {id(item.resource): item for item in resources}
    return [by_resource[id(resource)] for resource in in_order([item.resource for item in resources])]


def _id(given: RenderInput, index: int) -> str:
    return text(spec_of(given.component_type)["resources"][index], "id")


def _trait_uses(
    given: RenderInput, plan: ComponentPlan, shared: Document, scope: Scope, spec: Place
) -> list[tuple[TraitUse, Scope]]:
    """All uses of traits in the order of their work, each with the scope of its expressions."""
    embedded = len(plan.component_type.embedded_traits)
    component = Place("Component", text(given.metadata, "componentName"), ("spec",))
    found = []
    with faults_at(spec.below("traits")):
        for number, instance in enumerate(trait_instances(given, plan, scope)):
            is_embedded = number < embedded
            place = spec.below("traits", number) if is_embedded else component.below("traits", number - embedded)
            use = TraitUse(*instance.key, instance.instance, is_embedded, place, Frame(scope))
            name = f"{use.name}/{use.instance}"
            found.append((use, trait_scope_of(plan.traits[instance.key], instance, shared, name)))
    return found


def _label(resources: list[TracedResource], platform_labels: Document) -> None:
    add_labels([item.resource for item in resources], platform_labels)
    for item in resources:
        if not item.resource.object["metadata"]["labels"]:
            step = Step("platform-label", computed=dict)
            item.tree = _set(item.tree, ("metadata", "labels"), grow({}, step))
        for key in platform_labels:
            step = Step("platform-label", computed=lambda key=key: platform_labels[key])  # type: ignore[misc]
            item.tree = _set(item.tree, ("metadata", "labels", key), grow(platform_labels[key], step))


def _annotate(resources: list[TracedResource], workload_type: str) -> None:
    before = [(item.resource.object, item.resource.plane) for item in resources]
    add_resource_hash([item.resource for item in resources], workload_type)
    for index, item in enumerate(resources):
        if item.resource.object is before[index][0]:
            continue

        def hashed(index: int = index) -> object:
            again = [RenderedResource(*pair) for pair in before]
            add_resource_hash(again, workload_type)
            return _value_at(again[index].object, _HASH_PATH)

        item.tree = _set(item.tree, _HASH_PATH, grow(hashed(), Step("pod-hash", computed=hashed)))


def _value_at(document: Any, path: FieldPath) -> Any:
    for key in path:
        document = document[key]
    return document


def _set(tree: Traced, path: FieldPath, value: Traced) -> Traced:
    """The tree with ``value`` at a path of keys; what is no object on the way becomes one."""
    if not path:
        return over(value, tree)
    children = tree.children if isinstance(tree.children, dict) else {}
    key = str(path[0])
    child = children.get(key)
    if child is None:
        below = _set(Traced(value.origin, {}), path[1:], value) if len(path) > 1 else value
    else:
        below = _set(child, path[1:], value)
    return Traced(tree.origin, {**children, key: below})


def _network_policy(given: RenderInput) -> ExplainedObject:
    def policy() -> Document:
        return network_policy(given.metadata, section(spec_of(given.workload), "endpoints"), given.data_plane)

    rendered = policy()
    return ExplainedObject(rendered, DATA_PLANE, rendered, grow(rendered, Step("network-policy", computed=policy)))
