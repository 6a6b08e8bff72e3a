"""Namespaces: objects without spec, apiVersion or kind; a replace changes only their two display texts.

For the API only those of the control plane exist, which bear its label; others (those that Kubernetes manifests bring
along for planes) are no tenants.
"""

from __future__ import annotations

from catalog.api.collection import Collection, Draft
from catalog.kinds.base import Document
from catalog.kinds.namespace import Namespace

CONTROL_PLANE = {"openchoreo.dev/control-plane": "true"}
DISPLAY_ANNOTATIONS = ("openchoreo.dev/display-name", "openchoreo.dev/description")


def label(draft: Draft) -> None:
    """The two labels that every namespace of the control plane bears."""
    draft.labels.update(CONTROL_PLANE)
    draft.labels["kubernetes.io/metadata.name"] = draft.name


def keep_all_but_display(draft: Draft) -> None:
    """Of a replace only the display texts that were sent count."""
    if draft.held is None:
        return
    sent = draft.annotations
    draft.annotations = dict(draft.held.annotations)
    draft.annotations.update({key: sent[key] for key in DISPLAY_ANNOTATIONS if key in sent})
    draft.labels = dict(draft.held.labels)


def drop_spec(draft: Draft) -> None:
    draft.spec.clear()


def present(document: Document) -> Document:
    """Only metadata and the phase."""
    is_going = "deletionTimestamp" in document["metadata"]
    return {"metadata": document["metadata"], "status": {"phase": "Terminating" if is_going else "Active"}}


COLLECTION = Collection(
    Namespace,
    shape=drop_spec,
    on_create=label,
    on_replace=keep_all_but_display,
    present=present,
    visible_by=CONTROL_PLANE,
)
