"""`GET …/components/{name}/schema`: the JSON Schema of what may be set for a component in an environment.

Its two properties are those of a ReleaseBinding: `componentTypeEnvironmentConfigs`, and `traitEnvironmentConfigs` by
the instance names of the component's traits. References are resolved and vendor keys dropped, as a form needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from django.http import HttpResponse

from catalog.api import component as components
from catalog.api.crud import visible
from catalog.compiler.errors import ReferenceResolutionError
from catalog.compiler.schema.node import strip_vendor_extensions
from catalog.compiler.schema.refs import resolve_refs
from catalog.kinds.base import Document
from catalog.kinds.component import Component
from catalog.releases.parts import component_type_of, trait_references, traits_named
from portal.access.endpoint import Call
from portal.wire import responses
from portal.wire.responses import Refusal


def environment_schema(call: Call, namespace: str, name: str) -> HttpResponse:
    """200 with the schema; 404 for a component or type that does not exist. Missing traits are left out."""
    return responses.json_body(schema_for_environments(call, namespace, name))


def schema_for_environments(call: Call, namespace: str, name: str) -> Document:
    """The schema. Raises `Refusal` and `guard.Forbidden`."""
    component: Component = visible(call, components.COLLECTION, namespace, name)  # type: ignore[assignment]
    component_type = component_type_of(component)
    if component_type is None:
        raise Refusal(404, "ComponentType not found")
    return schema_of(environment_configs_of(component_type.spec), dict(trait_schemas(component)))


def schema_of(of_type: Document | None, of_traits: Document) -> Document:
    """The schema from that of the type and those of the traits by their instance names."""
    properties: Document = {}
    if of_type is not None:
        properties["componentTypeEnvironmentConfigs"] = of_type
    if of_traits:
        properties["traitEnvironmentConfigs"] = {"type": "object", "properties": of_traits}
    return {"type": "object", **({"properties": properties} if properties else {})}


def trait_schemas(component: Component) -> Iterator[tuple[str, Document]]:
    """The schema of each of the component's traits that has something to set, by instance name."""
    there = traits_named(component.namespace_name, trait_references(component.spec))
    for used in component.spec.get("traits") or ():
        trait = there.get((used.get("kind") or "Trait", used["name"]))
        declared = None if trait is None else environment_configs_of(trait.spec)
        if declared is not None:
            yield used["instanceName"], declared


def environment_configs_of(spec: Mapping[str, Any]) -> Document | None:
    """The `environmentConfigs` schema of a type's or trait's spec, None where it declares none."""
    section: Mapping[str, Any] = spec.get("environmentConfigs") or {}
    declared = section.get("openAPIV3Schema")
    if declared is None:
        return None
    with suppress(ReferenceResolutionError):  # admission refuses such schemas; an older one is shown as it is written
        declared = resolve_refs(declared)
    bare: Any = strip_vendor_extensions(declared)
    return bare  # type: ignore[no-any-return]
