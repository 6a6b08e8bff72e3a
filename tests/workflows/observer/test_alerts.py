"""Alerts that have fired, and what becomes of incidents."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from portal.accounts.models import issue_token
from portal.audit.models import AuditEvent
from tests.catalog.access.conftest import bind, person, role
from tests.catalog.api.conftest import ApiClient
from tests.workflows.observer.conftest import question
from workflows.observer import alerts
from workflows.observer.models import Incident
from workflows.observer.scopes import Scope, resolve

pytestmark = pytest.mark.django_db
ALERTS, INCIDENTS = "/observer/api/v1alpha1/alerts/query", "/observer/api/v1alpha1/incidents/query"
INCIDENT = "/observer/api/v1alpha1/incidents/{}"
RULE = {
    "name": "errors",
    "severity": "critical",
    "source": {"type": "log", "query": "ERROR"},
    "condition": {"operator": "gt", "threshold": 5, "window": "5m", "interval": "1m"},
    "actions": {"incident": {"enabled": True, "triggerAiRca": True}},
}
Objects = dict[str, Any]


@pytest.fixture
def fired(objects: Objects) -> Objects:
    """Two alerts of ours, the second without an incident, and one of another tenant."""
    cart = resolve(Scope("acme", "shop", "cart", "development"))
    alerts.record(cart, RULE, "7", at=datetime(2026, 5, 1, 10, tzinfo=UTC), channels=["ops"])
    quiet = {key: value for key, value in RULE.items() if key != "actions"}
    alerts.record(cart, quiet, "6", at=datetime(2026, 5, 1, 11, tzinfo=UTC))
    alerts.record(
        resolve(Scope("globex", "bank", "vault", "development")), RULE, "9", at=datetime(2026, 5, 1, tzinfo=UTC)
    )
    return objects


def test_alerts_of_a_scope_come_newest_first(viewer: ApiClient, fired: Objects) -> None:
    found = viewer.post(ALERTS, question()).json()
    assert found["total"] == 2
    assert [alert["alertValue"] for alert in found["alerts"]] == ["6", "7"]
    first = found["alerts"][1]
    assert first["timestamp"] == "2026-05-01T10:00:00.000Z"
    assert first["notificationChannels"] == ["ops"]
    assert first["metadata"]["alertRule"] == {key: value for key, value in RULE.items() if key != "actions"}
    assert first["metadata"]["labels"]["componentUid"] == str(fired["cart"].uid)
    assert viewer.post(ALERTS, question(limit=1)).json()["total"] == 2
    assert viewer.post(ALERTS, question(scope={"environment": "production"})).json()["alerts"] == []


def test_another_tenants_alerts_are_refused(viewer: ApiClient, fired: Objects) -> None:
    assert viewer.post(ALERTS, question("globex", "bank", "vault")).status_code == 403
    assert viewer.post(INCIDENTS, question("globex", "", "")).status_code == 403


def test_a_scope_that_is_not_there_is_named_by_its_code(viewer: ApiClient, fired: Objects) -> None:
    reply = viewer.post(ALERTS, question(component="absent"))
    assert (reply.status_code, reply.json()["errorCode"]) == (400, "SCOPE_NOT_FOUND")
    assert viewer.post(ALERTS, question(limit=5000)).json()["errorCode"] == "VALIDATION_ERROR"
    assert viewer.post(ALERTS, b"[").json()["errorCode"] == "INVALID_REQUEST_BODY"


def test_an_incident_goes_forward_and_never_back(client: Any, viewer: ApiClient, fired: Objects) -> None:
    incident = viewer.post(INCIDENTS, question()).json()["incidents"][0]
    assert (incident["status"], incident["incidentTriggerAiRca"]) == ("active", True)
    path = INCIDENT.format(incident["incidentId"])
    assert viewer.put(path, {"status": "resolved"}).status_code == 403
    role("responder", "incidents:view", "incidents:update")
    bind("acme-responders", "groups:ops", "responder", scope={"namespace": "acme"})
    ops = ApiClient(client, issue_token(person("olga", "ops"), "tests"))
    taken = ops.put(path, {"status": "acknowledged", "notes": "looking"}).json()
    assert (taken["status"], taken["notes"]) == ("acknowledged", "looking")
    assert ops.put(path, {"status": "resolved"}).json()["resolvedAt"] >= taken["acknowledgedAt"]
    back = ops.put(path, {"status": "active"})
    assert (back.status_code, back.json()["errorCode"]) == (400, "INVALID_STATUS_TRANSITION")
    held = Incident.objects.get(pk=incident["incidentId"])
    assert (held.status, held.notes) == ("resolved", "looking")
    events = AuditEvent.objects.system("test").filter(action="incidents:update", actor="olga")
    assert sorted(event.outcome for event in events) == ["invalid", "success", "success"]


def test_an_incident_of_another_tenant_is_not_there(client: Any, viewer: ApiClient, fired: Objects) -> None:
    role("responder", "incidents:update")
    bind("acme-responders", "groups:ops", "responder", scope={"namespace": "acme"})
    ops = ApiClient(client, issue_token(person("olga", "ops"), "tests"))
    theirs = Incident.objects.get(namespace="globex")
    absent = ops.put(INCIDENT.format("0190a4c0-0000-7000-8000-000000000000"), {"status": "resolved"})
    hidden = ops.put(INCIDENT.format(theirs.pk), {"status": "resolved"})
    assert (hidden.status_code, hidden.content) == (absent.status_code, absent.content)
    assert hidden.status_code == 404
    assert ops.put(INCIDENT.format("nonsense"), {"status": "resolved"}).status_code == 404
    assert ops.put(INCIDENT.format(theirs.pk), {"status": "gone"}).status_code == 400
    theirs.refresh_from_db()
    assert theirs.status == "active"
