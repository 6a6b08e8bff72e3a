"""ComponentType and ClusterComponentType: schemas, expressions, one workload, and the traits that a type brings along.

The values that a type gives its embedded traits are templates too, but the contract checks those at render only.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from catalog.compiler.admission.expressions import Expressions
from catalog.compiler.admission.post_render import post_render_errors
from catalog.compiler.admission.schemas import schema_errors, schema_variables
from catalog.compiler.admission.template_structure import workload_errors
from catalog.compiler.admission.variables import COMPONENT
from catalog.compiler.admission.verdicts import verdict
from catalog.compiler.documents import Document, items, text
from catalog.compiler.messages import quote
from catalog.compiler.schema import FieldError
from catalog.compiler.schema.field_errors import duplicate, invalid

RULES = ("validations", "preRenderValidations")


def component_type_errors(spec: Document, *, cluster: bool, path: str = "spec") -> Iterator[FieldError]:
    """Return what is wrong with the spec of a component type. ``cluster`` says which of the two kinds it is."""
    return verdict(_cluster_type if cluster else _type, spec, path)


def frozen_component_type_errors(spec: Document, path: str) -> Iterator[FieldError]:
    """Return what is wrong with a type that a release has frozen: whatever would keep it from being rendered."""
    return verdict(_frozen_type, spec, path)


def resource_errors(expressions: Expressions, entry: Document, path: str) -> Iterator[FieldError]:
    """Check one entry of ``resources``, or of a trait's ``creates``: condition, loop, template.

    The condition is asked before the loop, so it does not see the loop's variable.
    """
    yield from expressions.condition(entry, "includeWhen", path)
    errors: list[FieldError] = []
    body = expressions.loop(entry, path, errors)
    yield from errors
    yield from body.template(entry.get("template"), f"{path}.template")


def _errors(spec: Document, cluster: bool) -> Iterator[FieldError]:
    yield from schema_errors(spec, "")
    yield from _rendering_errors(spec)
    yield from _embedded_errors(spec)
    yield from _allowed_errors(spec, cluster)


def _frozen_type(spec: Document) -> Iterator[FieldError]:
    yield from schema_errors(spec, "", strict=False)
    yield from _rendering_errors(spec)


_type, _cluster_type = partial(_errors, cluster=False), partial(_errors, cluster=True)


def _rendering_errors(spec: Document) -> Iterator[FieldError]:
    expressions = Expressions({**COMPONENT, **schema_variables(spec, composed=True)}, component_macros=True)
    for index, resource in enumerate(items(spec, "resources")):
        yield from resource_errors(expressions, resource, f".resources[{index}]")
    for field in RULES:
        yield from expressions.rules(spec.get(field), f".{field}")
    yield from post_render_errors(expressions, spec, "")
    yield from workload_errors(text(spec, "workloadType"), items(spec, "resources"), ".resources")


def _embedded_errors(spec: Document) -> Iterator[FieldError]:
    first_use: dict[str, int] = {}
    for index, trait in enumerate(items(spec, "traits")):
        instance = text(trait, "instanceName")
        if instance in first_use:
            used = f"instanceName {quote(instance)} is already used by trait at index {first_use[instance]}"
            yield duplicate(f".traits[{index}].instanceName", used)
        first_use[instance] = index


def _allowed_errors(spec: Document, cluster: bool) -> Iterator[FieldError]:
    embedded = {_identity(trait, cluster) for trait in items(spec, "traits")}
    seen: set[str] = set()
    for index, reference in enumerate(items(spec, "allowedTraits")):
        path, identity = f".allowedTraits[{index}]", _identity(reference, cluster)
        if identity in seen:
            yield duplicate(path, identity)
        seen.add(identity)
        if identity in embedded:
            detail = "trait is already embedded in spec.traits and cannot also be in allowedTraits"
            yield invalid(path, identity, detail)
    seen = set()
    for index, reference in enumerate(items(spec, "allowedWorkflows")):
        identity = _identity(reference, cluster)
        if identity in seen:
            yield duplicate(f".allowedWorkflows[{index}]", identity)
        seen.add(identity)


def _identity(reference: Document, cluster: bool) -> str:
    """What tells one reference from another: cluster types refer to one kind only, so their names are enough."""
    name = text(reference, "name")
    return name if cluster else f"{text(reference, 'kind')}:{name}"
