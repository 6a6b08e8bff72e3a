"""The plan of a deletion, before and during it, forcing it, and undoing it.

GET  …/{plural}/{name}/deletion          what goes in which order, what holds it up, what stays on planes
POST …/{plural}/{name}/deletion/force    needs `deletion:force` and the right to delete the object
POST …/{plural}/{name}/undelete          needs the right to create each object that comes back
GET  deleted                             what can come back and the caller may see: `kind=`, `namespace=`
"""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse, QueryDict

from catalog import store
from catalog.access import writing
from catalog.access.hierarchy import attributes_of, place_of
from catalog.access.revisions import visible_revisions, visible_uids
from catalog.api.permitted import visible
from catalog.kinds.base import Document, PlatformObject
from catalog.manifests.deleting import NotForced, force, plan_document, plan_of
from catalog.manifests.undeleting import Deletion, NotUndeleted, deletions, undelete
from catalog.store.documents import timestamp
from catalog.store.errors import StoreError
from portal.access import guard
from portal.access.endpoint import Call, refusal_of
from portal.access.guard import Forbidden
from portal.audit import operation as audit
from portal.wire import responses
from portal.wire.query import text_parameter
from portal.wire.responses import Refusal


def show_plan(call: Call, model: type[PlatformObject], namespace: str, name: str) -> HttpResponse:
    """200 with the plan as it stands now; 404 when the object is gone, which is when the plan is done."""
    held = visible(call, model, namespace, name)
    return responses.json_body(plan_document(plan_of(held), lambda obj: call.access.may("view", obj)))


def force_deletion(call: Call, model: type[PlatformObject], namespace: str, name: str) -> HttpResponse:
    """200 with what is left on planes; 409 if the deletion has not been asked for, or waits for references."""
    audit.asked("deletion:force", model.kind, namespace, name)
    held = visible(call, model, namespace, name)
    place = place_of(held.kind, held.namespace_name, held.name, held.spec, held.labels)
    writing.require_delete(call.access, held)
    guard.require_at(
        call.access, "deletion:force", place, attributes_of(held.kind, held.namespace_name, held.spec), held.kind
    )
    try:
        left = force(held, call.actor)
    except (NotForced, StoreError) as error:
        raise Refusal(409, str(error)) from None
    return responses.json_body({"left": left})


def undelete_object(call: Call, model: type[PlatformObject], namespace: str, name: str) -> HttpResponse:
    """200 with what came back; 404 if the caller could never see such an object, 409 with why it does not come back."""
    audit.asked(f"{model.kind.lower()}:undelete", model.kind, namespace, name)
    if not visible_uids(call.access, model, namespace, name):
        raise Refusal(404, f"{model.kind} not found")

    def permit(kind: type[PlatformObject], document: Document) -> None:
        writing.permission(call.access, kind)(None, document)

    try:
        target = audit.Target(model.kind, namespace, name)
        with audit.operation(call.actor, f"{model.kind.lower()}:undelete", target, is_compound=True):
            done = undelete(model.kind, namespace, name, call.actor, permit)
    except Forbidden as forbidden:
        raise refusal_of(forbidden) from None
    except (NotUndeleted, StoreError) as error:
        raise Refusal(409, str(error)) from None
    return responses.json_body(
        {"object": store.to_document(done.obj), "others": [identity(obj) for obj in done.others]}
    )


@dataclass(frozen=True, slots=True)
class DeletedQuery:
    """Of which kind, and in which namespace; "" for all."""

    kind: str
    namespace: str

    @classmethod
    def bind(cls, query: QueryDict) -> DeletedQuery:
        return cls(kind=text_parameter(query, "kind"), namespace=text_parameter(query, "namespace"))


def list_deleted(call: Call) -> HttpResponse:
    """200 with what was deleted and can come back, the newest first."""
    query: DeletedQuery = call.query
    found = {item.row.sequence: item for item in deletions(query.kind, query.namespace)}
    rows = visible_revisions(call.access, [item.row for item in found.values()])
    return responses.json_body({"items": [deleted_document(found[row.sequence]) for row in rows]})


def deleted_document(item: Deletion) -> Document:
    row = item.row
    return {
        "kind": row.kind,
        "namespace": row.namespace,
        "name": row.name,
        "uid": str(row.uid),
        "deletedAt": timestamp(row.recorded_at),
        "deletedBy": item.by,
        "until": timestamp(item.until),
    }


def identity(obj: PlatformObject) -> Document:
    return {"kind": obj.kind, "namespace": obj.namespace_name, "name": obj.name, "uid": str(obj.uid)}
