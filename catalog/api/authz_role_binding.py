"""Role bindings of both scopes: every mapping says its scope, if only that it is everything."""

from __future__ import annotations

from catalog.api.collection import Collection
from catalog.kinds.authz_role_binding import AuthzRoleBinding
from catalog.kinds.base import Document
from catalog.kinds.cluster_authz_role_binding import ClusterAuthzRoleBinding


def present(document: Document) -> Document:
    mappings = [{"scope": {}, **mapping} for mapping in document["spec"].get("roleMappings") or ()]
    return {**document, "spec": {**document["spec"], "roleMappings": mappings}}


COLLECTION = Collection(AuthzRoleBinding, present=present)
CLUSTER_COLLECTION = Collection(ClusterAuthzRoleBinding, present=present)
