"""The frame of an operation around every request, so that no view can forget it.

A request that may change something leaves at least one event: its changes', or, if there is none, one of its own with
the outcome that its status stands for. A read leaves one only when it is refused.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from portal.accounts.actor import Actor
from portal.audit.flood import is_too_many
from portal.audit.ledger import clean_free_text
from portal.audit.operation import ANONYMOUS, Operation, Origin, Target, conclude, current, frame, outcome_of_status
from portal.wire.request_ids import client_request_id, server_request_id

TRACE_PARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
READS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
VERBS = {"POST": "create", "PUT": "update", "PATCH": "update", "DELETE": "delete"}
ADMIN_VERBS = {"add": "create", "change": "update", "delete": "delete"}


class AuditMiddleware:
    """Outermost: what it sees is what the client gets."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        opened = Operation(origin=origin_of(request))
        with frame(opened):
            response = self.get_response(request)
            if needs_event(request, response, opened):
                describe(request, opened)
                status = response.status_code
                # A form that the admin shows again, with its errors, is a 200.
                outcome = "invalid" if status == 200 and is_admin(request) else outcome_of_status(status)
                outcome = "denied" if is_hidden_denial(opened, status) else outcome
                is_nobody = status == 401 or (opened.actor is not None and opened.actor.name == ANONYMOUS.name)
                if not is_nobody or not is_too_many(opened.origin.source_ip if opened.origin else None):
                    conclude(opened, outcome, status, {"changed": False} if outcome == "success" else {})
        return response

    def process_view(self, request: HttpRequest, view: Any, arguments: Any, parts: Any) -> None:
        """Before the view: in the admin it is the session that identifies."""
        opened = current()
        if opened is not None and is_admin(request) and settings.SESSION_COOKIE_NAME in request.COOKIES:
            opened.credential = "session"


def needs_event(request: HttpRequest, response: HttpResponseBase, opened: Operation) -> bool:
    """Whether the request must leave an event of its own."""
    status = response.status_code
    if status >= 500 and request.method not in READS:
        return True  # also after changes: their commit may be what has failed
    if opened.recorded or request.resolver_match is None or status == 405:
        return False
    if status in (401, 403) or is_hidden_denial(opened, status):
        return True
    if request.method in READS or opened.is_rehearsal:
        return False
    if admin_of(request) is None and not is_admin(request):
        return True
    # The admin answers 200 to forms with errors, and to "are you sure".
    return status != 200 or admin_verb(request) in ("add", "change")


def is_hidden_denial(opened: Operation, status: int) -> bool:
    """Whether a refusal was worded as if the object did not exist."""
    return status == 404 and opened.decision == "deny"


def describe(request: HttpRequest, opened: Operation) -> None:
    """Fill in what nobody on the way has: actor, action and object."""
    if opened.actor is None:
        user = getattr(request, "user", None)
        surface: Any = "admin" if is_admin(request) else "rest"
        if user is not None and user.is_authenticated:
            opened.actor = Actor(user.get_username(), user.principal_kind, surface, "")
        else:
            opened.actor = ANONYMOUS.on(surface)
    match = request.resolver_match
    parts = match.kwargs if match is not None else {}
    managed = admin_of(request)
    if managed is not None:
        kind = kind_of(managed.model)
        verb = ADMIN_VERBS.get(admin_verb(request)) or request.POST.get("action") or admin_verb(request)
        opened.action = opened.action or f"{kind.lower()}:{clean_free_text(verb, 40)}"
        if not opened.target.kind:
            opened.target = Target(kind, name=f"#{parts['object_id']}" if "object_id" in parts else "")
    else:
        subject = opened.target.kind.lower() or str(parts.get("plural") or last_segment(request.path))
        opened.action = opened.action or clean_free_text(f"{subject}:{VERBS.get(request.method or '', 'view')}", 80)
        held, namespace, name = opened.target, parts.get("namespace", ""), parts.get("name", "")
        opened.target = Target(held.kind, held.namespace or namespace, held.name or name)


def kind_of(model: type) -> str:
    """A kind of the platform by its name, any other model by that of its class."""
    kind = getattr(model, "kind", None)
    return kind if isinstance(kind, str) else model.__name__


def last_segment(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2] or "root"


def is_admin(request: HttpRequest) -> bool:
    return request.resolver_match is not None and "admin" in request.resolver_match.app_names


def admin_of(request: HttpRequest) -> Any:
    """The model's admin that serves the request, None if it is none."""
    match = request.resolver_match
    return getattr(match.func, "model_admin", None) if match is not None else None


def admin_verb(request: HttpRequest) -> str:
    """The last word of an admin URL's name: add, change, delete, changelist."""
    name = request.resolver_match.url_name if request.resolver_match is not None else ""
    return (name or "").rpartition("_")[2]


def origin_of(request: HttpRequest) -> Origin:
    """Where a request comes from, in our own words."""
    return Origin(
        request_id=server_request_id(request),
        client_request_id=clean_free_text(given, 64) if (given := client_request_id(request)) else "",
        source_ip=source_ip(request),
        user_agent=clean_agent(request.META.get("HTTP_USER_AGENT", "")),
        trace_id=trace_id(request),
    )


def trace_id(request: HttpRequest) -> str:
    """The trace that the request belongs to, by the header `traceparent`; "" for none or a malformed one."""
    given = request.META.get("HTTP_TRACEPARENT", "")
    found = TRACE_PARENT.fullmatch(given) if given else None
    return found[1] if found is not None and found[1] != "0" * 32 else ""


@lru_cache(maxsize=1024)
def clean_agent(text: str) -> str:
    """A user agent as it is written down; few programs send most requests."""
    return clean_free_text(text, 200)


def claims_of_agent(request: HttpRequest) -> dict[str, str]:
    """What an agent says of itself in `X-Agent-Model`, `-Session`, `-Tool` and `-Call`. Nothing is decided by it."""
    given = {name.lower(): request.headers.get(f"X-Agent-{name}", "") for name in ("Model", "Session", "Tool", "Call")}
    return {name: clean_free_text(value, 100) for name, value in given.items() if value}


def source_ip(request: HttpRequest) -> str | None:
    """The address of the client, as the outermost of our own proxies has seen it.

    Each proxy appends the address that it was called from, so the hop to believe is counted from the right
    (`TRUSTED_PROXIES`); everything to the left of it is the client's own invention.
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
        if len(hops) >= settings.TRUSTED_PROXIES and hops[-settings.TRUSTED_PROXIES]:
            address = hops[-settings.TRUSTED_PROXIES]
    return address_of(address)


@lru_cache(maxsize=4096)
def address_of(text: str) -> str | None:
    """An address in its normal form, None for what is none."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
