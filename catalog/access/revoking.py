"""Ending a grant in one step, wherever it comes from: what was given by hand is taken back, what a binding gives goes
out of its document.

A mapping that was the binding's only one ends the binding. The rules of who may do that are those of the documents.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catalog import store
from catalog.access import hand_grants, writing
from catalog.access.compile import BINDINGS
from catalog.access.grant_listing import Grant
from portal.access.engine import Access
from portal.access.holding import hold_policy
from portal.accounts.actor import Actor
from portal.audit.operation import Target, operation


@dataclass(frozen=True)
class Ended:
    """What was done, in a sentence each."""

    steps: tuple[str, ...]


def revoke(access: Access, actor: Actor, grant: Grant, *, reason: str = "") -> Ended:
    """End a grant: all that gives it, in one transaction, one event with those of its parts below.

    Raises `Forbidden` or the store's errors; then nothing has ended.
    """
    steps = []
    action, where = hand_grants.binding_action(grant.place, "delete")
    target = Target(hand_grants.KIND, where.namespace, f"{grant.holder}: {grant.what}"[:253])
    with operation(actor, action, target, is_compound=True), store.transaction():
        hold_policy(access, exclusively=True)
        if grant.is_manual and (row := hand_grants.row_of(grant.key)) is not None:
            hand_grants.take(access, actor, row, reason=reason)
            steps.append("took back what was given by hand")
        by_document: dict[tuple[str, str, str], set[int]] = {}
        for one in grant.bindings:
            by_document.setdefault((one.kind, one.namespace, one.name), set()).add(one.position)
        for (kind, namespace, name), positions in by_document.items():
            steps.append(take_out(access, actor, kind, namespace, name, positions))
    return Ended(tuple(steps))


def take_out(access: Access, actor: Actor, kind: str, namespace: str, name: str, positions: set[int]) -> str:
    """Take mappings out of a binding, or end it with its last."""
    held: Any = store.get(kind, namespace, name)
    left = [mapping for index, mapping in enumerate(held.spec["roleMappings"]) if index not in positions]
    if not left:
        writing.require_delete(access, held)
        store.delete(kind, namespace, name, actor)
        return f"deleted {kind} {name}"
    document = store.to_document(held, with_status=False)
    document["spec"] = {**document["spec"], "roleMappings": left}
    document["apiVersion"], document["kind"] = BINDINGS[kind].api_version, kind
    writing.require_update(access, held, document)
    store.replace(document, actor)
    return f"took {len(positions)} of {len(held.spec['roleMappings'])} mappings out of {kind} {name}"
