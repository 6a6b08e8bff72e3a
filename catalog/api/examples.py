"""Our own operations for readers: a summary, what each parameter means, and an example of a request and its reply.

The API document and the reference page show them. Tests see to it that no operation of ours is missing here, that each
parameter that is described is read, and that replies have the fields of their examples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

YAML, JSON, EVENTS = "application/yaml", "application/json", "text/event-stream"
TRAIT = """\
apiVersion: openchoreo.dev/v1alpha1
kind: Trait
metadata: {name: cache, namespace: acme, labels: {team: web}}
spec: {}
"""
CHANGE = {
    "sequence": 4711,
    "recordedAt": "2026-05-31T12:00:00Z",
    "action": "created",
    "kind": "Trait",
    "namespace": "acme",
    "name": "cache",
    "uid": "6f1c2a34-0b5d-4f0a-9a53-1d9f1f3f7b11",
    "generation": 1,
    "actor": {"name": "ann", "kind": "human"},
    "surface": "rest",
    "requestId": "01a1ff40-2b98-763c-ab6d-8626755397f2",
}
TRIED = {"result": "created", "kind": "Trait", "namespace": "acme", "name": "cache", "line": 1}
OUTCOME = {**TRIED, "version": "4f3c9a1b0d2e8f7a6b5c4d3e-9a1b2c3d4e5f6a7b"}
TOKEN = {
    "id": 7, "name": "ci", "user": "ann", "actions": ["component:view"], "namespace": "acme",
    "createdAt": "2026-05-31T12:00:00Z", "expiresAt": "2026-08-29T12:00:00Z", "usable": True,
}  # fmt: skip
GRANT = {
    "id": "user:namespace:3", "origin": "manual", "effect": "allow", "user": "ann", "scope": {"namespace": "acme"},
    "path": "ns/acme", "expired": False, "grantedAt": "2026-05-31T12:00:00Z",
    "role": {"kind": "ClusterAuthzRole", "name": "developer"},
}  # fmt: skip
DIFFERENCE = {
    "id": "3f9a", "object": {"group": "apps", "kind": "Deployment", "namespace": "dp-acme-shop", "name": "web"},
    "path": "spec.replicas", "class": "changed", "manager": "kubectl-edit", "time": "2026-05-31T12:00:00Z",
}  # fmt: skip
RECORD = {**DIFFERENCE, "count": 1, "state": "accepted", "note": "", "decidedBy": "ann", "reason": ""}
EVENT = {
    "id": "01a1ff40-2b98-763c-ab6d-8626755397f2", "time": "2026-05-31T12:00:00.000000Z",
    "actor": {"name": "ann", "kind": "human"}, "surface": "rest", "action": "component:update",
    "object": {"kind": "Component", "namespace": "acme", "name": "web"}, "outcome": "success",
}  # fmt: skip
PAGE = {"limit": "How many at most: 1 to 100, 20 unless told.", "cursor": "`nextCursor` of the page before."}
PLACE = {
    "namespace": "The namespace; without one, the whole installation.",
    "project": "A project of the namespace.",
    "component": "A component of the project.",
    "resource": "A resource of the project.",
}
ATTRIBUTES = {
    "environment": "For conditions: `acme/production`.",
    "componentType": "For conditions: the component's type.",
    "resourceType": "For conditions: the resource's type.",
    "workflow": "For conditions: the run's workflow.",
}
DEFAULT_NAMESPACE = {"namespace": "Where documents go that name no namespace: `default` unless told."}


@dataclass(frozen=True)
class Described:
    """One operation. `reply` None means that it has no body."""

    summary: str
    reply: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    body_type: str = JSON
    reply_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    """Parameters that must be given."""
    numbers: tuple[str, ...] = ("limit", "wait", "after", "sequence", "unusedDays")
    """Parameters that are whole numbers."""


OPERATIONS: dict[str, Described] = {
    # What happens, and what happened
    "watch.watch": Described(
        "Watch changes as they are committed",
        'retry: 1000\n\nid: 4710\nevent: position\ndata: {"position":4710}\n\n'
        'id: 4711\nevent: change\ndata: {"sequence":4711,"action":"created","kind":"Trait","namespace":"acme",…}\n\n'
        ": still here\n",
        {
            "since": "The last sequence that you have; without it the stream begins now. 410 if it is too old.",
            "kinds": "Kinds, with commas between: `Component,Workload`.",
            "namespace": "Only what lies in it.",
            "name": "Only objects of this name.",
            "labelSelector": "Only objects whose labels match, before the change or after it.",
            "documents": "`true` adds what the object was and became.",
            "wait": "Seconds, up to 60: answer as JSON, as soon as there is a change or the time is up.",
        },
        numbers=("since", "wait"),
        reply_type=EVENTS,
        headers={"Last-Event-ID": "The last `id` that you have, when you come again; counts more than `since`."},
    ),
    "changes.show_changes": Described(
        "List the changes after a position",
        {"items": [CHANGE], "position": 4711},
        {
            "since": "The position to go on from; without it only the position of now is told.",
            "limit": "How many rows of the log are looked at: 1 to 100, 20 unless told.",
            "kinds": "Kinds, with commas between.",
            "namespace": "Only what lies in it.",
            "documents": "`true` adds what each object was and became.",
        },
        numbers=("since", "limit"),
    ),
    "history.show_history": Described(
        "Show the revisions of an object",
        {"items": [CHANGE], "pagination": {}},
        {
            "limit": PAGE["limit"],
            "after": "`nextAfter` of the page before.",
            "status": "`true` also shows changes of the status.",
            "documents": "`true` adds what the object was and became.",
        },
    ),
    "history.show_as_of": Described(
        "Show an object as it stood once",
        {
            "apiVersion": "openchoreo.dev/v1alpha1",
            "kind": "Trait",
            "metadata": {"name": "cache", "namespace": "acme"},
            "spec": {},
            "status": {},
        },
        {"sequence": "A sequence of the log.", "time": "Or a moment, such as `2026-05-31T12:00:00Z`."},
    ),
    # Documents
    "documents.apply_documents": Described(
        "Apply documents",
        {"items": [OUTCOME], "counts": {"created": 1}},
        {
            **DEFAULT_NAMESPACE,
            "dryRun": "`true` says what would happen and stores nothing.",
            "atomic": "`true` stores all documents or, if one fails, none.",
        },
        body=TRAIT,
        body_type=YAML,
        headers={"If-Match": "Of a single document: the ETag that its object must have, else 412."},
    ),
    "documents.diff_documents": Described(
        "Show what applying documents would change",
        {"items": [{**TRIED, "diff": "--- stored\n+++ applied\n…"}], "counts": {"created": 1}},
        DEFAULT_NAMESPACE,
        body=TRAIT,
        body_type=YAML,
    ),
    "preview.preview_documents": Described(
        "Preview what applying documents would change on the planes",
        {"documents": [], "environments": [], "summary": {"looked_at": 0, "changed": 0}},
        DEFAULT_NAMESPACE,
        body=TRAIT,
        body_type=YAML,
    ),
    "render.render_documents": Described(
        "Render documents together with what is stored",
        {"items": [], "refused": [], "failures": []},
        {**DEFAULT_NAMESPACE, "environment": "Only this environment."},
        body=TRAIT,
        body_type=YAML,
    ),
    "manifests.show_manifests": Described(
        "Show what was rendered for a binding",
        {"renderedReleases": [{"name": "web-development", "targetPlane": "dataplane", "objects": []}]},
        {"format": "`json`, or `yaml` for one stream of manifests."},
    ),
    "explain.show_explanation": Described(
        "Explain where the values of a binding's manifests come from",
        {
            "objects": [
                {"id": "deployment", "apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            ]
        },
        {
            "object": "Which object: `Deployment/web`, a kind, or the id of its template. Without it all are listed.",
            "field": "Which field, with dots: `spec.replicas`.",
        },
    ),
    "reveal.reveal_secret": Described(
        "Reveal the values of a secret",
        {"name": "database", "namespace": "acme", "version": 1, "data": {"password": "czNjcmV0"}},
    ),
    # Releases
    "releasing.promote_component": Described(
        "Promote a component",
        {"from": "development", "release": "web-1", "result": "created", "binding": {"kind": "ReleaseBinding"}},
        body={"to": "staging"},
    ),
    "releasing.show_rollback": Described(
        "Show what rolling a component back would change",
        {
            "environment": "staging", "from": "web-2", "to": "web-1", "stopsAutoDeploy": False,
            "configuration": [], "dependencies": [], "refusals": [],
        },
        {"environment": "In which environment.", "release": "To which release: the one before, unless told."},
        needs=("environment",),
    ),
    "releasing.roll_component_back": Described(
        "Roll a component back",
        {"from": "web-2", "to": "web-1", "stoppedAutoDeploy": False, "binding": {"kind": "ReleaseBinding"}},
        body={"environment": "staging", "release": "web-1"},
    ),
    "releasing.view": Described(
        "Undeploy, deploy anew, or restart what a binding has brought",
        {"result": "changed", "binding": {"kind": "ReleaseBinding"}},
        body={},
    ),
    # Deletion
    "deletion.show_plan": Described(
        "Show the plan of a deletion",
        {
            "steps": [{"step": 1, "kind": "Component", "namespace": "acme", "name": "web", "state": "waiting"}],
            "hiddenSteps": 0, "blockers": [], "stays": [], "done": 0, "total": 1,
        },
    ),
    "deletion.force_deletion": Described("Force a deletion that is held up", {"left": []}),
    "deletion.undelete_object": Described("Bring a deleted object back", {"object": {"kind": "Trait"}, "others": []}),
    "deletion.list_deleted": Described(
        "List what was deleted and can come back",
        {"items": [{"kind": "Trait", "namespace": "acme", "name": "cache", "deletedBy": "ann"}]},
        {"kind": "Only objects of this kind.", "namespace": "Only what lay in it."},
    ),
    # Drift
    "drift.show_drift": Described(
        "Show how a binding's objects differ on its planes",
        {"items": [DIFFERENCE], "history": []},
        {"all": "`true` adds what servers and controllers fill in."},
    ),
    "drift.restore_drift": Described("Undo drift", {"objects": ["Deployment/web"]}, body={"ids": ["3f9a"]}),
    "drift.accept_drift": Described("Accept drift as an override of the binding", RECORD, body={"id": "3f9a"}),
    "drift.ignore_drift": Described(
        "Leave drift alone for a time", RECORD, body={"id": "3f9a", "for": "7d", "reason": "a load test"}
    ),
    # Access
    "asking.show_why": Described(
        "Ask whether somebody may do something, and why",
        {
            "subject": "ann", "action": "component:update", "scope": "ns/acme", "allowed": True, "because": "grant",
            "reason": "ClusterAuthzRoleBinding developers gives developer at cluster to groups:dev",
        },
        {
            "action": "The action, such as `component:update`.",
            **PLACE,
            **ATTRIBUTES,
            "user": "About whom; about yourself unless told.",
            "at": "As of a past moment or day.",
        },
        needs=("action",),
    ),
    "asking.show_who_can": Described(
        "Ask who may do something",
        {
            "action": "component:update", "scope": "ns/acme", "attributes": {}, "items": [], "pagination": {},
            "notes": [],
        },
        {"action": "The action, such as `component:update`.", **PLACE, **ATTRIBUTES, **PAGE},
        needs=("action",),
    ),
    "views.show_described_actions": Described(
        "List the actions that can be permitted",
        [{"name": "component:view", "lowestScope": "component", "description": "See components"}],
    ),
    "access_preview.preview_access": Described(
        "Preview what a role or a binding would do to people",
        {"sentences": ["ann gains component:view at ns/acme"], "atLeast": False, "effects": []},
        body={
            "apiVersion": "openchoreo.dev/v1alpha1", "kind": "ClusterAuthzRole", "metadata": {"name": "viewer"},
            "spec": {"actions": ["component:view"]},
        },
    ),
    "grants.list_grants": Described(
        "List who has what where",
        {"items": [GRANT], "pagination": {}},
        {
            **PLACE,
            "above": "`true` adds what is given at the places around it.",
            "user": "Only what this user has.",
            "group": "Only what this group has: `groups:dev`.",
            "origin": "`manual` for grants by hand, `binding` for those of bindings.",
            "unusedDays": "Only what nobody has used for so many days.",
            **PAGE,
        },
    ),
    "grants.give_grant": Described(
        "Give a grant by hand",
        GRANT,
        body={
            "user": "ann", "scope": {"namespace": "acme"}, "role": {"kind": "ClusterAuthzRole", "name": "developer"},
            "expiresAt": "2026-12-31T00:00:00Z",
        },
    ),
    "grants.change_grant": Described(
        "Set the end of a grant by hand", GRANT, body={"expiresAt": "2026-12-31T00:00:00Z"}
    ),
    "grants.take_grant": Described("Take a grant by hand back"),
    "token_views.list_tokens": Described("List your tokens", {"items": [TOKEN]}),
    "token_views.create_token": Described(
        "Make a token",
        {**TOKEN, "token": "stg_…"},
        body={"name": "ci", "days": 90, "actions": ["component:view"], "namespace": "acme"},
    ),
    "token_views.revoke_token": Described("Revoke a token"),
    "views.list_events": Described(
        "List audit events",
        {"items": [EVENT], "pagination": {}},
        {
            "actor": "Who did it.", "onBehalfOf": "For whom an agent did it.", "action": "Such as `component:update`.",
            "kind": "The kind of its object.", "namespace": "Its namespace.", "project": "Its project.",
            "component": "Its component.", "name": "The name of its object.",
            "outcome": "`success`, `denied`, `invalid`, `conflict` or `error`.", "surface": "Such as `rest`, `admin`.",
            "requestId": "The request that it was part of.", "since": "From this time on.",
            "until": "Before this time.",
            **PAGE,
        },
    ),
}  # fmt: skip
"""By the module and function that answers."""


def described(run: Any) -> Described | None:
    """What is told of a handler's operation."""
    return OPERATIONS.get(f"{run.__module__.rpartition('.')[2]}.{run.__name__}")
