"""Alerts and incidents: kept here, unlike everything else that the observer tells of.

`record` is what whoever learns of a firing rule calls; queries and the incident's change are the contract's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from portal.access import guard
from portal.access.engine import Access
from portal.access.place import Place
from portal.audit import operation as audit
from workflows.observer.answers import Entry
from workflows.observer.models import Alert, Incident, OfPlace
from workflows.observer.refusals import ObserverRefusal, bad_request, denied
from workflows.observer.scopes import Found, note, permit, read_scope, resolve
from workflows.observer.windows import Page, Window, text_of

INVALID, NO_SCOPE = "VALIDATION_ERROR", "SCOPE_NOT_FOUND"
UPDATE = "incidents:update"
STEPS = {"active": 0, "acknowledged": 1, "resolved": 2}
LONGEST_NOTE = 10_000


def record(
    found: Found, rule: Entry, value: str, *, at: datetime | None = None, channels: list[str] | None = None
) -> Alert:
    """Keep an alert, and the incident that its rule opens. `rule` is as `Alert.rule`, with the rule's `actions`."""
    incident = (rule.get("actions") or {}).get("incident") or {}
    where = {
        "at": at or timezone.now(),
        "namespace": found.scope.namespace,
        "project": found.scope.project,
        "component": found.scope.component,
        "environment": found.scope.environment,
        "project_uid": found.uids.get("projectUid"),
        "component_uid": found.uids.get("componentUid"),
        "environment_uid": found.uids.get("environmentUid"),
    }
    shown = {
        field: rule[field] for field in ("name", "description", "severity", "source", "condition") if field in rule
    }
    opens = bool(incident.get("enabled"))
    with transaction.atomic():
        alert = Alert.objects.create(**where, value=value, opens_incident=opens, channels=channels or [], rule=shown)
        if opens:
            Incident.objects.create(
                **where,
                alert=alert,
                triggers_rca=bool(incident.get("triggerAiRca")),
                triggers_cost_analysis=bool(incident.get("triggerAiCostAnalysis")),
            )
    return alert


def query_alerts(access: Access, given: Mapping[str, Any]) -> Entry:
    """`{alerts: [{timestamp, alertId, alertValue, notificationChannels?, incidentEnabled, metadata}], total, tookMs}`.
    Raises `ObserverRefusal`."""
    return page_of(access, given, "alerts:view", "alerts", Alert, alert_entry)


def query_incidents(access: Access, given: Mapping[str, Any]) -> Entry:
    """`{incidents: [{incidentId, alertId, status, triggeredAt, …}], total, tookMs}`. Raises `ObserverRefusal`."""
    return page_of(access, given, "incidents:view", "incidents", Incident, incident_entry)


def page_of(
    access: Access,
    given: Mapping[str, Any],
    action: str,
    field: str,
    model: type[OfPlace],
    shown: Callable[[Any], Entry],
) -> Entry:
    """A page of a table's rows of one scope and time."""
    began = time.monotonic()
    window, page, scope = Window.read(given, INVALID), Page.read(given, INVALID), read_scope(given, INVALID)
    permit(access, action, scope)
    found = resolve(scope, NO_SCOPE)
    start, end = window.moments
    columns = {"projectUid": "project_uid", "componentUid": "component_uid", "environmentUid": "environment_uid"}
    wanted = {columns[name]: uid for name, uid in found.uids.items()}
    rows = model._default_manager.filter(namespace=scope.namespace, at__gte=start, at__lte=end, **wanted)
    ordered = rows.order_by("at", "id") if page.order == "asc" else rows.order_by("-at", "-id")
    entries = [shown(row) for row in ordered[: page.limit]]
    total = len(entries) if len(entries) < page.limit else rows.count()
    note(access, action, scope)
    return {field: entries, "total": total, "tookMs": round((time.monotonic() - began) * 1000)}


