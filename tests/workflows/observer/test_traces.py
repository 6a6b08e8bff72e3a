"""Traces and spans, and who may see one span that is asked for by its ids alone."""

from __future__ import annotations

from typing import Any

import pytest

from portal.accounts.models import User, issue_token
from tests.catalog.access.conftest import bind, person, role
from tests.catalog.api.conftest import ApiClient
from tests.workflows.observer.adapter_server import AdapterServer, Entry
from tests.workflows.observer.conftest import metadata, question

pytestmark = pytest.mark.django_db
TRACES = "/observer/api/v1alpha1/traces"
Objects = dict[str, Any]


def span(objects: Objects, identity: str, component: str = "cart", environment: str = "development") -> Entry:
    held = metadata(objects, component, environment)
    return {
        "spanId": identity,
        "spanName": "GET /cart",
        "spanKind": "server",
        "startTime": "2026-05-01T10:00:00Z",
        "endTime": "2026-05-01T10:00:01Z",
        "durationNs": 1_000_000_000,
        "parentSpanId": "",
        "status": {"code": "error", "message": "timeout"},
        "attributes": {"http.status_code": 500},
        "resourceAttributes": {
            "openchoreo.dev/component-uid": held["componentUid"],
            "openchoreo.dev/project-uid": held["projectUid"],
            "openchoreo.dev/environment-uid": held["environmentUid"],
        },
    }


def test_traces_of_a_component_come_by_its_uids_under_the_tracers_names(
    viewer: ApiClient, adapter: AdapterServer, objects: Objects
) -> None:
    trace = {
        "traceId": "t1",
        "traceName": "checkout",
        "spanCount": 3,
        "rootSpanId": "s1",
        "rootSpanName": "GET /cart",
        "startTime": "2026-05-01T10:00:00Z",
        "endTime": "2026-05-01T10:00:01Z",
        "durationNs": 1_000_000_000,
        "hasErrors": True,
    }
    held = metadata(objects)
    adapter.traces = [{**trace, "uids": {name: held[name] for name in ("projectUid", "componentUid")}}]
    reply = viewer.post(f"{TRACES}/query", question())
    assert reply.json() == {"traces": [trace], "total": 1, "tookMs": 3}
    assert adapter.asked[0][2]["searchScope"] == {
        "namespace": "acme",
        "project": held["projectUid"],
        "component": held["componentUid"],
    }


def test_spans_come_with_attributes_only_when_asked_for(
    viewer: ApiClient, adapter: AdapterServer, objects: Objects
) -> None:
    adapter.spans = {"t1": [span(objects, "s1")]}
    bare = viewer.post(f"{TRACES}/t1/spans/query", question()).json()["spans"][0]
    assert "attributes" not in bare
    assert (bare["spanId"], bare["status"]) == ("s1", {"code": "error", "message": "timeout"})
    full = viewer.post(f"{TRACES}/t1/spans/query", question(includeAttributes=True)).json()["spans"][0]
    assert full["attributes"] == {"http.status_code": 500}


def test_one_span_is_shown_to_who_may_see_traces_where_it_comes_from(
    viewer: ApiClient, adapter: AdapterServer, objects: Objects
) -> None:
    adapter.spans = {"t1": [span(objects, "mine"), span(objects, "theirs", "vault")]}
    mine = viewer.get(f"{TRACES}/t1/spans/mine")
    assert mine.json()["attributes"] == {"http.status_code": 500}
    theirs, absent = viewer.get(f"{TRACES}/t1/spans/theirs"), viewer.get(f"{TRACES}/t1/spans/absent")
    assert theirs.status_code == absent.status_code == 404
    assert theirs.content == absent.content


def test_a_span_that_names_no_place_is_for_who_may_see_all_traces(
    viewer: ApiClient, adapter: AdapterServer, objects: Objects
) -> None:
    adapter.spans = {"t1": [{**span(objects, "stray"), "resourceAttributes": {"openchoreo.dev/component-uid": "x"}}]}
    assert viewer.get(f"{TRACES}/t1/spans/stray").status_code == 404
    root = ApiClient(viewer.client, issue_token(User.objects.create_superuser("root"), "tests"))
    assert root.get(f"{TRACES}/t1/spans/stray").status_code == 200


def test_a_grant_for_one_environment_does_not_show_a_span_of_another(
    client: Any, adapter: AdapterServer, objects: Objects
) -> None:
    role("tracer", "traces:view")
    rule = {"actions": ["traces:view"], "expression": 'resource.environment == "acme/development"'}
    bind("dev-only", "groups:dev", "tracer", scope={"namespace": "acme"}, conditions=[rule])
    api = ApiClient(client, issue_token(person("dora", "dev"), "tests"))
    adapter.spans = {"t1": [span(objects, "dev"), span(objects, "live", environment="production")]}
    assert api.get(f"{TRACES}/t1/spans/dev").status_code == 200
    assert api.get(f"{TRACES}/t1/spans/live").status_code == 404


def test_who_may_see_no_traces_at_all_is_refused_before_any_adapter_is_asked(
    client: Any, adapter: AdapterServer, objects: Objects
) -> None:
    adapter.spans = {"t1": [span(objects, "s1")]}
    api = ApiClient(client, issue_token(person("nobody"), "tests"))
    assert api.get(f"{TRACES}/t1/spans/s1").status_code == 403
    assert not adapter.asked


def test_an_id_cannot_lead_the_adapter_astray(viewer: ApiClient, adapter: AdapterServer) -> None:
    viewer.get(f"{TRACES}/t1/spans/..%2F..%2Falerts%3Fx=1")
    assert all(path.startswith("/api/v1alpha1/traces/t1/spans/") and "?" not in path for _, path, _, _ in adapter.asked)
    assert viewer.get(f"{TRACES}/{'a' * 300}/spans/s1").status_code == 400
