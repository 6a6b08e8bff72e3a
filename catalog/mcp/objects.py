"""List, get, create, change and delete with a tool's arguments, through the functions that REST calls.

Whatever may go wrong is raised as REST raises it (`Refusal`, `guard.Forbidden`, `Unreadable`) and worded by
`portal.mcp.calling`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from catalog.api.collection import Collection, Draft
from catalog.api.crud import change, make, page_for, remove, shaped, visible
from catalog.api.listing import ListQuery
from catalog.api.routes import collections_by_route
from catalog.api.wire_object import wire_object
from catalog.kinds.base import Document, PlatformObject
from catalog.mcp.shapes import DESCRIPTION, DISPLAY_NAME, detail_of, summary_of
from portal.access.endpoint import Call, refuse_policy_when_off
from portal.mcp.registry import Arguments
from portal.wire.query import LIMIT_MAX
from portal.wire.responses import Refusal

DISPLAY = {"display_name": DISPLAY_NAME, "description": DESCRIPTION}
Edit = Callable[[Draft], None]


@cache
def _collections() -> Mapping[str, Collection]:
    return {collection.kind: collection for collection in collections_by_route().values()}


def collection_of(kind: str) -> Collection:
    """The collection of a kind, with the rules that REST has for it."""
    return _collections()[kind]


def kind_in(kind: str, given: Arguments) -> str:
    """The kind, or its twin for the whole platform where the arguments say so."""
    return f"Cluster{kind}" if given.get("scope") == "cluster" else kind


def namespace_in(collection: Collection, given: Arguments) -> str:
    """The namespace that the arguments name, "" for kinds that are in none. Raises the refusal of a missing one."""
    if not collection.model.namespaced:
        return ""
    namespace = given.get("namespace_name") or ""
    if not namespace:
        raise Refusal(400, 'namespace_name is required when scope is "namespace"')
    return str(namespace)


def opened(call: Call, kind: str, given: Arguments) -> tuple[Collection, str]:
    """The collection and the namespace of a call. Roles cannot be reached while permission is switched off."""
    collection = collection_of(kind)
    refuse_policy_when_off({"collection": collection})
    return collection, namespace_in(collection, given)


def listed(
    call: Call, kind: str, given: Arguments, key: str, owners: Mapping[str, str] | None = None, selector: str = ""
) -> Document:
    """One page of summaries under `key`. `owners` filter by what objects belong to."""
    collection, namespace = opened(call, kind, given)
    limit = int(given.get("limit") or 0)
    wanted = ListQuery(
        limit=min(limit, LIMIT_MAX) if limit > 0 else LIMIT_MAX,
        cursor=str(given.get("cursor") or ""),
        label_selector=selector,
        owners=dict(owners or {}),
    )
    page = page_for(call, collection, namespace, wanted)
    found: Document = {key: [summary_of(kind, item) for item in page["items"]]}
    cursor = page["pagination"].get("nextCursor")
    return {**found, "next_cursor": cursor} if cursor else found


def got(call: Call, kind: str, given: Arguments, name: str) -> PlatformObject:
    """The object, if the caller may see it."""
    collection, namespace = opened(call, kind, given)
    return visible(call, collection, namespace, name)


def detailed(call: Call, kind: str, given: Arguments, name: str) -> Document:
    """The object as an agent reads it."""
    return detail_of(kind, wire_object(collection_of(kind), got(call, kind, given, name)))


def created(
    call: Call, kind: str, given: Arguments, name: str, spec: Document, labels: Mapping[str, str] | None = None
) -> PlatformObject:
    """Store a new object."""
    collection, namespace = opened(call, kind, given)
    draft = Draft(
        namespace=namespace,
        name=name,
        body_namespace=namespace,
        labels=dict(labels or {}),
        annotations=display_texts(given),
        spec=copy.deepcopy(spec),
    )
    return make(call, collection, shaped(collection, draft))


def changed(call: Call, kind: str, given: Arguments, name: str, edit: Edit) -> PlatformObject:
    """Store an object as `edit` makes it of the stored one; display texts that were sent replace those that are."""
    collection, namespace = opened(call, kind, given)

    def edited(held: PlatformObject) -> Draft:
        draft = Draft(
            namespace=namespace,
            name=name,
            body_namespace=namespace,
            labels=dict(held.labels),
            annotations={**held.annotations, **display_texts(given)},
            spec=copy.deepcopy(held.full_spec()),
            held=held,
        )
        edit(draft)
        return shaped(collection, draft)

    return change(call, collection, namespace, name, edited).obj


def deleted(call: Call, kind: str, given: Arguments, name: str) -> Document:
    """Delete an object; answers as every write does."""
    collection, namespace = opened(call, kind, given)
    remove(call, collection, namespace, name)
    where = {"namespace": namespace} if namespace else {}
    return {"name": name, **where, "action": "deleted"}


def written(obj: PlatformObject, action: str, **more: Any) -> Document:
    """The answer of a write: which object, and what was done to it."""
    where = {"namespace": obj.namespace_name} if obj.namespace_name else {}
    return {"name": obj.name, **where, "action": action, **more}


def display_texts(given: Arguments) -> dict[str, str]:
    """The annotations that hold the display name and the description, of those that were given."""
    return {key: str(given[name]) for name, key in DISPLAY.items() if given.get(name)}


def given_fields(given: Arguments, **fields: str) -> Document:
    """Those of the spec's fields (by name) whose arguments (the values) were given; an empty text counts as none."""
    return {field: given[name] for field, name in fields.items() if name in given and given[name] != ""}


def typed(kind: str, name: str) -> Document:
    """A reference with a kind, which may be left to the default."""
    return {"name": name, **({"kind": kind} if kind else {})}
