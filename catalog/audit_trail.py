"""Every accepted change becomes an audit event, in the transaction of the change.

Status is what controllers observe, not what anybody does: its changes are in the log of revisions only.
"""

from __future__ import annotations

from typing import Any

from catalog.compiler.errors import CompilerError
from catalog.kinds.base import Document
from catalog.kinds.registry import UnknownKind
from catalog.store.changes import listen_to_commits
from catalog.store.errors import AlreadyExists, NotFound, Outdated, StoreError, Terminating
from catalog.store.models import Revision
from portal.access.guard import Forbidden
from portal.audit.difference import difference
from portal.audit.ledger import Event
from portal.audit.operation import declare_outcome, record_changes
from portal.audit.redaction import declare_secret_fields

VERBS = {
    Revision.Action.CREATED: "create",
    Revision.Action.CHANGED: "update",
    Revision.Action.DELETING: "delete",
    Revision.Action.DELETED: "delete",
}


def connect() -> None:
    """Begin to listen, and say what errors and fields of ours mean to the audit."""
    listen_to_commits(record_revisions)
    declare_outcome(Forbidden, "denied", 403)
    declare_outcome(StoreError, "invalid", 422)
    declare_outcome(NotFound, "invalid", 404)
    declare_outcome(AlreadyExists, "conflict", 409)
    declare_outcome(Terminating, "conflict", 409)
    declare_outcome(Outdated, "conflict", 412)
    declare_outcome(UnknownKind, "invalid", 422)
    declare_outcome(CompilerError, "invalid", 422)
    declare_secret_fields("ObservabilityAlertsNotificationChannel", "spec.webhookConfig.headers.*.value")


def record_revisions(entries: list[Revision]) -> None:
    """Write the events of a transaction's changes."""
    events = [event_of(entry) for entry in entries if entry.action in VERBS]
    if events:
        record_changes(events)


def event_of(entry: Revision) -> Event:
    """The event of one revision."""
    document = entry.after or entry.before or {}
    project, component = owner_of(entry.kind, entry.name, document)
    details = {**difference(entry.kind, entry.before, entry.after), **move_of(entry)}
    if entry.action == Revision.Action.DELETED and (entry.before or {}).get("metadata", {}).get("deletionTimestamp"):
        details["phase"] = "removed"  # asked for earlier, by another event
    return Event(
        action=action_name(entry.kind, VERBS[Revision.Action(entry.action)]),
        actor=entry.actor,
        actor_kind=entry.actor_kind,
        surface=entry.surface,
        request_id=entry.request_id,
        kind=entry.kind,
        namespace=entry.namespace,
        project=project,
        component=component,
        name=entry.name,
        uid=entry.uid,
        generation=entry.generation,
        details=details,
    )


RELEASES = {
    "ReleaseBinding": "releaseName",
    "ProjectReleaseBinding": "projectReleaseName",
    "ResourceReleaseBinding": "resourceReleaseName",
}
"""The fields by which bindings put a release into an environment."""


def move_of(entry: Revision) -> dict[str, Any]:
    """`{"move": {environment, release, before}}` of a binding that got another release: what its event is about."""
    field = RELEASES.get(entry.kind)
    after, before = ((document or {}).get("spec") or {} for document in (entry.after, entry.before))
    if field is None or entry.after is None or after.get(field) == before.get(field) or not after.get(field):
        return {}
    move = {"environment": after.get("environment"), "release": after[field], "before": before.get(field)}
    return {"move": {name: value for name, value in move.items() if value}}


def action_name(kind: str, verb: str) -> str:
    """The action as the registry of permissions calls it: `component:update`."""
    return f"{kind.lower()}:{verb}"


def owner_of(kind: str, name: str, document: Document) -> tuple[str, str]:
    """The project and the component that an object belongs to, "" where there is none."""
    if kind == "Project":
        return name, ""
    spec: Any = document.get("spec")
    owner: Any = spec.get("owner") if isinstance(spec, dict) else None
    owner = owner if isinstance(owner, dict) else {}
    component = name if kind == "Component" else owner.get("componentName", "")
    return owner.get("projectName", ""), component
