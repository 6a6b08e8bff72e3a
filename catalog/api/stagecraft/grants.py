"""Grants over REST: who has what where, by binding or by hand; and giving and taking by hand.

A grant by hand is a binding without a document: `origin` is `manual`, and it has an `id` by which it can be changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.http import HttpResponse, QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from catalog.access import hand_grants
from catalog.access.grant_listing import Grant, Scope, Wanted, grants_query, read
from catalog.access.grant_rows import level_of, place_of_scope
from catalog.access.hand_grants import BadGrant
from catalog.access.scopes import scopes_around
from portal.access import guard
from portal.access.endpoint import Call
from portal.access.place import Place
from portal.access.subject import entitlement
from portal.accounts.models import User
from portal.wire import responses
from portal.wire.cursors import BrokenCursor, decode_cursor, encode_cursor
from portal.wire.query import flag_parameter, integer_parameter, limit_parameter, text_parameter
from portal.wire.responses import Refusal, Unreadable

ORIGINS = ("", "manual", "binding")


@dataclass(frozen=True, slots=True)
class GrantsQuery:
    """`namespace`, `project`, `component`, `resource` say where; `above` adds what the places around it give."""

    place: Place
    above: bool
    user: str
    group: str
    origin: str
    unused_days: int | None
    limit: int
    cursor: str

    @classmethod
    def bind(cls, query: QueryDict) -> GrantsQuery:
        origin = text_parameter(query, "origin")
        if origin not in ORIGINS:
            raise Unreadable(f"Invalid format for parameter origin: {origin!r} is neither manual nor binding")
        unused = integer_parameter(query, "unusedDays")
        if unused is not None and not 0 <= unused <= 36500:
            raise Unreadable("Invalid format for parameter unusedDays: give a number of days from 0 on")
        return cls(
            Place(*(text_parameter(query, name) for name in ("namespace", "project", "component", "resource"))),
            flag_parameter(query, "above"),
            text_parameter(query, "user"),
            text_parameter(query, "group"),
            origin,
            unused,
            limit_parameter(query),
            text_parameter(query, "cursor"),
        )


def list_grants(call: Call) -> HttpResponse:
    """200 with a page of grants. Whoever may see bindings at a place may see its grants; 403 for others."""
    query: GrantsQuery = call.query
    if not hand_grants.may(call.access, "view", query.place):
        raise Refusal(403, responses.FORBIDDEN)
    try:
        start = int(decode_cursor(query.cursor, call.access.subject.name) or 0)
    except (BrokenCursor, ValueError):
        raise Refusal(400, "invalid cursor") from None
    found = list(grants_query(wanted_of(call, query))[start : start + query.limit + 1])
    following = encode_cursor(str(start + query.limit), call.access.subject.name)
    pagination = {"nextCursor": following} if len(found) > query.limit else {}
    items = [wire_grant(grant) for grant in read(found[: query.limit])]
    return responses.json_body({"items": items, "pagination": pagination})


def wanted_of(call: Call, query: GrantsQuery) -> Wanted:
    """What the query asks for. Without a place: all places."""
    scopes = Wanted().scopes
    if query.place.namespace:
        around = scopes_around(query.place)
        if not around:
            raise Refusal(404, f"{query.place.level.capitalize()} not found")
        scopes = tuple(Scope(level, (key,)) for level, key in (around if query.above else around[-1:]))
        if not hand_grants.may(call.access, "view", Place()):
            scopes = tuple(scope for scope in scopes if scope.level != "cluster")
    users: tuple[int, ...] | None = None
    groups: tuple[int, ...] | None = None
    if query.user or query.group:
        users = tuple(User.objects.filter(username=query.user).values_list("pk", flat=True)) if query.user else ()
        claim, _, value = query.group.partition(":")
        names = [query.group, entitlement(claim, value)]
        groups = tuple(Group.objects.filter(name__in=names).values_list("pk", flat=True)) if query.group else ()
    since = None if query.unused_days is None else timezone.now() - timedelta(days=query.unused_days)
    return Wanted(scopes, users, groups, query.origin, since)


def give_grant(call: Call) -> HttpResponse:
    """201 with the grant; 400 for what cannot be given, 403 for what the caller may not give."""
    body = call.json()
    if not isinstance(body, Mapping):
        raise Unreadable("the body must be an object")
    scope, role = of(body, "scope", {}), of(body, "role", {})
    place = Place(*(text_of(scope, name) for name in ("namespace", "project", "component", "resource")))
    if not hand_grants.may(call.access, "create", place):
        refuse(call, place)
    try:
        asked = hand_grants.ask(
            place,
            user=text_of(body, "user"),
            group=text_of(body, "group"),
            role=f"{text_of(role, 'kind') or 'ClusterAuthzRole'}/{text_of(role, 'name')}" if role else "",
            action=text_of(body, "action"),
            expires_at=moment_of(body),
        )
    except BadGrant as error:
        raise Refusal(400, f"{error.field}: {error}") from None
    row = hand_grants.give(call.access, call.actor, asked)
    return responses.json_body(wire_grant(shown(row)), status=201)


def change_grant(call: Call, key: str) -> HttpResponse:
    """200 with the grant after its end has been set (`{"expiresAt": null}` for none)."""
    body, row = call.json(), found_row(call, key)
    if not isinstance(body, Mapping) or "expiresAt" not in body:
        raise Unreadable('the body must be {"expiresAt": a time or null}')
    try:
        changed = hand_grants.change_end(call.access, call.actor, row, moment_of(body))
    except BadGrant as error:
        raise Refusal(400, f"{error.field}: {error}") from None
    return responses.json_body(wire_grant(shown(changed)))


def take_grant(call: Call, key: str) -> HttpResponse:
    """204 once it has been taken back; 404 for what was not given by hand."""
    hand_grants.take(call.access, call.actor, found_row(call, key))
    return HttpResponse(status=204)


def found_row(call: Call, key: str) -> Any:
    """The row of a grant by hand; 404 if there is none, and the same for whoever may not see it."""
    row = hand_grants.row_of(key)
    if row is None or not hand_grants.may(call.access, "view", place_of_scope(row.content_object)):
        raise Refusal(404, "Grant not found")
    return row


def refuse(call: Call, place: Place) -> None:
    """Ask the engine aloud, so that the refusal is in the audit with its reason."""
    action, where = hand_grants.binding_action(place, "create")
    guard.require_at(call.access, action, where, kind=hand_grants.KIND)


def shown(row: Any) -> Grant:
    """One row as the list has it."""
    table = "user" if hasattr(row, "user_id") else "group"
    scope = Scope(level_of(type(row)), (row.content_object_id,))
    holders = {"users": (row.user_id,), "groups": ()} if table == "user" else {"users": (), "groups": (row.group_id,)}
    wanted = Wanted((scope,), permissions=(row.permission_id,), **holders)  # type: ignore[arg-type]
    return next(grant for grant in read(list(grants_query(wanted))) if grant.table == table and grant.row == row.pk)


def wire_grant(grant: Grant) -> dict[str, Any]:
    """A grant as REST shows it; what is empty is left out."""
    place = grant.place
    names = {"namespace": place.namespace, "project": place.project, "component": place.component}
    shown: dict[str, Any] = {
        "id": grant.key,
        "origin": grant.origin,
        "effect": grant.effect,
        grant.holder_kind: grant.holder,
        "scope": {name: value for name, value in {**names, "resource": place.resource}.items() if value},
        "path": place.path,
        "expired": grant.is_expired,
        "grantedAt": wire_time(grant.granted_at),
    }
    if grant.role.kind:
        shown["role"] = {"kind": grant.role.kind, "name": grant.role.name}
    else:
        shown["action"] = grant.role.name
    optional = {
        "grantedBy": grant.granted_by,
        "expiresAt": wire_time(grant.expires_at),
        "lastUsedAt": wire_time(grant.used_at),
        "lastChangedAt": wire_time(grant.changed_at),
        "bindings": [
            {"kind": one.kind, "namespace": one.namespace, "name": one.name, "index": one.position}
            for one in grant.bindings
        ],
        "conditions": [{"actions": one["actions"], "expression": one["expression"]} for one in grant.conditions],
    }
    return shown | {name: value for name, value in optional.items() if value}


def wire_time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def of(body: Mapping[str, Any], name: str, default: Any) -> Any:
    value = body.get(name)
    if value is not None and not isinstance(value, Mapping):
        raise Refusal(400, f"{name}: must be an object")
    return value or default


def text_of(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise Refusal(400, f"{name}: must be a text")
    return value or ""


def moment_of(body: Mapping[str, Any]) -> datetime | None:
    """`expiresAt` of a body."""
    text = text_of(body, "expiresAt")
    if not text:
        return None
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Refusal(400, f"expiresAt: {text!r} is not an RFC 3339 time with a zone")
    return moment
