"""Events as sentences: who did what to which object, for whom, why it was allowed, and what came of it.

    ada created Component checkout in default; allowed by developer at ns/default through groups:developers
    agent deployer, for ada, promoted Component checkout in default to staging
      └ changed ReleaseBinding checkout-staging
    agent deployer was not allowed to delete Component checkout in default: groups let an agent only read

The changes that one operation made stand indented below it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC
from typing import Any
from uuid import UUID

import orjson

from portal.audit.models import AuditEvent

WHO = {"agent": "agent ", "service_account": "service account "}
PAST = {
    "create": "created",
    "update": "changed",
    "delete": "deleted",
    "view": "looked at",
    "promote": "promoted",
    "rollback": "rolled back",
    "deploy": "deployed",
    "apply": "applied",
    "trigger": "triggered",
    "exec": "ran a command in",
    "login": "signed in",
    "logout": "signed out",
    "revoke": "revoked",
    "reveal": "was shown the values of",
}
"""What was done, by the verb of the action; another verb is told as it is: `did "rotate" to`."""
INFINITIVE = {
    "view": "see",
    "rollback": "roll back",
    "exec": "run a command in",
    "reveal": "see the values of",
    "update": "change",
    "login": "sign in",
}
WHY = {
    "break-glass": "allowed because superusers may do everything",
    "no grant": "nothing gives it",
    "inactive": "the account is not active",
    "agent": "groups let an agent only read",
    "on behalf of": "the person it acts for may not do it",
    "limits": "the token is not made for it",
}
INDENT = "  └ "


def tell(events: Iterable[AuditEvent]) -> Iterator[str]:
    """Lines, oldest first, each with its time; an operation's changes follow it. `events` in any order."""
    ordered = sorted(events, key=lambda event: event.id)
    known = {event.id for event in ordered}
    parts: dict[UUID, list[AuditEvent]] = defaultdict(list)
    for event in ordered:
        if event.parent in known:
            parts[event.parent].append(event)
    for event in ordered:
        if event.parent not in known:
            yield f"{moment_of(event)}  {sentence(event)}"
            for part in parts[event.id]:
                yield f"{moment_of(part)}  {INDENT}{deed(part, details_of(part))}"


def sentence(event: AuditEvent) -> str:
    """One event in words."""
    details = details_of(event)
    told = f"{who(event)} {deed(event, details)}"
    reason = why(event, details.get("reason") or {})
    return f"{told}{reason}"


def who(event: AuditEvent) -> str:
    """`agent deployer, for ada,` or `ada`; the platform's own parts by their name."""
    name = f"{WHO.get(event.actor_kind, '')}{event.actor.removeprefix('system:')}"
    return f"{name}, for {event.on_behalf_of}," if event.on_behalf_of else name


def deed(event: AuditEvent, details: dict[str, Any]) -> str:
    """What was done or attempted, to what, and how it ended."""
    _, _, verb = event.action.partition(":")
    thing = thing_of(event)
    if event.outcome == "success":
        if details.get("changed") is False:
            return f"left {thing} as it was" if verb in PAST else f"asked for {verb} of {thing}, which changed nothing"
        if move := details.get("move"):
            return moved(event, move)
        return f"{PAST[verb]} {thing}" if verb in PAST else f'did "{verb}" to {thing}'
    attempt = f"{INFINITIVE.get(verb, verb)} {thing}"
    match event.outcome:
        case "denied":
            return f"was not allowed to {attempt}"
        case "conflict":
            return f"could not {attempt}: it had been changed meanwhile, or exists"
        case "invalid":
            fields = ", ".join(details.get("fields") or ())
            return f"could not {attempt}: the request was wrong" + (f" in {fields}" if fields else "")
    return f"could not {attempt}: the platform failed ({details.get('error') or event.status})"


def thing_of(event: AuditEvent) -> str:
    """`Component checkout in default`."""
    if not event.kind:
        return event.action.partition(":")[0] or "something"
    where = f" in {event.namespace}" if event.namespace and event.kind != "Namespace" else ""
    return f"{event.kind} {event.name}{where}" if event.name else f"{event.kind}{where}"


def moved(event: AuditEvent, move: dict[str, str]) -> str:
    """`put release web-2 of web into staging, in place of web-1`."""
    owner = event.component or event.project or event.name
    instead = f", in place of {move['before']}" if move.get("before") else ""
    return f"put release {move['release']} of {owner} into {move.get('environment', 'its environment')}{instead}"


def why(event: AuditEvent, reason: dict[str, Any]) -> str:
    """By which grant, or for want of what."""
    because = reason.get("because", "")
    if because in ("grant", "denied"):
        word = "allowed" if because == "grant" else "denied"
        return f"; {word} by {reason.get('role')} at {reason.get('scope')} through {reason.get('via')}"
    if because in WHY:
        return f"{':' if event.outcome == 'denied' else ';'} {WHY[because]}"
    return ""


def details_of(event: AuditEvent) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(event.details)
    return found


def moment_of(event: AuditEvent) -> str:
    return event.recorded_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
