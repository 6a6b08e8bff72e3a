"""`/api/v1alpha1/namespaces/{ns}/secrets`: secrets that users hand over, under the actions `secret:…`.

Off unless `SECRET_MANAGEMENT_ENABLED`, as upstream. Values go in and do not come out: replies name the keys
(`secret_replies`), unless `SECRETS_SHOW_VALUES` wants upstream's behaviour, where whoever may see a secret reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpResponse, QueryDict

from catalog.api.secret_replies import answered, permit, require, revealed, wire_secret
from catalog.api.typed_body import typed, wrong_type
from catalog.compiler.documents import Document
from catalog.secrets import keeping
from catalog.secrets.keeping import KeptSecret
from catalog.secrets.wanted import PlaneName, Values, WantedSecret, check_labels, check_secret, check_values
from portal.access.endpoint import Call
from portal.access.place import Place
from portal.audit import operation as audit
from portal.secrets import SecretText
from portal.wire import responses
from portal.wire.cursors import BrokenCursor, decode_cursor, encode_cursor
from portal.wire.query import limit_parameter, text_parameter
from portal.wire.responses import Refusal, Unreadable

DISABLED = "Secret API is disabled on this server"
NOT_FOUND = "secret not found"
TEXT = {"type": "string"}
TEXTS = {"type": "object", "additionalProperties": TEXT}
PLANE = {"type": "object", "properties": {"kind": TEXT, "name": TEXT}}
CREATE = {
    "type": "object",
    "properties": {"secretName": TEXT, "secretType": TEXT, "targetPlane": PLANE, "data": TEXTS, "labels": TEXTS},
}
UPDATE = {"type": "object", "properties": {"data": TEXTS, "labels": TEXTS}}
FAILURES = ("secret", Refusal(422, "target plane not found"), "secret store is not configured on the target plane")


@dataclass(frozen=True, slots=True)
class PageQuery:
    limit: int
    cursor: str

    @classmethod
    def bind(cls, query: QueryDict) -> PageQuery:
        return cls(limit_parameter(query), text_parameter(query, "cursor"))


def when_enabled(handler: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """501 for everything while the feature is off."""

    def guarded(call: Call, **parts: str) -> HttpResponse:
        if not settings.SECRET_MANAGEMENT_ENABLED:
            raise Refusal(501, DISABLED)
        return handler(call, **parts)

    return guarded


@when_enabled
def list_secrets(call: Call, namespace: str) -> HttpResponse:
    """200 with a page of secrets; empty for those who may not see them."""
    query: PageQuery = call.query
    try:
        after = decode_cursor(query.cursor, call.access.subject.name)
    except BrokenCursor as error:
        raise Refusal(400, str(error)) from None
    found: list[KeptSecret] = []
    if call.access.allows("secret:view", Place(namespace)):
        found = keeping.list_kept(namespace, after=after, limit=query.limit + 1)
    pagination = {}
    if len(found) > query.limit:
        found.pop()
        pagination["nextCursor"] = encode_cursor(found[-1].reference.name, call.access.subject.name)
    with answered(*FAILURES):
        items = [item for kept in found if (item := shown(call, kept)) is not None]
    return responses.json_body({"items": items, "pagination": pagination})


@when_enabled
def create_secret(call: Call, namespace: str) -> HttpResponse:
    """201 with the secret. 400, 409, 422 for a plane that does not exist."""
    body = read_body(call, CREATE, "CreateSecretRequest")
    name, plane = text_of(body, "secretName"), body.get("targetPlane") or {}
    audit.named(name)
    require(call, "secret:create", namespace, NOT_FOUND)
    values = values_of(body)
    wanted = WantedSecret(
        namespace=namespace,
        name=name,
        type=text_of(body, "secretType"),
        plane=PlaneName(text_of(plane, "kind"), text_of(plane, "name")),
        values=values,
        labels=body.get("labels") or {},
    )
    with answered(*FAILURES):
        check_secret(wanted)
        kept = keeping.create(wanted, call.actor, permit(call, "secret:create", namespace, NOT_FOUND))
    return responses.json_body(echoed(kept, values), 201)


@when_enabled
def get_secret(call: Call, namespace: str, name: str) -> HttpResponse:
    """200 with the secret, or 404."""
    require(call, "secret:view", namespace, NOT_FOUND)
    kept = existing(namespace, name)
    with answered(*FAILURES):
        document = shown(call, kept)
    if document is None:
        raise Refusal(404, NOT_FOUND)
    return responses.json_body(document)


@when_enabled
def update_secret(call: Call, namespace: str, name: str) -> HttpResponse:
    """200 with the secret after its values and labels have been replaced whole."""
    body = read_body(call, UPDATE, "UpdateSecretRequest")
    require(call, "secret:update", namespace, NOT_FOUND)
    kept = existing(namespace, name)
    values, labels = values_of(body), body.get("labels") or {}
    with answered(*FAILURES):
        check_values(kept.reference.spec["template"]["type"], values)
        check_labels(labels)
        may = permit(call, "secret:update", namespace, NOT_FOUND)
        kept = keeping.set_values(kept, values, labels, call.actor, may)
    return responses.json_body(echoed(kept, values))


@when_enabled
def delete_secret(call: Call, namespace: str, name: str) -> HttpResponse:
    """204, or 404."""
    require(call, "secret:delete", namespace, NOT_FOUND)
    kept = existing(namespace, name)
    with answered(*FAILURES):
        keeping.remove(kept, call.actor, permit(call, "secret:delete", namespace, NOT_FOUND))
    return responses.no_content()


def existing(namespace: str, name: str) -> KeptSecret:
    kept = keeping.find(namespace, name)
    if kept is None:
        raise Refusal(404, NOT_FOUND)
    return kept


def shown(call: Call, kept: KeptSecret) -> Document | None:
    """A secret for somebody who may see it; None if its plane has lost it (only noticed where values are shown)."""
    if not settings.SECRETS_SHOW_VALUES:
        return wire_secret(kept, None)
    values = revealed(call, kept)
    return None if values is None else wire_secret(kept, values)


def echoed(kept: KeptSecret, values: Values) -> Document:
    """The reply to whoever has just sent the values."""
    return wire_secret(kept, values if settings.SECRETS_SHOW_VALUES else None)


def read_body(call: Call, schema: Document, name: str) -> Document:
    """The body, its JSON types checked; absent means empty. Raises `Unreadable`."""
    body = call.json()
    if body is None:
        return {}
    if not isinstance(body, dict):
        raise wrong_type(body, name, name)
    typed(schema, body, name)
    refuse_nul(body, "")
    return body


def refuse_nul(value: Any, path: str) -> None:
    """No database and no Kubernetes name takes a NUL; values of secrets may have one."""
    if isinstance(value, str) and "\0" in value:
        raise Unreadable(f"can't decode JSON body: {path} may not contain the NUL character")
    if isinstance(value, dict):
        for key, item in value.items():
            refuse_nul(key, f"a key of {path or 'the body'}")
            if path != "data":
                refuse_nul(item, f"{path}.{key}" if path else key)


def text_of(body: Document, field: str) -> str:
    return body.get(field) or ""


def values_of(body: Document) -> dict[str, SecretText]:
    """The values, out of plain text as early as can be."""
    return {key: SecretText(value or "") for key, value in (body.pop("data", None) or {}).items()}
