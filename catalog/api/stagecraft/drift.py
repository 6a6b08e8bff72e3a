"""Drift of a binding: what differs on its planes, and the three answers to it, as `manage.py drift` has them.

    GET  …/{name}/drift              `all=true` adds what servers and controllers fill in
    POST …/{name}/drift/restore      {"ids": […]}; without ids all that is open
    POST …/{name}/drift/accept       {"id": …}
    POST …/{name}/drift/ignore       {"id": …, "for": "7d", "reason": …}

Whoever may see the binding sees its drift; each answer is an action of its own (`drift:restore` and so on), judged at
the binding and its environment. To accept needs the right to change the binding, too.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, QueryDict
from django.urls import URLPattern, path
from django.utils import timezone

from catalog.access import writing
from catalog.access.hierarchy import attributes_of, place_of
from catalog.api.permitted import visible
from catalog.delivery.plane import PlaneError, Unsupported
from catalog.kinds.base import Document, PlatformObject
from catalog.kinds.registry import BY_KIND
from catalog.manifests import drifting
from catalog.manifests.drifting import BadDecision, NoSuchDifference
from catalog.manifests.overriding import NotAcceptable
from catalog.store.errors import StoreError
from portal.access import guard
from portal.access.endpoint import Call, Handler, endpoint, refusal_of
from portal.access.guard import Forbidden
from portal.audit import operation as audit
from portal.wire import responses
from portal.wire.query import flag_parameter
from portal.wire.responses import Refusal


def bind_everything(query: QueryDict) -> bool:
    return flag_parameter(query, "all")


def show_drift(call: Call, model: type[PlatformObject], namespace: str, name: str) -> HttpResponse:
    """200 with what differs now, and what was found before; 501 where the plane cannot be looked into."""
    binding = visible(call, model, namespace, name)
    try:
        seen = drifting.look(binding, everything=call.query)
    except Unsupported as error:
        raise Refusal(501, str(error)) from None
    except PlaneError as error:
        raise Refusal(502, str(error)) from None
    return responses.json_body(
        {
            "items": [drifting.seen_document(item) for item in seen],
            "history": [drifting.record_document(row) for row in drifting.records_of(binding)],
        }
    )


def restore_drift(call: Call, model: type[PlatformObject], namespace: str, name: str) -> HttpResponse:
    """202 with the objects that will be made as they are wanted."""
    binding = permitted(call, model, namespace, name, "restore")
    ids = body_of(call).get("ids", [])
    if not isinstance(ids, list) or not all(isinstance(item, str) for item in ids):
        raise Refusal(400, "ids: must be a list of texts")
    return responses.json_body({"objects": decided(lambda: drifting.restore(binding, ids, call.actor))}, 202)


def accept_drift(call: Call, model: type[PlatformObject], namespace: str, name: str) -> HttpResponse:
    """200 with the difference, which is an override of the binding now; 409 with the reason where none says that."""
    binding = permitted(call, model, namespace, name, "accept")
    wanted = text_of(body_of(call), "id")
    permit = writing.permission(call.access, model)
    return responses.json_body(
        drifting.record_document(decided(lambda: drifting.accept(binding, wanted, call.actor, permit)))
    )


def ignore_drift(call: Call, model: type[PlatformObject], namespace: str, name: str) -> HttpResponse:
    """200 with the difference, which is left alone for the time."""
    binding = permitted(call, model, namespace, name, "ignore")
    body = body_of(call)
    wanted, reason = text_of(body, "id"), text_of(body, "reason")

    def decide() -> Any:
        until = drifting.until_from(text_of(body, "for"), timezone.now())
        return drifting.ignore(binding, wanted, until, reason, call.actor)

    return responses.json_body(drifting.record_document(decided(decide)))


def decided(decide: Any) -> Any:
    """What a decision gives; its failures as refusals."""
    try:
        return decide()
    except NoSuchDifference as error:
        raise Refusal(404, str(error)) from None
    except BadDecision as error:
        raise Refusal(400, str(error)) from None
    except Forbidden as forbidden:
        raise refusal_of(forbidden) from None
    except (NotAcceptable, StoreError) as error:
        raise Refusal(409, str(error)) from None
    except Unsupported as error:
        raise Refusal(501, str(error)) from None
    except PlaneError as error:
        raise Refusal(502, str(error)) from None


def permitted(call: Call, model: type[PlatformObject], namespace: str, name: str, verb: str) -> PlatformObject:
    """The binding, if the caller may give that answer to its drift."""
    audit.asked(f"drift:{verb}", model.kind, namespace, name)
    held = visible(call, model, namespace, name)
    place = place_of(held.kind, held.namespace_name, held.name, held.spec, held.labels)
    attributes = attributes_of(held.kind, held.namespace_name, held.spec)
    guard.require_at(call.access, f"drift:{verb}", place, attributes, held.kind)
    return held


def body_of(call: Call) -> Document:
    """The body's object, {} without a body."""
    found = call.json() if call.request.body.strip() else {}
    if not isinstance(found, dict):
        raise Refusal(400, "the body must be a JSON object")
    return found


def text_of(body: Document, field: str) -> str:
    value = body.get(field)
    if not isinstance(value, str) or not value:
        raise Refusal(400, f"{field}: must be given, as a text")
    return value


def routes() -> list[URLPattern]:
    """The routes for the three kinds of bindings."""
    found = []
    for kind in sorted(drifting.BINDING_KINDS):
        model = BY_KIND[kind]
        prefix = f"namespaces/<str:namespace>/{model.plural}/<str:name>/drift"
        views = {
            prefix: endpoint(get=Handler(show_drift, bind_everything, f"{kind.lower()}:view")),
            f"{prefix}/restore": endpoint(post=Handler(restore_drift, action="drift:restore")),
            f"{prefix}/accept": endpoint(post=Handler(accept_drift, action="drift:accept")),
            f"{prefix}/ignore": endpoint(post=Handler(ignore_drift, action="drift:ignore")),
        }
        found += [path(route, view, {"model": model}) for route, view in views.items()]
    return found
