"""Reading events: who may see which, the filters, and the shapes in which they are shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime

from portal.access.engine import Access
from portal.access.place import Place
from portal.access.subject import Subject
from portal.audit.models import AuditEvent

ACTION = "auditlog:view"
FILTERS = {
    "actor": "actor",
    "onBehalfOf": "on_behalf_of",
    "action": "action",
    "kind": "kind",
    "namespace": "namespace",
    "project": "project",
    "component": "component",
    "name": "name",
    "outcome": "outcome",
    "surface": "surface",
    "requestId": "request_id",
}
SEVERITIES = {"success": (9, "INFO"), "denied": (13, "WARN"), "invalid": (10, "INFO2"), "conflict": (10, "INFO2")}
ERROR_SEVERITY = (17, "ERROR")


class BadMoment(ValueError):
    """A time that cannot be read."""


def visible_to(access: Access) -> QuerySet[AuditEvent]:
    """The events that a subject may see: at the places where `auditlog:view` is given, and whatever they did.

    A grant that depends on a condition gives nothing here, and every deny counts: events have no attributes. For whom
    an agent acts, and what a token is limited to, narrow it.
    """
    events = AuditEvent.objects.system("narrowed below to what the subject may read")
    for judged in (access, *access.bounds):
        if not judged.subject.is_active:
            return events.none()
        if not judged.subject.needs_no_grant:
            events = events.filter(own_events(judged.subject) | given_events(judged))
    return events


def own_events(subject: Subject) -> Q:
    """What the subject did, or somebody else did for it; nothing of what is no user."""
    if subject.user_id is None:
        return Q(pk__in=[])
    return Q(actor=subject.name) | Q(on_behalf_of=subject.name)


def given_events(access: Access) -> Q:
    """The events at the places where the subject's own grants let it read them."""
    seen, hidden = Q(pk__in=[]), Q(pk__in=[])
    for rule in access.rules_for(ACTION):
        if rule.effect == "deny":
            hidden |= at(rule.place)
        elif not rule.conditions_for(ACTION):
            seen |= at(rule.place)
    return seen & ~hidden


def at(place: Place) -> Q:
    """The events at a place and within it."""
    wanted = {"namespace": place.namespace, "project": place.project, "component": place.component}
    if place.resource:
        wanted |= {"kind": "Resource", "name": place.resource}
    found = {name: value for name, value in wanted.items() if value}
    return Q(**found) if found else ~Q(pk__in=[])


def filtered(events: QuerySet[AuditEvent], wanted: dict[str, str], since: str, until: str) -> QuerySet[AuditEvent]:
    """Narrow events by the names of `FILTERS` and by time, from `since` on and before `until`. Raises `BadMoment`."""
    for name, value in wanted.items():
        if value:
            events = events.filter(**{FILTERS[name]: value})
    if since:
        events = events.filter(recorded_at__gte=moment_of(since))
    if until:
        events = events.filter(recorded_at__lt=moment_of(until))
    return events


def moment_of(text: str) -> datetime:
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadMoment(f"{text!r} is not an RFC 3339 time with a zone")
    return moment


def wire_event(event: AuditEvent) -> dict[str, Any]:
    """An event as REST and JSONL show it; what is empty is left out."""
    shown = {
        "id": str(event.id),
        "time": event.recorded_at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "actor": pruned({"name": event.actor, "kind": event.actor_kind, "credential": event.credential}),
        "onBehalfOf": event.on_behalf_of,
        "surface": event.surface,
        "action": event.action,
        "object": pruned(
            {
                "kind": event.kind,
                "namespace": event.namespace,
                "project": event.project,
                "component": event.component,
                "name": event.name,
                "uid": str(event.uid or ""),
                "generation": event.generation,
            }
        ),
        "decision": event.decision,
        "outcome": event.outcome,
        "status": event.status,
        "requestId": event.request_id,
        "parent": str(event.parent or ""),
        "sourceIp": event.source_ip,
        "seal": event.seal,
        "hash": event.hash,
        "details": orjson.loads(event.details),
    }
    return pruned(shown)


def pruned(shown: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in shown.items() if value not in ("", None, {})}


def otlp_record(event: AuditEvent) -> dict[str, Any]:
    """An event as one record of OpenTelemetry's JSON logs (`resourceLogs.scopeLogs.logRecords`)."""
    number, word = SEVERITIES.get(event.outcome, ERROR_SEVERITY)
    nanoseconds = str(round(event.recorded_at.timestamp() * 1_000_000) * 1000)
    shown = wire_event(event)
    body = shown.pop("details", {})
    attributes = [{"key": f"stagecraft.{key}", "value": any_value(value)} for key, value in flat(shown)]
    return {
        "timeUnixNano": nanoseconds,
        "observedTimeUnixNano": nanoseconds,
        "severityNumber": number,
        "severityText": word,
        "eventName": "stagecraft.audit",
        "body": {"stringValue": orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()},
        "attributes": attributes,
    }


def otlp_document(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Records in the envelope that an OTLP/HTTP collector takes at `/v1/logs`."""
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "stagecraft"}}]}
    return {
        "resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": {"name": "audit"}, "logRecords": records}]}]
    }


def flat(shown: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for key, value in shown.items():
        pairs += flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(f"{prefix}{key}", value)]
    return pairs


def any_value(value: Any) -> dict[str, Any]:
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": str(value)}
