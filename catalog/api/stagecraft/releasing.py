"""Promote, roll back, undeploy and restart in one request each, as the commands of these names do.

    POST …/components/{name}/promote       {"to": environment, "from": environment?}
    GET  …/components/{name}/rollback      `environment=`, `release=`: the plan
    POST …/components/{name}/rollback      {"environment", "release"?, "stopAutoDeploy"?, "ignoreDependencies"?}
    POST …/releasebindings/{name}/undeploy | redeploy | restart

All of it can be done by writing the objects, too; the rights are the same: those to write each object that changes.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse, QueryDict
from django.urls import URLPattern, path

from catalog import store
from catalog.access import writing
from catalog.api.permitted import visible
from catalog.api.stagecraft.drift import body_of, text_of
from catalog.kinds.base import Document, PlatformObject
from catalog.kinds.component import Component
from catalog.kinds.registry import BY_KIND
from catalog.kinds.release_binding import ReleaseBinding
from catalog.releases import running
from catalog.releases.compare import Difference
from catalog.releases.promote import PromotionRefused, promote
from catalog.releases.rollback import RollbackRefused, plan_rollback, roll_back
from catalog.store.errors import Invalid, StoreError
from portal.access.endpoint import Call, Handler, endpoint, refusal_of
from portal.access.guard import Forbidden
from portal.audit import operation as audit
from portal.wire import responses
from portal.wire.query import text_parameter
from portal.wire.responses import Refusal, Unreadable


@dataclass(frozen=True, slots=True)
class RollbackQuery:
    """Where, and to which release; "" for the one that ran before."""

    environment: str
    release: str

    @classmethod
    def bind(cls, query: QueryDict) -> RollbackQuery:
        environment = text_parameter(query, "environment")
        if not environment:
            raise Unreadable("Query argument environment is required, but not found")
        return cls(environment, text_parameter(query, "release"))


def promote_component(call: Call, model: type[PlatformObject], namespace: str, name: str) -> HttpResponse:
    """200 with the binding; 409 with why nothing can be promoted."""
    audit.asked("component:promote", model.kind, namespace, name)
    component: Any = visible(call, model, namespace, name)
    body = body_of(call)
    target, source = text_of(body, "to"), body.get("from") or None
    with answered(call, "component:promote", component):
        done = promote(component, target, call.actor, source, permit=permit_of(call))
    return responses.json_body(
        {"from": done.source, "release": done.release_name, "result": done.action, "binding": wire(done.binding)}
    )


def show_rollback(call: Call, model: type[PlatformObject], namespace: str, name: str) -> HttpResponse:
    """200 with what would change and what stands against it; 409 where there is no way back."""
    component: Any = visible(call, model, namespace, name)
    try:
        plan = plan_rollback(component, call.query.environment, call.query.release or None)
    except RollbackRefused as refused:
        raise Refusal(409, str(refused)) from None
    return responses.json_body(
        {
            "environment": plan.environment,
            "from": plan.from_release,
            "to": plan.to_release,
            "stopsAutoDeploy": plan.stops_auto_deploy,
            "configuration": [difference_document(item) for item in plan.configuration],
            "dependencies": [difference_document(item) for item in plan.dependencies],
            "refusals": plan.refusals,
        }
    )


def roll_component_back(call: Call, model: type[PlatformObject], namespace: str, name: str) -> HttpResponse:
    """200 with what was rolled back; 409 with what stands against it."""
    audit.asked("component:rollback", model.kind, namespace, name)
    component: Any = visible(call, model, namespace, name)
    body = body_of(call)
    environment, release = text_of(body, "environment"), body.get("release") or None
    with answered(call, "component:rollback", component):
        done = roll_back(
            component, environment, call.actor, release,
            stop_auto_deploy=body.get("stopAutoDeploy") is True,
            ignore_dependencies=body.get("ignoreDependencies") is True, permit=permit_of(call),
        )  # fmt: skip
    return responses.json_body(
        {
            "from": done.from_release,
            "to": done.to_release,
            "stoppedAutoDeploy": done.has_stopped_auto_deploy,
            "binding": wire(done.binding),
        }
    )


def changing(change: Callable[..., Any]) -> Callable[..., HttpResponse]:
    """A view that does one thing to a binding: 200 with it; 409 where that cannot be."""

    def view(call: Call, model: type[PlatformObject], namespace: str, name: str) -> HttpResponse:
        action = f"releasebinding:{change.__name__}"
        audit.asked(action, model.kind, namespace, name)
        binding = visible(call, model, namespace, name)
        with answered(call, action, binding):
            outcome = change(binding, call.actor, permit_of(call))
        return responses.json_body({"result": outcome.action, "binding": wire(outcome.obj)})

    return view


@contextmanager
def answered(call: Call, action: str, obj: PlatformObject) -> Any:
    """One operation in the audit, and its failures as refusals."""
    target = audit.Target(obj.kind, obj.namespace_name, obj.name)
    try:
        with audit.operation(call.actor, action, target, is_compound=True):
            yield
    except Forbidden as forbidden:
        raise refusal_of(forbidden) from None
    except Invalid as invalid:
        raise Refusal(422, str(invalid)) from None
    except (PromotionRefused, RollbackRefused, running.NotRunning, StoreError) as refused:
        raise Refusal(409, str(refused)) from None


def permit_of(call: Call) -> Callable[[PlatformObject | None, Document], None]:
    """What is asked about each object before it is written."""

    def permit(held: PlatformObject | None, document: Document) -> None:
        writing.permission(call.access, BY_KIND[document["kind"]])(held, document)

    return permit


def wire(obj: PlatformObject) -> Document:
    return store.to_document(obj)


def difference_document(item: Difference) -> Document:
    return {"path": item.path, "from": item.left, "to": item.right}


def routes() -> list[URLPattern]:
    components = "namespaces/<str:namespace>/components/<str:name>"
    bindings = "namespaces/<str:namespace>/releasebindings/<str:name>"
    component, binding = {"model": Component}, {"model": ReleaseBinding}
    found = [
        path(
            f"{components}/promote",
            endpoint(post=Handler(promote_component, action="releasebinding:update")),
            component,
        ),
        path(
            f"{components}/rollback",
            endpoint(
                get=Handler(show_rollback, RollbackQuery.bind, "component:view"),
                post=Handler(roll_component_back, action="releasebinding:update"),
            ),
            component,
        ),
    ]
    for change in (running.undeploy, running.redeploy, running.restart):
        view = endpoint(post=Handler(changing(change), action="releasebinding:update"))
        found.append(path(f"{bindings}/{change.__name__}", view, binding))
    return found
