"""ClusterAuthzRole: an AuthzRole that bindings of all namespaces may use."""

from __future__ import annotations

from catalog.kinds.authz_role import authz_role_spec
from catalog.kinds.base import ClusterScoped


class ClusterAuthzRole(ClusterScoped):
    kind = "ClusterAuthzRole"
    plural = "clusterauthzroles"
    printer_columns = (("Age", "metadata.creationTimestamp"),)
    spec_schema = authz_role_spec()
