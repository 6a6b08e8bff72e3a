"""AuthzRoleBinding: who holds which roles, where and under which conditions, within one namespace.

ClusterAuthzRoleBinding is its cluster twin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.utils.dateparse import parse_datetime

from catalog.access.conditions import problems_of
from catalog.kinds import refs
from catalog.kinds.base import Document, FieldError, Namespaced, Ref
from catalog.kinds.rules import invalid
from catalog.kinds.schema import Schema, array, enum, obj, string
from catalog.kinds.shapes import name, typed_ref


def authz_role_binding_spec(*scope_fields: str) -> Schema:
    """The spec of both binding kinds, which differ in what a role's scope may name."""
    condition = obj({"actions!": array(string(), min_items=1), "expression!": name()})
    mapping = obj(
        {
            "roleRef!": typed_ref("AuthzRole", "ClusterAuthzRole", name_shape=string()),
            "scope": obj({field: string() for field in scope_fields}),
            "conditions": array(condition),
        }
    )
    return obj(
        {
            "entitlement!": obj({"claim!": string(), "value!": string()}),
            "roleMappings!": array(mapping, min_items=1),
            "effect": enum("allow", "deny", default="allow"),
        }
    )


EXPIRES = "stagecraft.dev/expires-at"
"""An annotation: the moment at which the binding ends by itself."""


def needs(scope: Mapping[str, Any], field: str, outer: str) -> bool:
    """Whether the scope names something inside `outer` without naming that."""
    return field in scope and outer not in scope


def resource_scope_violations(scope: Mapping[str, Any], path: str) -> Iterator[FieldError]:
    """The rules about `scope.resource` of both kinds."""
    if needs(scope, "resource", "project"):
        yield invalid(path, "scope.resource requires scope.project")
    if "component" in scope and "resource" in scope:
        yield invalid(path, "scope.component and scope.resource are mutually exclusive")


def binding_references(spec: Mapping[str, Any], namespace: str) -> Iterator[Ref]:
    """The roles given, and the objects that they are limited to."""
    for mapping in spec.get("roleMappings") or ():
        yield from refs.to_typed(mapping.get("roleRef"), namespace)
        scope = mapping.get("scope") or {}
        where = scope.get("namespace") or namespace
        if scope.get("namespace"):
            yield Ref("scope_namespace", "Namespace", "", scope["namespace"])
        for kind in ("Project", "Component", "Resource"):
            if where:
                yield from refs.to(kind, where, scope.get(kind.lower()), f"scope_{kind.lower()}")


def content_problems(new: Document) -> Iterator[FieldError]:
    """Conditions outside of the language's subset, and an end that is no time: no right may depend on a misreading."""
    for index, mapping in enumerate(new["spec"]["roleMappings"]):
        for number, condition in enumerate(mapping.get("conditions") or ()):
            path = f"spec.roleMappings[{index}].conditions[{number}].expression"
            for problem in problems_of(condition):
                yield FieldError(path, "Invalid", f'Invalid value: "{condition["expression"]}": {problem}')
    ends = (new["metadata"].get("annotations") or {}).get(EXPIRES)
    if ends is not None and not is_time(ends):
        path = f"metadata.annotations[{EXPIRES}]"
        yield FieldError(path, "Invalid", f'Invalid value: "{ends}": must be a time such as 2030-01-31T12:00:00Z')


def is_time(text: str) -> bool:
    """Whether it is a time with a zone."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return False
    return moment is not None and moment.tzinfo is not None


class AuthzRoleBinding(Namespaced):
    kind = "AuthzRoleBinding"
    plural = "authzrolebindings"
    printer_columns = (("Age", "metadata.creationTimestamp"),)
    spec_schema = authz_role_binding_spec("project", "component", "resource")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        return binding_references(spec, namespace)

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterator[FieldError]:
        for index, mapping in enumerate(new["spec"]["roleMappings"]):
            path, scope = f"spec.roleMappings[{index}]", mapping.get("scope") or {}
            if needs(scope, "component", "project"):
                yield invalid(path, "scope.component requires scope.project")
            yield from resource_scope_violations(scope, path)

    @classmethod
    def content_violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return content_problems(new)
