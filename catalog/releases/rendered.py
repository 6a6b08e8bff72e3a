"""Writing rendered releases: the one way in which a binding's controller puts manifests where delivery finds them.

A rendered release belongs to the binding that made it, by its ownerReferences; what belongs to another is refused,
never taken over. Called by the controllers of ReleaseBinding, ProjectReleaseBinding and ResourceReleaseBinding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catalog import store
from catalog.kinds.base import API_VERSION, Document, PlatformObject
from catalog.kinds.rendered_object import manifest_hash
from catalog.kinds.rendered_release import RenderedRelease
from catalog.store.write import Outcome
from portal.accounts.actor import Actor

UNREAD: Any = object()
"""Stands for "the caller has not looked whether there is one"."""


class ReleaseOwnershipConflict(Exception):
    """A rendered release of that name belongs to another object. The text is the condition's message."""

    def __init__(self, name: str) -> None:
        super().__init__(f'Release "{name}" exists but is owned by another resource')


class ReleaseTerminating(Exception):
    """A rendered release of that name is still being deleted; the new one must wait for it."""

    def __init__(self, name: str) -> None:
        super().__init__(f'Release "{name}" is being deleted, waiting until it is gone')


def put_rendered_release(
    name: str,
    namespace: str,
    owner: PlatformObject,
    spec_owner: Mapping[str, str],
    environment: str,
    target_plane: str,
    resources: Sequence[Mapping[str, Any]],
    labels: Mapping[str, str],
    actor: Actor,
    annotations: Mapping[str, str] | None = None,
    held: RenderedRelease | None = UNREAD,
) -> Outcome:
    """Create the rendered release, or bring it in step; an equal one costs one query and no write.

    `owner` is the binding; `spec_owner` is `{projectName, componentName? | resourceName?}`; `resources` are
    `{id, object}` in the order of their application; `annotations`, if given, replace those that are there; `held` is
    the row of that name (None: there is none), for callers that have looked.
    Raises `ReleaseOwnershipConflict`, `ReleaseTerminating`, or what the store raises.
    """
    if held is UNREAD:
        held = RenderedRelease.objects.system("release").filter(namespace_id=namespace, name=name).first()
    if held is not None and not is_owned_by(held, owner):
        raise ReleaseOwnershipConflict(name)
    if held is not None and held.deleted_at is not None:
        raise ReleaseTerminating(name)
    metadata: Document = {
        "name": name,
        "namespace": namespace,
        "labels": dict(labels),
        "annotations": dict(annotations or {}),
        "ownerReferences": [controller_reference(owner)],
    }
    spec: Document = {
        "owner": dict(spec_owner),
        "environmentName": environment,
        "targetPlane": target_plane,
        "resources": list(resources),
    }
    if held is not None and is_in_step(held, metadata, spec):
        return Outcome(held, "unchanged")
    document = {"apiVersion": API_VERSION, "kind": "RenderedRelease", "metadata": metadata, "spec": spec}
    if held is None:
        return Outcome(store.create(document, actor), "created")
    return store.put(document, actor)


def put_rendered_document(
    document: Document,
    owner: PlatformObject,
    actor: Actor,
    annotations: Mapping[str, str] | None = None,
    held: RenderedRelease | None = UNREAD,
) -> Outcome:
    """The same for a document as `catalog.compiler.rendered.rendered_release` returns it."""
    metadata, spec = document["metadata"], document["spec"]
    return put_rendered_release(
        metadata["name"],
        metadata["namespace"],
        owner,
        spec["owner"],
        spec["environmentName"],
        spec["targetPlane"],
        spec["resources"],
        metadata["labels"],
        actor,
        annotations,
        held,
    )


def is_owned_by(held: RenderedRelease, owner: PlatformObject) -> bool:
    """Whether the rendered release was made by that very object (by uid, not by name)."""
    return any(reference.get("uid") == str(owner.uid) for reference in held.owner_references)


def controller_reference(owner: PlatformObject) -> Document:
    """The ownerReference of a controlling owner."""
    return {
        "apiVersion": owner.api_version,
        "kind": owner.kind,
        "name": owner.name,
        "uid": str(owner.uid),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def is_in_step(held: RenderedRelease, metadata: Document, spec: Document) -> bool:
    """Whether what is stored is what is wanted, told by the hashes of the manifests without reading them."""
    wanted = {
        **spec,
        "resources": [{"id": entry["id"], "hash": manifest_hash(entry["object"])} for entry in spec["resources"]],
    }
    return bool(
        held.spec == wanted
        and held.labels == metadata["labels"]
        and held.annotations == metadata["annotations"]
        and held.owner_references == metadata["ownerReferences"]
    )
