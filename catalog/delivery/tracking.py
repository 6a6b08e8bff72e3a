"""The final form of an object: the labels by which it is found again on a plane, and the mark of a restart.

Added at delivery, not when rendering, as in the contract (`managed-by`, the rendered release's names and uid, the
resource's id); so they are no part of a manifest's hash, and one manifest serves any number of releases.
"""

from __future__ import annotations

import hashlib

from catalog.compiler.documents import Document
from catalog.compiler.names import LABEL_LIMIT, kubernetes_name
from catalog.delivery.plane import ObjectKey, Place

CONTROLLER = "renderedrelease-controller"
MANAGED_BY = "openchoreo.dev/managed-by"
RESOURCE_ID = "openchoreo.dev/rendered-release-resource-id"
RELEASE_UID = "openchoreo.dev/rendered-release-uid"
RELEASE_NAME = "openchoreo.dev/rendered-release-name"
RELEASE_NAMESPACE = "openchoreo.dev/rendered-release-namespace"
RESTARTED_AT = "openchoreo.dev/restartedAt"


def tracked(body: Document, resource_id: str, place: Place, restarted_at: str = "") -> Document:
    """The object as it goes to the plane. `body` is not changed; what is not touched is shared with it."""
    metadata = body.get("metadata") or {}
    labels = {**(metadata.get("labels") or {}), **tracking_labels(resource_id, place)}
    final = {**body, "metadata": {**metadata, "labels": labels}}
    if restarted_at and takes_restarts(final):
        final["spec"] = with_restart(final.get("spec") or {}, restarted_at)
    return final


def tracking_labels(resource_id: str, place: Place) -> dict[str, str]:
    return {
        MANAGED_BY: CONTROLLER,
        RESOURCE_ID: label_value(resource_id),
        RELEASE_UID: place.uid,
        RELEASE_NAME: label_value(place.release),
        RELEASE_NAMESPACE: place.namespace,
    }


def label_value(text: str) -> str:
    """A name as it fits into a label; names may be longer than labels, and a plane would refuse the whole object."""
    return text if len(text) <= LABEL_LIMIT else kubernetes_name(LABEL_LIMIT, text)


def is_tracked(document: Document, place: Place) -> bool:
    """Whether an object found on a plane belongs to the place."""
    labels = (document.get("metadata") or {}).get("labels") or {}
    return (
        labels.get(MANAGED_BY) == CONTROLLER
        and labels.get(RELEASE_NAMESPACE) == place.namespace
        and labels.get(RELEASE_NAME) == label_value(place.release)
    )


def takes_restarts(document: Document) -> bool:
    """Only Deployments are restarted by an annotation of the binding, as in the contract."""
    return document.get("kind") == "Deployment" and str(document.get("apiVersion")).startswith("apps/")


def with_restart(spec: Document, restarted_at: str) -> Document:
    """A Deployment's spec whose pod template names the restart: a new value replaces all pods."""
    template = spec.get("template") or {}
    metadata = template.get("metadata") or {}
    annotations = {**(metadata.get("annotations") or {}), RESTARTED_AT: restarted_at}
    return {**spec, "template": {**template, "metadata": {**metadata, "annotations": annotations}}}


def digest(manifest_hash: str, resource_id: str, place: Place, key: ObjectKey, restarted_at: str = "") -> str:
    """Changes with every byte of `tracked`, without making it."""
    restart = restarted_at if (key.kind, key.group) == ("Deployment", "apps") else ""
    parts = (manifest_hash, resource_id, place.uid, place.release, place.namespace, restart)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]
