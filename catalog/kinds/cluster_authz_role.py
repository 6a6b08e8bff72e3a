"""ClusterAuthzRole: an AuthzRole that bindings of all namespaces may use."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.kinds.authz_role import authz_role_spec, unknown_actions
from catalog.kinds.base import ClusterScoped, Document, FieldError


class ClusterAuthzRole(ClusterScoped):
    kind = "ClusterAuthzRole"
    plural = "clusterauthzroles"
    printer_columns = (("Age", "metadata.creationTimestamp"),)
    spec_schema = authz_role_spec()

    @classmethod
    def content_violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return unknown_actions(old, new)
