"""Data planes of both scopes: `gateway` is always there, however they were made."""

from __future__ import annotations

from catalog.api.collection import Collection, Draft
from catalog.kinds.base import Document
from catalog.kinds.cluster_data_plane import ClusterDataPlane
from catalog.kinds.data_plane import DataPlane


def add_gateway(draft: Draft) -> None:
    draft.spec.setdefault("gateway", {})


def present(document: Document) -> Document:
    return {**document, "spec": {"gateway": {}, **document["spec"]}}


COLLECTION = Collection(DataPlane, shape=add_gateway, present=present, name_required="metadata.name is required")
CLUSTER_COLLECTION = Collection(ClusterDataPlane, shape=add_gateway, present=present)
