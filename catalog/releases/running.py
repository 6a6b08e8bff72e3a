"""What a binding's objects do on their plane: run, be taken off it, or start anew. The binding stays in all cases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils import timezone

from catalog import store
from catalog.compiler.documents import Document
from catalog.controllers.binding_releases import RESTARTED_AT_ANNOTATION
from catalog.kinds.release_binding import ReleaseBinding
from catalog.store.documents import timestamp
from catalog.store.write import Outcome, Permit
from portal.accounts.actor import Actor

UNDEPLOYED, ACTIVE = "Undeploy", "Active"


class NotRunning(ValueError):
    """There is nothing to restart. The text says what to do instead."""


def undeploy(binding: ReleaseBinding, actor: Actor, permit: Permit | None = None) -> Outcome:
    """Take the objects off their plane; auto-deploy and promotion do not bring them back."""
    return change(binding, actor, permit, state=UNDEPLOYED)


def redeploy(binding: ReleaseBinding, actor: Actor, permit: Permit | None = None) -> Outcome:
    """Put them there again, as the binding's release has them now."""
    return change(binding, actor, permit, state=ACTIVE)


def restart(
    binding: ReleaseBinding, actor: Actor, permit: Permit | None = None, now: datetime | None = None
) -> Outcome:
    """Replace the pods of the binding's Deployments, a few at a time, as the annotation of the contract does.

    Raises `NotRunning` for what is undeployed.
    """
    if binding.spec.get("state") == UNDEPLOYED:
        raise NotRunning(f"ReleaseBinding {binding.name} is undeployed; deploy it again first (redeploy)")
    return change(binding, actor, permit, restarted_at=timestamp(now or timezone.now()))


def change(
    binding: ReleaseBinding, actor: Actor, permit: Permit | None, *, state: str = "", restarted_at: str = ""
) -> Outcome:
    """Write the binding with another state or mark. Raises `StoreError`s and what `permit` raises."""
    with store.transaction():
        held: Any = store.lock(binding.kind, binding.namespace_name, binding.name)
        if held is None or held.uid != binding.uid:
            raise store.NotFound(binding.kind, binding.namespace_name, binding.name)
        document: Document = store.to_document(held, with_status=False)
        if state:
            document["spec"] = {**document["spec"], "state": state}
        if restarted_at:
            annotations = {**(document["metadata"].get("annotations") or {}), RESTARTED_AT_ANNOTATION: restarted_at}
            document["metadata"] = {**document["metadata"], "annotations": annotations}
        if permit is not None:
            permit(held, document)
        return store.replace(document, actor)
