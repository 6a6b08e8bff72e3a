"""ClusterAuthzRoleBinding: who holds which roles, in all namespaces or in the one that a scope names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.kinds.authz_role_binding import (
    authz_role_binding_spec,
    binding_references,
    content_problems,
    needs,
    resource_scope_violations,
)
from catalog.kinds.base import ClusterScoped, Document, FieldError, Ref
from catalog.kinds.rules import invalid


class ClusterAuthzRoleBinding(ClusterScoped):
    kind = "ClusterAuthzRoleBinding"
    plural = "clusterauthzrolebindings"
    printer_columns = (("Age", "metadata.creationTimestamp"),)
    spec_schema = authz_role_binding_spec("namespace", "project", "component", "resource")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        return binding_references(spec, namespace)

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterator[FieldError]:
        mappings = new["spec"]["roleMappings"]
        if any(mapping["roleRef"]["kind"] != "ClusterAuthzRole" for mapping in mappings):
            yield invalid("spec", "ClusterAuthzRoleBinding can only reference ClusterAuthzRole")
        for index, mapping in enumerate(mappings):
            path, scope = f"spec.roleMappings[{index}]", mapping.get("scope") or {}
            if needs(scope, "project", "namespace") or needs(scope, "component", "project"):
                yield invalid(
                    path, "scope.project requires scope.namespace, and scope.component requires scope.project"
                )
            yield from resource_scope_violations(scope, path)

    @classmethod
    def content_violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return content_problems(new)
