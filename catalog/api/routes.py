"""Which collection lies at which path: one for every kind but two, made from the registry of kinds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from catalog.api import (
    authz_role_binding,
    component,
    data_plane,
    environment,
    namespace,
    observability_alerts_notification_channel,
    project,
    project_release_binding,
    release,
    release_binding,
    resource,
    resource_release_binding,
    secret_reference,
    workflow,
    workload,
)
from catalog.api.collection import Collection
from catalog.kinds.registry import KINDS

SPECIAL = (
    namespace.COLLECTION,
    project.COLLECTION,
    component.COLLECTION,
    workload.COLLECTION,
    resource.COLLECTION,
    environment.COLLECTION,
    data_plane.COLLECTION,
    data_plane.CLUSTER_COLLECTION,
    *release.COLLECTIONS,
    release_binding.COLLECTION,
    project_release_binding.COLLECTION,
    resource_release_binding.COLLECTION,
    secret_reference.COLLECTION,
    observability_alerts_notification_channel.COLLECTION,
    authz_role_binding.COLLECTION,
    authz_role_binding.CLUSTER_COLLECTION,
    workflow.COLLECTION,
)
# The contract shows these two only inside other replies.
WITHOUT_ROUTE = frozenset({"RenderedRelease", "ObservabilityAlertRule"})


@cache
def collections_by_route() -> Mapping[tuple[str, bool], Collection]:
    """Every collection by its plural in paths and whether it lies in a namespace."""
    special = {collection.kind: collection for collection in SPECIAL}
    return {
        (model.plural, model.namespaced): special.get(model.kind) or Collection(model)
        for model in KINDS
        if model.kind not in WITHOUT_ROUTE
    }
