"""Logs and events by REST: what is asked of the adapter, what comes back, and who may ask."""

from __future__ import annotations

from typing import Any

import pytest

from portal.accounts.models import User, issue_token
from portal.audit.models import AuditEvent
from tests.catalog.access.conftest import apply, bind, person, role
from tests.catalog.api.conftest import ApiClient
from tests.workflows.observer.adapter_server import AdapterServer
from tests.workflows.observer.conftest import END, START, line, metadata, question

pytestmark = pytest.mark.django_db
LOGS, EVENTS = "/observer/api/v1/logs/query", "/observer/api/v1/events/query"
Objects = dict[str, Any]


def test_names_become_uids_and_entries_come_back_as_they_are(
    viewer: ApiClient, adapter: AdapterServer, objects: Objects
) -> None:
    adapter.logs = [
        line(objects, "old", 1),
        line(objects, "new", 2, "ERROR"),
        line(objects, "other", 3, component="vault"),
    ]
    reply = viewer.post(LOGS, question(scope={"environment": "development"}, searchPhrase="e", logLevels=["ERROR"]))
    assert reply.status_code == 200, reply.content
    assert reply.json() == {
        "logs": [
            {"timestamp": "2026-05-01T10:02:00.250Z", "log": "new", "level": "ERROR", "metadata": metadata(objects)}
        ],
        "total": 1,
        "tookMs": 3,
    }
    _, _, asked, headers = adapter.asked[0]
    assert asked == {
        "searchScope": {
            "namespace": "acme",
            "projectUid": str(objects["shop"].uid),
            "componentUid": str(objects["cart"].uid),
            "environmentUid": str(objects["acme/development"].uid),
        },
        "startTime": START,
        "endTime": END,
        "limit": 100,
        "sortOrder": "desc",
        "searchPhrase": "e",
        "logLevels": ["ERROR"],
    }
    assert "Authorization" not in headers


def test_limit_and_order_are_kept_and_the_total_tells_of_the_rest(
    viewer: ApiClient, adapter: AdapterServer, objects: Objects
) -> None:
    adapter.logs = [line(objects, f"line {minute}", minute) for minute in range(5)]
    found = viewer.post(LOGS, question(limit=2, sortOrder="asc")).json()
    assert [entry["log"] for entry in found["logs"]] == ["line 0", "line 1"]
    assert found["total"] == 5


def test_logs_of_a_run_are_asked_for_by_its_name(viewer: ApiClient, adapter: AdapterServer) -> None:
    adapter.run_logs = {"build-1": [{"timestamp": "2026-05-01T10:00:00Z", "log": "step"}]}
    scope = {"namespace": "acme", "workflowRunName": "build-1", "taskName": "clone"}
    found = viewer.post(LOGS, {"startTime": START, "endTime": END, "searchScope": scope}).json()
    assert found["logs"] == [{"timestamp": "2026-05-01T10:00:00Z", "log": "step"}]
    assert adapter.asked[0][2]["searchScope"] == scope


def test_events_come_with_the_object_that_they_are_about(
    viewer: ApiClient, adapter: AdapterServer, objects: Objects
) -> None:
    about = {"objectKind": "Pod", "objectName": "cart-1"}
    event = {"message": "pulled", "type": "Normal", "reason": "Pulled", "timestamp": "2026-05-01T10:00:00Z"}
    adapter.events = [{**event, "metadata": {**metadata(objects), **about}}]
    found = viewer.post(EVENTS, question()).json()["events"]
    assert found[0]["reason"] == "Pulled"
    assert found[0]["metadata"]["objectName"] == "cart-1"


def test_an_adapter_without_events_is_501(viewer: ApiClient, adapter: AdapterServer) -> None:
    adapter.misbehave = lambda handler: handler.reply(501, {"message": "no"}) or True
    reply = viewer.post(EVENTS, question())
    assert (reply.status_code, reply.json()["title"], reply.json()["errorCode"]) == (
        501,
        "notImplemented",
        "OBS-V1-E-06",
    )


SENSELESS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"startTime": None}, "startTime is required"),
    ({"endTime": "yesterday"}, "endTime must be in RFC3339 format"),
    ({"endTime": "2026-04-01T00:00:00Z"}, "endTime must be after startTime"),
    ({"endTime": "2026-08-01T00:00:00Z"}, "cannot exceed 30 days"),
    ({"startTime": "2026-05-01T00:00:00+99:99"}, "startTime must be in RFC3339 format"),
    ({"limit": 1001}, "limit cannot exceed 1000"),
    ({"limit": -1}, "limit must be a positive integer"),
    ({"limit": "many"}, "limit must be a positive integer"),
    ({"sortOrder": "up"}, "sortOrder must be either"),
    ({"logLevels": ["TRACE"]}, "invalid log level 'TRACE'"),
    ({"logLevels": ["INFO", "INFO"]}, "duplicate log level"),
    ({"logLevels": "INFO"}, "logLevels must be a list"),
    ({"searchScope": None}, "searchScope is required"),
    ({"searchScope": []}, "searchScope must be an object"),
    ({"searchScope": {"project": "shop"}}, "searchScope.namespace is required"),
    ({"searchScope": {"namespace": "acme", "component": "cart"}}, "searchScope.project is required"),
    ({"searchScope": {"namespace": "acme", "workflowRunName": "b", "project": "shop"}}, "cannot mix"),
    ({"searchScope": {"namespace": 7}}, "namespace must be a text"),
    ({"searchPhrase": "a\0b"}, "searchPhrase must be a text"),
)


