"""Environments: without a data plane they take the namespace's default one, which must exist."""

from __future__ import annotations

from catalog.api.collection import Collection, Draft
from catalog.kinds.environment import Environment
from catalog.store import get_or_none
from portal.wire.responses import Refusal


def shape(draft: Draft) -> None:
    """`gateway` is always there, `isProduction` only when true."""
    draft.spec.setdefault("gateway", {})
    if draft.spec.get("isProduction") is False:
        del draft.spec["isProduction"]


def set_data_plane(draft: Draft) -> None:
    """`DataPlane/default` of the namespace; 400 if there is none."""
    if draft.spec.get("dataPlaneRef") is not None:
        return
    if get_or_none("DataPlane", draft.namespace, "default") is None:
        raise Refusal(400, "DataPlane not found")
    draft.spec["dataPlaneRef"] = {"kind": "DataPlane", "name": "default"}


COLLECTION = Collection(Environment, shape=shape, on_create=set_data_plane, name_required="metadata.name is required")
