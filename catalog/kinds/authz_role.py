"""AuthzRole: a named set of permitted actions. ClusterAuthzRole is its cluster twin."""

from __future__ import annotations

from catalog.kinds.base import Namespaced
from catalog.kinds.schema import Schema, array, obj, string


def authz_role_spec() -> Schema:
    """The spec of both role kinds; an action is `kind:verb`, with `*` for any."""
    return obj({"actions!": array(string(), min_items=1), "description": string()})


class AuthzRole(Namespaced):
    kind = "AuthzRole"
    plural = "authzroles"
    printer_columns = (("Age", "metadata.creationTimestamp"),)
    spec_schema = authz_role_spec()
