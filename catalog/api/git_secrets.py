"""`/api/v1alpha1/namespaces/{ns}/gitsecrets`: credentials for Git that workflows use.

The actions are `secretreference:…`, by contract. Never shown, not even by upstream: a list names them and their planes.
"""

from __future__ import annotations

from django.http import HttpResponse

from catalog.api.secret_replies import answered, permit, require
from catalog.api.secrets import TEXT, read_body, text_of
from catalog.compiler.documents import Document
from catalog.secrets import keeping
from catalog.secrets.keeping import KeptSecret
from catalog.secrets.wanted import WORKFLOW_PLANE_KINDS, PlaneName, Unusable, WantedSecret
from portal.access.endpoint import Call
from portal.access.place import Place
from portal.audit import operation as audit
from portal.secrets import SecretText
from portal.wire import responses
from portal.wire.responses import Refusal

NOT_FOUND = "git secret not found"
FIELDS = (
    "secretName",
    "secretType",
    "workflowPlaneKind",
    "workflowPlaneName",
    "username",
    "token",
    "sshKey",
    "sshKeyId",
)
CREATE = {"type": "object", "properties": dict.fromkeys(FIELDS, TEXT)}
FAILURES = (
    "git secret",
    Refusal(400, "workflow plane not found"),
    "secret store is not configured on the workflow plane",
)


def list_git_secrets(call: Call, namespace: str) -> HttpResponse:
    """200 with `{items, totalCount}`: all of them, or none for those who may not see SecretReferences."""
    found: list[KeptSecret] = []
    if call.access.allows("secretreference:view", Place(namespace)):
        found = keeping.list_kept(namespace, git=True)
    return responses.json_body({"items": [wire_git_secret(kept) for kept in found], "totalCount": len(found)})


def create_git_secret(call: Call, namespace: str) -> HttpResponse:
    """201 with name and plane."""
    body = read_body(call, CREATE, "CreateGitSecretRequest")
    audit.named(text_of(body, "secretName"))
    require(call, "secretreference:create", namespace, NOT_FOUND)
    with answered(*FAILURES):
        may = permit(call, "secretreference:create", namespace, NOT_FOUND)
        kept = keeping.create(wanted_of(body, namespace), call.actor, may)
    return responses.json_body(wire_git_secret(kept), 201)


def delete_git_secret(call: Call, namespace: str, name: str) -> HttpResponse:
    """204, or 404."""
    require(call, "secretreference:delete", namespace, NOT_FOUND)
    kept = keeping.find(namespace, name, git=True)
    if kept is None:
        raise Refusal(404, NOT_FOUND)
    with answered(*FAILURES):
        keeping.remove(kept, call.actor, permit(call, "secretreference:delete", namespace, NOT_FOUND))
    return responses.no_content()


def wanted_of(body: Document, namespace: str) -> WantedSecret:
    """What the body asks for. Raises `Unusable`."""
    kind = text_of(body, "secretType")
    token, key = SecretText(body.pop("token", None) or ""), SecretText(body.pop("sshKey", None) or "")
    if kind not in ("basic-auth", "ssh-auth"):
        raise Unusable(f"unsupported secret type: {kind}")
    if kind == "basic-auth":
        if not token:
            raise Unusable("token is required for basic-auth type")
        values, extra = {"password": token}, ("username", text_of(body, "username"))
    else:
        if not key:
            raise Unusable("sshKey is required for ssh-auth type")
        values, extra = {"ssh-privatekey": key}, ("ssh-key-id", text_of(body, "sshKeyId"))
    if extra[1]:
        values[extra[0]] = SecretText(extra[1])
    plane = PlaneName(text_of(body, "workflowPlaneKind"), text_of(body, "workflowPlaneName"))
    if plane.kind not in WORKFLOW_PLANE_KINDS:
        raise Unusable(f"unsupported workflow plane kind: {plane.kind}")
    name = text_of(body, "secretName")
    if not name:
        raise Unusable("secretName is required")
    return WantedSecret(namespace, name, f"kubernetes.io/{kind}", plane, values, is_git=True)


def wire_git_secret(kept: KeptSecret) -> Document:
    return {
        "name": kept.reference.name,
        "namespace": kept.reference.namespace_name,
        "workflowPlaneKind": kept.plane.kind,
        "workflowPlaneName": kept.plane.name,
    }