def test_a_question_that_makes_no_sense_is_400_and_reaches_no_adapter(
    viewer: ApiClient, adapter: AdapterServer
) -> None:
    for change, said in SENSELESS:
        reply = viewer.post(LOGS, {**question(), **change})
        assert reply.status_code == 400, (change, reply.content)
        assert reply.json()["title"] == "badRequest"
        assert said in reply.json()["message"]
    assert not adapter.asked


def test_a_body_that_is_no_object_is_400(viewer: ApiClient, adapter: AdapterServer) -> None:
    for body in (b"", b"[", b"[]", b'"x"', b"null"):
        reply = viewer.post(LOGS, body)
        assert reply.status_code == 400
        assert reply.json()["message"].startswith("Invalid request format")


def test_without_a_token_it_is_401(client: Any, adapter: AdapterServer, db: None) -> None:
    assert ApiClient(client).post(LOGS, question()).status_code == 401


def test_another_tenants_component_and_one_that_is_not_there_look_the_same(
    viewer: ApiClient, adapter: AdapterServer
) -> None:
    theirs = viewer.post(LOGS, question("globex", "bank", "vault"))
    nowhere = viewer.post(LOGS, question("globex", "bank", "absent"))
    assert theirs.status_code == nowhere.status_code == 403
    assert theirs.content == nowhere.content
    assert theirs.json() == {"title": "forbidden", "errorCode": "", "message": "Access denied"}
    assert not adapter.asked


def test_a_name_that_is_not_there_is_400_where_one_may_look(viewer: ApiClient, adapter: AdapterServer) -> None:
    reply = viewer.post(LOGS, question(component="absent"))
    assert (reply.status_code, reply.json()["errorCode"]) == (400, "OBS-V1-L-04")
    assert "Component 'absent' was not found" in reply.json()["message"]
    assert not adapter.asked


def test_a_component_is_not_reached_through_another_project(
    client: Any, adapter: AdapterServer, objects: Objects
) -> None:
    role("looker", "logs:view")
    apply(
        "Project",
        "side",
        {"deploymentPipelineRef": {"name": "default"}, "type": {"kind": "ClusterProjectType", "name": "default"}},
        "acme",
    )
    bind("side-only", "groups:side", "looker", scope={"namespace": "acme", "project": "side"})
    api = ApiClient(client, issue_token(person("sid", "side"), "tests"))
    assert api.post(LOGS, question(project="side")).status_code == 400
    assert api.post(LOGS, question(project="shop")).status_code == 403
    assert not adapter.asked


def test_a_grant_for_one_environment_gives_only_that_one(client: Any, adapter: AdapterServer, objects: Objects) -> None:
    role("looker", "logs:view")
    rule = {"actions": ["logs:view"], "expression": 'resource.environment == "acme/development"'}
    bind("dev-only", "groups:dev", "looker", scope={"namespace": "acme"}, conditions=[rule])
    api = ApiClient(client, issue_token(person("dora", "dev"), "tests"))
    assert api.post(LOGS, question(scope={"environment": "development"})).status_code == 200
    assert api.post(LOGS, question(scope={"environment": "production"})).status_code == 403
    assert api.post(LOGS, question()).status_code == 403


def test_an_adapter_that_answers_with_another_tenants_lines_is_not_believed(
    viewer: ApiClient, adapter: AdapterServer, objects: Objects
) -> None:
    stolen = {"logs": [line(objects, "secret", 1, component="vault")], "total": 1}
    adapter.misbehave = lambda handler: handler.reply(200, stolen) or True
    reply = viewer.post(LOGS, question())
    assert (reply.status_code, reply.json()["errorCode"]) == (500, "OBS-V1-L-05")
    assert b"secret" not in reply.content


def test_who_reads_logs_is_written_down_once_a_minute(
    viewer: ApiClient, adapter: AdapterServer, objects: Objects
) -> None:
    from catalog.api import noted_reads

    noted_reads._noted.clear()
    for _ in range(3):
        assert viewer.post(LOGS, question(scope={"environment": "production"})).status_code == 200
    events = AuditEvent.objects.system("test").filter(action="logs:view", actor="vera")
    assert 1 <= events.count() <= 2  # a minute may end meanwhile
    event = events[0]
    assert (event.namespace, event.name, event.outcome) == ("acme", "cart", "success")
    assert "production" in str(event.details)


def test_a_page_of_an_allowed_origin_may_ask_from_a_browser(
    viewer: ApiClient, adapter: AdapterServer, settings: Any
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://portal.example"]
    preflight = viewer.client.options(
        LOGS, headers={"Origin": "https://portal.example", "Access-Control-Request-Method": "POST"}
    )
    assert preflight.status_code == 204
    assert preflight["Access-Control-Allow-Credentials"] == "true"
    reply = viewer.post(LOGS, question(), Origin="https://portal.example")
    assert (reply.status_code, reply["Access-Control-Allow-Origin"]) == (200, "https://portal.example")
    assert "Access-Control-Allow-Origin" not in viewer.post(LOGS, question(), Origin="https://evil.example")


def test_a_superuser_may_look_everywhere(client: Any, adapter: AdapterServer, objects: Objects) -> None:
    api = ApiClient(client, issue_token(User.objects.create_superuser("root"), "tests"))
    adapter.logs = [line(objects, "vault opens", 1, component="vault")]
    assert api.post(LOGS, question("globex", "bank", "vault")).json()["logs"][0]["log"] == "vault opens"