def update_incident(access: Access, identity: str, given: Mapping[str, Any]) -> Entry:
    """Set an incident's `status`, and its `notes` and `description` if they are given. Raises `ObserverRefusal`.

    Permission is asked for where the incident is; one that may not be seen is answered as if there were none.
    """
    status = text_of(given, "status").strip()
    if status not in STEPS:
        text = "status must be one of 'active', 'acknowledged', or 'resolved'" if status else "status is required"
        raise bad_request(text, INVALID)
    texts = {field: text_of(given, field) for field in ("notes", "description") if given.get(field) is not None}
    for field, value in texts.items():
        if len(value) > LONGEST_NOTE:
            raise bad_request(f"{field} may not be longer than {LONGEST_NOTE} characters", INVALID)
    with transaction.atomic():
        key = identity_of(identity)
        incident = None if key is None else Incident.objects.select_for_update().filter(pk=key).first()
        place = Place() if incident is None else Place(incident.namespace, incident.project, incident.component)
        allowed = guard.ask(access, UPDATE, place, {}, "Incident", None).allowed
        if incident is None or not (allowed or access.allows("incidents:view", place)):
            raise not_found() if allowed or access.reaches(UPDATE) else denied()
        if not allowed:
            raise denied()
        if STEPS[status] < STEPS[incident.status]:
            text = f"invalid incident status transition: {incident.status!r} → {status!r}"
            raise bad_request(text, "INVALID_STATUS_TRANSITION")
        now = timezone.now()
        if status != "active" and incident.acknowledged_at is None:
            incident.acknowledged_at = now
        if status == "resolved" and incident.resolved_at is None:
            incident.resolved_at = now
        incident.status = status
        for field, value in texts.items():
            setattr(incident, field, value)
        incident.save()
    opened = audit.current()
    if opened is not None:
        opened.target = audit.Target("Incident", incident.namespace, str(incident.pk))
        audit.conclude(opened, "success", 200, {"status": status, "fields": sorted(texts)})
    return {key: value for key, value in incident_entry(incident).items() if key != "timestamp"}


def identity_of(text: str) -> UUID | None:
    """The id, None if it can be none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def not_found() -> ObserverRefusal:
    return ObserverRefusal(404, "incident not found", "INCIDENT_NOT_FOUND")


def alert_entry(alert: Alert) -> Entry:
    entry: Entry = {
        "timestamp": shown_time(alert.at),
        "alertId": str(alert.pk),
        "incidentEnabled": alert.opens_incident,
        "metadata": {"alertRule": alert.rule, "labels": labels_of(alert)},
    }
    entry |= {"alertValue": alert.value} if alert.value else {}
    return entry | ({"notificationChannels": alert.channels} if alert.channels else {})


def incident_entry(incident: Incident) -> Entry:
    optional = {
        "acknowledgedAt": incident.acknowledged_at and shown_time(incident.acknowledged_at),
        "resolvedAt": incident.resolved_at and shown_time(incident.resolved_at),
        "notes": incident.notes,
        "description": incident.description,
    }
    return {
        "timestamp": shown_time(incident.at),
        "incidentId": str(incident.pk),
        "alertId": str(incident.alert_id),
        "status": incident.status,
        "triggeredAt": shown_time(incident.at),
        "incidentTriggerAiRca": incident.triggers_rca,
        "incidentTriggerAiCostAnalysis": incident.triggers_cost_analysis,
        "labels": labels_of(incident),
        **{field: value for field, value in optional.items() if value},
    }


def labels_of(row: OfPlace) -> Entry:
    """Where it was: names and uids, as far as they are known."""
    labels = {
        "namespaceName": row.namespace,
        "projectName": row.project,
        "componentName": row.component,
        "environmentName": row.environment,
        "projectUid": row.project_uid and str(row.project_uid),
        "componentUid": row.component_uid and str(row.component_uid),
        "environmentUid": row.environment_uid and str(row.environment_uid),
    }
    return {field: value for field, value in labels.items() if value}


def shown_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
