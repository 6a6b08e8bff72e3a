"""`GET …/releasebindings/{name}/k8sresources/tree`: the Kubernetes objects of a binding, and what has come of them.

A plane that can be looked into is asked: its objects are shown as they are, with their pods and jobs. Of one that
cannot (Git) the objects are shown as they were delivered, their health Unknown.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from django.http import HttpResponse

from catalog.api.binding_objects import BoundRelease, answered, bound_releases, key_of, visible_binding
from catalog.api.collection import Collection
from catalog.api.wire_object import row_of, wire_row
from catalog.compiler.documents import Document
from catalog.delivery.health import health_of
from catalog.delivery.plane import NotThere, ObjectKey
from catalog.kinds.release_binding import ReleaseBinding
from catalog.kinds.rendered_object import RenderedObject, bodies_of
from catalog.kinds.rendered_release import RenderedRelease
from portal.access.endpoint import Call
from portal.wire import responses


def without_look_times(document: Document) -> Document:
    """The contract's schema of rendered releases does not know when an object was last looked at."""
    status = document["status"]
    entries = [
        {field: value for field, value in entry.items() if field != "lastObservedTime"}
        for entry in status.get("resources") or ()
    ]
    return {**document, "status": {**status, "resources": entries}} if entries else document


RELEASES = Collection(RenderedRelease, present=without_look_times)
BETWEEN = frozenset({"ReplicaSet"})
"""Objects that are not shown: their children appear as those of their parent, as in the contract."""


def show_tree(call: Call, namespace: str, name: str) -> HttpResponse:
    """200 with `{renderedReleases: [{name, targetPlane, nodes, renderedRelease}]}`, none before the first rendering."""
    return responses.json_body({"renderedReleases": trees_of(visible_binding(call, namespace, name))})


def trees_of(binding: ReleaseBinding) -> list[Document]:
    """The trees of a binding that the caller may see. Raises `Refusal`."""
    with answered():
        return [tree_of(bound) for bound in bound_releases(binding)]


def tree_of(bound: BoundRelease) -> Document:
    return {
        "name": bound.release.name,
        "targetPlane": bound.target,
        "nodes": list(nodes_of(bound)),
        "renderedRelease": wire_release(bound.release),
    }


def wire_release(release: RenderedRelease) -> Document:
    """The rendered release with its manifests, in the form of every object."""
    return wire_row(RELEASES, release.namespace_name, row_of(release)._replace(spec=release.full_spec()))


def nodes_of(bound: BoundRelease) -> Iterator[Document]:
    try:
        plane, place = bound.plane()
    except NotThere:
        return
    if plane.capabilities.reads_live:
        yield from live_nodes(bound, list(plane.live(place)))
    else:
        yield from delivered_nodes(bound)


# Planes that cannot be looked into ------------------------------------------------------------------------------------


def delivered_nodes(bound: BoundRelease) -> Iterator[Document]:
    """The objects that the plane has taken, as they were delivered. One query."""
    taken = [row for row in bound.rows if row.applied_hash]
    bodies = bodies_of(row.applied_hash for row in taken)
    for row in taken:
        if row.applied_hash not in bodies:
            continue
        node: Document = {
            "version": row.version,
            "kind": row.kind,
            "name": row.name,
            "uid": str(identity_of(bound.release, row)),
            "object": without_secrets(bodies[row.applied_hash], row.kind),
            "health": {"status": row.health or "Unknown"},
        }
        yield with_known(node, group=row.group, namespace=row.namespace)


def identity_of(release: RenderedRelease, row: RenderedObject) -> uuid.UUID:
    """A uid for an object whose own is not known: the same as long as release and object are the same."""
    return uuid.uuid5(release.uid, "/".join(row.identity))


# Planes that show what is there ---------------------------------------------------------------------------------------


def live_nodes(bound: BoundRelease, documents: list[Document]) -> Iterator[Document]:
    """The release's objects in their order, each followed by what has come of it."""
    by_key = {key_of(document): document for document in documents}
    children: dict[str, list[Document]] = {}
    for document in documents:
        for reference in (document.get("metadata") or {}).get("ownerReferences") or ():
            children.setdefault(str(reference.get("uid")), []).append(document)
    for row in bound.rows:
        found = by_key.get(ObjectKey(*row.identity))
        if found is not None and uid_of(found):
            yield node_of(found, None, row.health)
            yield from child_nodes(found, found, children, {uid_of(found)})


def child_nodes(
    shown: Document, parent: Document, children: Mapping[str, list[Document]], seen: set[str]
) -> Iterator[Document]:
    """What has come of `parent`, shown as come of `shown`. Every object once, whatever the references say."""
    for child in children.get(uid_of(parent), ()):
        if not uid_of(child) or uid_of(child) in seen:
            continue
        seen.add(uid_of(child))
        if child.get("kind") in BETWEEN:
            yield from child_nodes(shown, child, children, seen)
        else:
            yield node_of(child, shown, "")
            yield from child_nodes(child, child, children, seen)


def node_of(document: Document, parent: Document | None, health: str) -> Document:
    """A live object as the contract shows it. `health` is what was observed last; else the object itself tells."""
    key, metadata = key_of(document), document.get("metadata") or {}
    node: Document = {
        "version": version_of(document),
        "kind": key.kind,
        "name": key.name,
        "uid": uid_of(document),
        "object": without_secrets(document, key.kind),
        "health": {"status": health or health_of(document)},
    }
    if parent is not None:
        node["parentRefs"] = [reference_to(parent)]
    return with_known(
        node,
        group=key.group,
        namespace=key.namespace,
        resourceVersion=metadata.get("resourceVersion"),
        createdAt=metadata.get("creationTimestamp"),
    )


def reference_to(document: Document) -> Document:
    key = key_of(document)
    reference: Document = {"version": version_of(document), "kind": key.kind, "name": key.name, "uid": uid_of(document)}
    return with_known(reference, group=key.group, namespace=key.namespace)


def with_known(node: Document, **fields: Any) -> Document:
    """The node with those of the fields that are known."""
    return {**node, **{name: value for name, value in fields.items() if value}}


def without_secrets(document: Document, kind: str) -> Document:
    """The object as it may be shown: no values of a Secret, and not who manages which field."""
    shown = {key: value for key, value in document.items() if kind != "Secret" or key not in ("data", "stringData")}
    if "managedFields" in (shown.get("metadata") or {}):
        shown["metadata"] = {key: value for key, value in shown["metadata"].items() if key != "managedFields"}
    return shown


def uid_of(document: Document) -> str:
    return str((document.get("metadata") or {}).get("uid") or "")


def version_of(document: Document) -> str:
    return str(document.get("apiVersion") or "").rpartition("/")[2]
