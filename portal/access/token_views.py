"""One's own access tokens over REST: `GET`, `POST /api/stagecraft/v1/access/tokens`, `DELETE …/tokens/{id}`.

People and service accounts make tokens for themselves, and a person makes tokens by which an agent of theirs acts for
them. Nobody gets more out of this than they came with: a token made with a token has at most its actions, its place
and its end. Agents make none. Whoever comes from an outside issuer makes none either, for such a token would outlive
what the issuer says of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from portal.access.endpoint import Call
from portal.access.limited import BadLimits, contains, limits_for
from portal.access.place import Place
from portal.accounts.limits import Limits
from portal.accounts.models import AccessToken, BadToken, User, make_token
from portal.accounts.tokens import revoke
from portal.audit import operation as audit
from portal.audit.accounts import account_event
from portal.audit.operation import record_changes
from portal.wire import responses
from portal.wire.responses import Refusal

FIELDS = {"name": str, "days": int, "expiresAt": str, "actions": list, "namespace": str, "project": str, "agent": str}
MISSING = "AccessToken not found"


@dataclass(frozen=True)
class Wanted:
    """The body of a request for a token, its types checked."""

    name: str
    ends: datetime | None
    actions: tuple[str, ...]
    namespace: str
    project: str
    agent: str

    @classmethod
    def read(cls, body: Any) -> Wanted:
        """Raises `Refusal` (400) with the field that is wrong."""
        if not isinstance(body, Mapping):
            raise Refusal(400, 'the body must be an object, such as {"name": "ci"}')
        for key, value in body.items():
            kind = FIELDS.get(key)
            if kind is None:
                raise Refusal(400, f"there is no field {key!r}; there are {', '.join(FIELDS)}")
            if not isinstance(value, kind) or isinstance(value, bool):
                raise Refusal(400, f"{key} must be a {kind.__name__}")
        name, actions = body.get("name", ""), body.get("actions", [])
        if not 0 < len(name) <= 100 or not name.isprintable():
            raise Refusal(400, "name must say what the token is for, in up to 100 characters")
        if len(actions) > 200 or not all(isinstance(item, str) for item in actions):
            raise Refusal(400, "actions must be up to 200 texts, such as component:view")
        texts = (body.get(key, "") for key in ("namespace", "project", "agent"))
        return cls(name, end_of(body), tuple(actions), *texts)


def end_of(body: Mapping[str, Any]) -> datetime | None:
    """When the token shall end. Raises `Refusal`."""
    if "days" in body:
        if "expiresAt" in body or not 0 < body["days"] <= 36500:
            raise Refusal(400, "days must be a positive number, and not beside expiresAt")
        return timezone.now() + timedelta(days=body["days"])
    if not body.get("expiresAt"):
        return None
    try:
        moment = parse_datetime(body["expiresAt"])
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or moment <= timezone.now():
        raise Refusal(400, "expiresAt must be a time to come, such as 2027-01-31T12:00:00Z")
    return moment


def list_tokens(call: Call) -> HttpResponse:
    """200 with the caller's tokens, and those by which agents act for them, the newest first."""
    return responses.json_body({"items": [wire_token(token) for token in own_tokens(call)]})


def own_tokens(call: Call) -> list[AccessToken]:
    """The tokens that the caller may see and revoke; with a limited token, only those within its limits."""
    if call.user.pk is None:
        return []
    rows: QuerySet[AccessToken] = AccessToken.objects.filter(Q(user=call.user) | Q(on_behalf_of=call.user))
    newest = rows.select_related("user", "on_behalf_of").order_by("-id")
    return [token for token in newest if contains(call.identity.limits, token.limits)]


def create_token(call: Call) -> HttpResponse:
    """201 with the token and, this once, its text. 403 if the caller may make none like it."""
    audit.asked("accesstoken:create", "AccessToken")
    forbid_makers(call)
    wanted = Wanted.read(call.json())
    audit.named(wanted.name)
    user, person = (call.user, None) if not wanted.agent else (agent_of(call, wanted.agent), call.user)
    limits = limits_of(call, wanted)
    if not contains(call.identity.limits, limits):
        raise Refusal(403, "a token cannot make one with more than it has itself: ask for fewer actions, or less far")
    ends = wanted.ends
    if call.identity.expires_at is not None:
        ends = min(ends or call.identity.expires_at, call.identity.expires_at)
    try:
        with transaction.atomic():
            row, text = make_token(user, wanted.name, ends, limits=limits, on_behalf_of=person)
            record_changes([account_event(call.actor, row, "create", {"user": user.get_username()})])
    except BadToken as error:
        raise Refusal(400, str(error)) from None
    response = responses.json_body({**wire_token(row), "token": text}, 201)
    response["Cache-Control"] = "no-store"
    return response


def forbid_makers(call: Call) -> None:
    """Refuse whoever makes no tokens."""
    if not call.identity.is_authenticated:
        raise Refusal(403, "nobody is signed in: security is switched off")
    if call.user.principal_kind == User.PrincipalKind.AGENT:
        raise Refusal(403, "agents make no tokens; ask the agent's owner")
    if call.user.issuer:
        raise Refusal(403, "you come from an identity provider: use its tokens, or ask for a service account")


def agent_of(call: Call, name: str) -> User:
    """The agent that shall act for the caller: one of the caller's own, or any if the caller may do everything."""
    agents = User.objects.filter(username=name, principal_kind=User.PrincipalKind.AGENT)
    if not call.access.subject.breaks_glass:
        agents = agents.filter(owner=call.user)
    found = agents.select_related("owner").first()
    if found is None or call.user.is_machine:
        raise Refusal(403, f"you own no agent {name!r}")
    return found


def limits_of(call: Call, wanted: Wanted) -> Limits:
    """The limits of the new token. Whoever names none gets those of the token that they came with."""
    if not (wanted.actions or wanted.namespace or wanted.project):
        return call.identity.limits or Limits()
    place = Place(wanted.namespace, wanted.project)
    try:
        if wanted.namespace and not call.access.allows(f"{place.level}:view", place):
            raise BadLimits(place.level, f"there is no {wanted.project or wanted.namespace!r}")
        return limits_for(wanted.actions, wanted.namespace, wanted.project)
    except BadLimits as error:
        raise Refusal(400, f"{error.field}: {error}") from None


def revoke_token(call: Call, number: int) -> HttpResponse:
    """204, whether the token was usable until now or not; 404 if it is not the caller's."""
    audit.asked("accesstoken:revoke", "AccessToken")
    found = [token for token in own_tokens(call) if token.pk == number]
    if not found:
        raise Refusal(404, MISSING)
    audit.named(found[0].name)
    with transaction.atomic():
        ended = revoke(found)
        record_changes([account_event(call.actor, token, "revoke", {}) for token in ended])
    return responses.no_content()


def wire_token(token: AccessToken) -> dict[str, Any]:
    """A token without its text."""
    shown = {
        "id": token.pk,
        "name": token.name,
        "user": token.user.get_username(),
        "onBehalfOf": token.on_behalf_of.get_username() if token.on_behalf_of else None,
        "actions": token.actions,
        "namespace": token.namespace,
        "project": token.project,
        "createdAt": moment_text(token.created_at),
        "expiresAt": moment_text(token.expires_at),
        "lastUsedAt": moment_text(token.last_used_at),
        "revokedAt": moment_text(token.revoked_at),
    }
    return {**{key: value for key, value in shown.items() if value not in (None, "", [])}, "usable": token.is_valid}


def moment_text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
