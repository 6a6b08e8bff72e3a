"""Pins: the field of a binding that names its release. Set by controllers only as their modules say."""

from __future__ import annotations

from typing import Any

from catalog import store
from catalog.kinds.base import PlatformObject
from portal.accounts.actor import Actor


def pin(binding: PlatformObject, field: str, release_name: str, actor: Actor) -> None:
    """Let `spec.<field>` of the binding, as it is stored now, name the release."""
    # Locked: what people change meanwhile must not be lost.
    rows: Any = type(binding).objects.system("reconcile").select_for_update()
    held = rows.filter(pk=binding.pk, deleted_at=None).first()
    if held is not None and held.spec.get(field) == binding.spec.get(field):
        document = store.to_document(held, with_status=False)
        document["spec"] = {**document["spec"], field: release_name}
        store.put(document, actor)
