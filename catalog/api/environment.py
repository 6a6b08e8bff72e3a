"""Environments: without a data plane they take the namespace's default one, which must exist.

They are shown as the reference's typed client has them, however they were made: `gateway` is always there,
`isProduction` only when true.
"""

from __future__ import annotations

from catalog.api.collection import Collection, Draft
from catalog.kinds.base import Document
from catalog.kinds.environment import Environment
from catalog.store import get_or_none
from portal.wire.responses import Refusal


def shown(spec: Document) -> Document:
    return {
        "gateway": {},
        **{field: value for field, value in spec.items() if (field, value) != ("isProduction", False)},
    }


def shape(draft: Draft) -> None:
    draft.spec = shown(draft.spec)


def present(document: Document) -> Document:
    return {**document, "spec": shown(document["spec"])}


def set_data_plane(draft: Draft) -> None:
    """`DataPlane/default` of the namespace; 400 if there is none."""
    if draft.spec.get("dataPlaneRef") is not None:
        return
    if get_or_none("DataPlane", draft.namespace, "default") is None:
        raise Refusal(400, "DataPlane not found")
    draft.spec["dataPlaneRef"] = {"kind": "DataPlane", "name": "default"}


COLLECTION = Collection(
    Environment,
    shape=shape,
    on_create=set_data_plane,
    present=present,
    name_required="metadata.name is required",
)
