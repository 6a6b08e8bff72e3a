"""What every API endpoint does before and after its own work, in the order that the contract fixes.

Route and verb, then query parameters, then authentication; the handler itself reads the body and asks for permission.
Whatever goes wrong below is answered in the right one of the contract's shapes.

    view = endpoint(get=Handler(list_components, bind=list_query), post=create_component)
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict

from portal.access import guard
from portal.access.bearer import Unauthenticated, authenticate
from portal.access.engine import Access
from portal.access.moment import Moment
from portal.access.rules import POWER_KINDS
from portal.access.subject import is_unchecked, subject_of_identity
from portal.accounts.actor import Actor, ActorKind, Surface
from portal.accounts.identity import Identity
from portal.accounts.models import User
from portal.audit import operation as audit
from portal.audit.middleware import claims_of_agent
from portal.wire import gojson, responses
from portal.wire.conditional import conditional
from portal.wire.request_ids import request_id_of
from portal.wire.responses import Refusal, Unreadable

log = logging.getLogger(__name__)
ANYONE = "anyone who is signed in"
OWN_PATHS = "/api/stagecraft/"


@dataclass
class Call:
    """One authenticated request on its way through a handler. `query` is what the handler's `bind` made of it."""

    request: HttpRequest
    identity: Identity
    query: Any = None
    surface: Surface = "rest"

    @property
    def user(self) -> User:
        return self.identity.user

    @cached_property
    def actor(self) -> Actor:
        """Who the log will name for changes made by this request."""
        return Actor(
            name=self.user.get_username(),
            kind=cast(ActorKind, self.user.principal_kind),
            surface=self.surface,
            request_id=request_id_of(self.request),
        )

    def json(self) -> Any:
        """The body's first JSON value. Raises `Unreadable`."""
        try:
            return gojson.decode(self.request.body)
        except gojson.UndecodableJSON as error:
            raise Unreadable(f"can't decode JSON body: {error}") from None

    @cached_property
    def access(self) -> Access:
        """What the caller may do, read once for this request."""
        moment = self.identity.moment
        return Access(subject_of_identity(self.identity), None if moment is None else Moment(*moment))

    def require(self, verb: str, kind: str, *, namespace: str = "", name: str = "") -> None:
        """Refuse what the caller may not do to the object of that name. Raises `guard.Forbidden`."""
        guard.require_named(self.access, verb, kind, namespace, name)


@dataclass(frozen=True)
class Handler:
    """A handler, how it reads its query parameters (before authentication), and which action it asks for.

    `action` is for readers and for the test that goes over all routes: `{kind}:view`, or `ANYONE` for what every signed
    in caller may do.
    """

    run: Callable[..., HttpResponseBase]
    bind: Callable[[QueryDict], Any] = field(default=lambda query: None)
    action: str = ""


def endpoint(**by_method: Handler | Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A Django view from handlers by method; each is called with a `Call` and the route's parts."""
    handlers = {
        method.upper(): handler if isinstance(handler, Handler) else Handler(handler)
        for method, handler in by_method.items()
    }

    def view(request: HttpRequest, **parts: Any) -> HttpResponseBase:
        return answer(handlers, request, parts)

    view.csrf_exempt = True  # type: ignore[attr-defined]  # a bearer token is not sent by a browser on its own
    view.handlers = handlers  # type: ignore[attr-defined]
    return view


def answer(handlers: dict[str, Handler], request: HttpRequest, parts: dict[str, Any]) -> HttpResponseBase:
    """Answer one request by the handler for its method."""
    method = "GET" if request.method == "HEAD" else request.method or ""
    if method not in handlers:
        return responses.method_not_allowed(handlers)
    if any("\0" in part for part in parts.values() if isinstance(part, str)):
        return responses.text_error(400, "a path may not contain the NUL character")
    handler = handlers[method]
    try:
        query = handler.bind(request.GET)
        call = Call(request, authenticate(request), query)
        note_caller(call, parts)
        refuse_tools_only(call)
        refuse_policy_when_off(parts)
        return conditional(request, handler.run(call, **parts))
    except Unauthenticated as error:
        return responses.authentication_error(error.code, error.message)
    except Unreadable as error:
        return responses.text_error(400, str(error))
    except RequestDataTooBig:
        return responses.text_error(413, "http: request body too large")
    except guard.Forbidden as forbidden:
        return forbidden_reply(request, forbidden)
    except Refusal as refusal:
        return refusal.response
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        return responses.error(500, responses.INTERNAL_ERROR)


def forbidden_reply(request: HttpRequest, forbidden: guard.Forbidden) -> HttpResponse:
    """404 or 403. On our own paths a 403 says which action is wanting and which request to name when asking why; the
    contract's replies keep their form."""
    refusal = refusal_of(forbidden)
    if refusal.status != 403 or not request.path.startswith(OWN_PATHS):
        return refusal.response
    body = {"code": responses.CODES[403], "error": refusal.text}
    return responses.json_body({**body, "action": forbidden.action, "requestId": request_id_of(request)}, 403)


def refusal_of(forbidden: guard.Forbidden, not_found: str = "") -> Refusal:
    """The reply for what the caller may not do: as for a missing object, or 403."""
    if forbidden.is_hidden:
        return Refusal(404, not_found or f"{forbidden.kind} not found")
    return Refusal(403, forbidden.message or responses.FORBIDDEN)


def refuse_tools_only(call: Call) -> None:
    """Refuse an account that is limited to tools: here there are none, and its grants would count without the list."""
    if call.user.is_limited_to_tools:
        audit.decided(is_allowed=False, reason={"because": "limited to tools"})
        raise Refusal(403, "this account may only call its tools, over MCP")


def refuse_policy_when_off(parts: dict[str, Any]) -> None:
    """Roles and bindings cannot be reached while permission is switched off: 500, as the contract's server answers."""
    of_kind = parts.get("collection") or parts.get("model")
    if is_unchecked() and getattr(of_kind, "kind", "").lower() in POWER_KINDS:
        raise Refusal(500, responses.INTERNAL_ERROR)


def note_caller(call: Call, parts: dict[str, Any]) -> None:
    """Tell the audit who calls, with which credential, and about which object."""
    opened = audit.current()
    if opened is None:
        return
    opened.actor = call.actor
    opened.credential = call.identity.credential
    if call.user.principal_kind == "agent":
        opened.agent = claims_of_agent(call.request)
    if call.identity.acting_for is not None:
        opened.on_behalf_of = call.identity.acting_for.user.get_username()
    of_kind = parts.get("collection") or parts.get("model")
    opened.target = audit.Target(getattr(of_kind, "kind", ""), parts.get("namespace", ""), parts.get("name", ""))


def public(view: Callable[..., HttpResponse], *methods: str) -> Callable[..., HttpResponse]:
    """A view that needs no token and answers these methods (GET and HEAD unless told)."""
    allowed = set(methods or ("GET",))

    def guarded(request: HttpRequest, **parts: Any) -> HttpResponse:
        method = "GET" if request.method == "HEAD" else request.method
        return view(request, **parts) if method in allowed else responses.method_not_allowed(allowed)

    guarded.csrf_exempt = True  # type: ignore[attr-defined]
    guarded.is_public = True  # type: ignore[attr-defined]
    return guarded
