"""One event for every attempt to change something, on every route that there is: taken from the routes themselves.

A new route is asked without being named here. What it answers does not matter; that it leaves one event does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client

from catalog.api.routes import collections_by_route
from portal.accounts.models import User, issue_token
from portal.audit.models import AuditEvent
from portal.quickstart import content
from tests.catalog.api.test_every_route import ADMIN, routes

pytestmark = pytest.mark.django_db
PLURAL = "<str:plural>"
WRITES = ("POST", "PUT", "PATCH", "DELETE")
QUESTIONS = {
    "api/v1/authz/evaluates",
    "api/stagecraft/v1/preview",
    "api/stagecraft/v1/diff",
    "api/stagecraft/v1/render",
    "api/stagecraft/v1/access/preview",
    "mcp",
    "mcp/",
    "mcp/compact",
    "mcp/compact/",
    "observer/mcp",
    "observer/mcp/",
    "observer/api/v1/logs/query",
    "observer/api/v1/events/query",
    "observer/api/v1/metrics/query",
    "observer/api/v1alpha1/metrics/runtime-topology",
    "observer/api/v1alpha1/traces/query",
    "observer/api/v1alpha1/traces/<str:trace>/spans/query",
    "observer/api/v1alpha1/alerts/query",
    "observer/api/v1alpha1/incidents/query",
}
"""POSTs that change nothing and only ask: recorded when they are refused."""
PARAMETER = re.compile(r"<(?:(?P<type>[^:>]*):)?(?P<name>[^>]*)>")
VALUES = {"int": "999999", "uuid": "01a1fecd-6172-726d-9eb0-5b93f0648948"}


def paths(route: str) -> Iterator[str]:
    """Paths that fit a route: one for each kind that it may be about."""
    is_namespaced = "<str:namespace>" in route
    plurals = [plural for plural, namespaced in collections_by_route() if namespaced == is_namespaced]
    for plural in plurals if PLURAL in route else [""]:
        filled = route.replace(PLURAL, plural)
        yield "/" + PARAMETER.sub(lambda found: VALUES.get(found["type"] or "", "absent"), filled)


def attempts() -> Iterator[tuple[str, str]]:
    """Every method that may change something, with a path that fits the route."""
    for route, view in routes():
        if route.startswith(ADMIN) or route in QUESTIONS:
            continue
        for method in getattr(view, "handlers", WRITES if PLURAL in route else ()):
            if method in WRITES:
                for path in paths(route):
                    yield method, path


ATTEMPTS = sorted(set(attempts()))


@pytest.fixture
def platform(db: None) -> None:
    content.apply_directory(content.DEFAULTS)


def events_of(client: Client, method: str, path: str, token: str, body: str) -> tuple[int, list[AuditEvent]]:
    begun = set(AuditEvent.objects.system("test").values_list("id", flat=True))
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    reply = client.generic(method, path, body, content_type="application/json", headers=headers)
    return reply.status_code, list(AuditEvent.objects.system("test").exclude(id__in=begun))


def wrong(found: list[str], method: str, path: str, status: int, events: list[AuditEvent]) -> None:
    """Note an attempt that did not leave exactly one event."""
    if len(events) != 1 and status != 405:
        found.append(f"{method} {path}: {status}, {[str(event) for event in events]}")


def test_there_are_as_many_routes_as_the_contract_has(platform: None) -> None:
    assert len(ATTEMPTS) > 110


@pytest.mark.parametrize("body", ["{}", "[", '{"metadata": {"name": "probe"}}'], ids=["empty", "broken", "a name"])
def test_whoever_may_everything_leaves_one_event_with_each_attempt(platform: None, client: Client, body: str) -> None:
    token = issue_token(User.objects.create_superuser("root"), "sweep")
    found: list[str] = []
    for method, path in ATTEMPTS:
        status, events = events_of(client, method, path, token, body)
        assert status < 500 or status in (501, 502), (method, path, status)
        wrong(found, method, path, status, events)
    assert not found, "\n".join(found)


def test_whoever_may_nothing_leaves_one_event_that_is_no_success(platform: None, client: Client) -> None:
    token = issue_token(User.objects.create_user("stranger"), "sweep")
    found: list[str] = []
    for method, path in ATTEMPTS:
        status, events = events_of(client, method, path, token, '{"metadata": {"name": "probe"}}')
        wrong(found, method, path, status, events)
        if status >= 400:
            assert [event.outcome for event in events if event.outcome == "success"] == [], (method, path, status)
    assert not found, "\n".join(found)


def test_every_event_names_its_action_and_its_author(platform: None, client: Client) -> None:
    token = issue_token(User.objects.create_user("stranger"), "sweep")
    for method, path in ATTEMPTS:
        for event in events_of(client, method, path, token, "{}")[1]:
            assert ":" in event.action, (method, path, event.action)
            assert event.actor in ("stranger", "anonymous"), (method, path, event.actor)
            assert event.request_id
