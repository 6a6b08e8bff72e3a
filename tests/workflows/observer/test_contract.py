"""The observer against OpenChoreo's documents: its routes and replies by that of the observer, what it asks of adapters
by theirs. The adapter that stands in keeps to them, too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jsonschema_rs
import pytest
import yaml
from django.urls import Resolver404, resolve

from tests.catalog.api.conftest import ApiClient
from tests.workflows.observer.adapter_server import AdapterServer, Entry
from tests.workflows.observer.conftest import END, START, line, metadata, question
from tests.workflows.observer.test_alerts import RULE
from tests.workflows.observer.test_traces import span
from workflows.observer import alerts
from workflows.observer.scopes import Scope
from workflows.observer.scopes import resolve as resolved

pytestmark = pytest.mark.django_db
INTERNAL = re.compile(r"/api/v1alpha1/alerts/(sources|webhook)")
ADAPTERS = (
    "observability-logs-adapter-api.yaml",
    "observability-metrics-adapter.yaml",
    "observability-tracing-adapter-api.yaml",
    "finops-adapter-api.yaml",
)
Objects = dict[str, Any]
Document = dict[str, Any]


def load(conformance: Path, name: str) -> Document:
    document: Document = strict(yaml.safe_load((conformance / "openapi" / name).read_text()))
    return document


def strict(value: Any) -> Any:
    """The document with its objects closed, and "one of" as "any of": its alternatives overlap."""
    if isinstance(value, list):
        return [strict(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {("anyOf" if key == "oneOf" else key): strict(each) for key, each in value.items()}
    if isinstance(found.get("properties"), dict) and "allOf" not in found and found.get("type", "object") == "object":
        found.setdefault("additionalProperties", False)
    return found


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    for path, item in document["paths"].items():
        for method in ("get", "post", "put", "delete"):
            if method in item:
                yield method.upper(), path, {"parameters": item.get("parameters", []), **item[method]}


def operation_of(document: Document, method: str, path: str) -> Document | None:
    """The operation that a concrete request is of."""
    for known, template, operation in operations(document):
        if known == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            return operation
    return None


def validate(document: Document, schema: Document, value: Any, what: str) -> None:
    """Raise unless the value fits; the document's references are followed."""
    whole = {**schema, "components": document["components"]}
    errors = [f"{list(error.instance_path)}: {error.message}" for error in jsonschema_rs.iter_errors(whole, value)]
    assert not errors, f"{what}: {errors} in {value}"


def reply_schema(operation: Document, status: int) -> Document:
    schema: Document = operation["responses"][str(status)]["content"]["application/json"]["schema"]
    return schema


def item(objects: Objects, **more: Any) -> Entry:
    held = metadata(objects)
    names = {"namespace": "acme", "project": "shop", "component": "cart", "environment": "development"}
    return {**names, **{uid: held[uid] for uid in ("projectUid", "componentUid", "environmentUid")}, **more}


@pytest.fixture
def full(adapter: AdapterServer, objects: Objects) -> AdapterServer:
    """An adapter with something of everything."""
    adapter.logs = [line(objects, "boom", 1, "ERROR")]
    adapter.run_logs = {"build-1": [{"timestamp": "2026-05-01T10:00:00Z", "log": "step"}]}
    adapter.events = [
        {
            "timestamp": "2026-05-01T10:00:00Z",
            "message": "m",
            "type": "Normal",
            "reason": "r",
            "metadata": metadata(objects),
        }
    ]
    point = [{"timestamp": "2026-05-01T10:00:00Z", "value": 1.5}]
    adapter.series = {"cpuUsage": point, "memoryLimits": point, "requestCount": point, "latencyP99": point}
    cart = {"kind": "component", "component": "cart", "componentUid": str(objects["cart"].uid)}
    edge = {"id": "e", "source": {"kind": "gateway", "gatewayName": "g"}, "target": cart, "protocol": "http"}
    adapter.topology = {
        "nodes": [cart],
        "edges": [edge],
        "summary": {"startTime": START, "endTime": END, "generatedAt": END},
    }
    adapter.spans = {"t1": [span(objects, "s1")]}
    times = {"startTime": "2026-05-01T10:00:00Z", "endTime": "2026-05-01T10:00:01Z"}
    adapter.traces = [
        {"traceId": "t1", "traceName": "n", "spanCount": 1, **times, "hasErrors": False, "uids": metadata(objects)}
    ]
    profile = {
        "cpuRequest": "1",
        "cpuLimit": "2",
        "memoryRequest": "1Gi",
        "memoryLimit": "2Gi",
        "cpuCost": 1,
        "memoryCost": 1,
    }
    adapter.costs = [item(objects, startTime=START, endTime=END, cpuCost=1.5, memoryCost=1, efficiency=0.5)]
    adapter.recommendations = [item(objects, current=profile, recommendation=profile)]
    alerts.record(resolved(Scope("acme", "shop", "cart", "development")), RULE, "7")
    return adapter


def questions() -> Iterator[tuple[str, str, Any]]:
    """Every operation, with a request of it."""
    scope = {"environment": "development"}
    whole_time = {"startTime": "2026-05-01T00:00:00Z", "endTime": "2026-05-02T00:00:00Z"}
    run = {**whole_time, "searchScope": {"namespace": "acme", "workflowRunName": "build-1"}}
    yield "POST", "/api/v1/logs/query", question(scope=scope, logLevels=["ERROR"], searchPhrase="boom", sortOrder="asc")
    yield "POST", "/api/v1/logs/query", run
    yield "POST", "/api/v1/events/query", question(limit=5)
    yield "POST", "/api/v1/events/query", run
    yield "POST", "/api/v1/metrics/query", question(metric="resource", step="5m")
    yield "POST", "/api/v1/metrics/query", question(metric="http", scope=scope)
    yield "POST", "/api/v1alpha1/metrics/runtime-topology", question(component="", scope=scope, includeGateways=True)
    yield "POST", "/api/v1alpha1/traces/query", question(scope=scope)
    yield "POST", "/api/v1alpha1/traces/t1/spans/query", question(includeAttributes=True)
    yield "GET", "/api/v1alpha1/traces/t1/spans/s1", None
    yield "POST", "/api/v1alpha1/alerts/query", {**question(), **RECENT}
    yield "POST", "/api/v1alpha1/incidents/query", {**question(), **RECENT}
    costs = "/api/v1alpha1/costs/namespaces/acme/environments/development"
    yield "GET", f"{costs}?{urlencode({**whole_time, 'project': 'shop', 'granularity': '1d'})}", None
    yield "GET", f"{costs}/recommendations?{urlencode({**whole_time, 'project': 'shop', 'component': 'cart'})}", None


RECENT: dict[str, str] = {}


@pytest.fixture(autouse=True)
def recent() -> None:
    """A time that holds what has fired a moment ago."""
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    RECENT.update(startTime=(now - timedelta(hours=1)).isoformat(), endTime=(now + timedelta(hours=1)).isoformat())


def test_every_public_operation_of_the_document_is_served(conformance: Path) -> None:
    seen = 0
    for method, path, _ in operations(load(conformance, "observer-api.yaml")):
        if INTERNAL.match(path):
            continue
        try:
            found = resolve("/observer" + re.sub(r"\{\w+\}", "x", path))
        except Resolver404:
            pytest.fail(f"{method} {path} is not served")
        assert getattr(found.func, "is_public", False) or method in found.func.handlers, (method, path)
        seen += 1
    assert seen >= 13


def test_replies_are_as_the_document_says(viewer: ApiClient, full: AdapterServer, conformance: Path) -> None:
    document = load(conformance, "observer-api.yaml")
    asked = set()
    for method, path, body in questions():
        reply = viewer.send(method, f"/observer{path}", body)
        assert reply.status_code == 200, (path, reply.content)
        operation = operation_of(document, method, path.partition("?")[0])
        assert operation is not None, path
        validate(document, reply_schema(operation, 200), reply.json(), path)
        assert any(reply.json().values()), (path, reply.json())
        asked.add(operation["operationId"])
    rest = {operation["operationId"] for _, path, operation in operations(document) if not INTERNAL.match(path)}
    assert rest - asked == {"health", "updateIncident"}


def test_refusals_are_as_the_document_says(viewer: ApiClient, full: AdapterServer, conformance: Path) -> None:
    document = load(conformance, "observer-api.yaml")
    error = {"$ref": "#/components/schemas/ErrorResponse"}
    statuses = set()
    full.misbehave = lambda handler: handler.reply(500, {"message": "no"}) or True
    for method, path, body in questions():
        other = body and {**body, "searchScope": {**body["searchScope"], "namespace": "globex"}}
        for name, sent in (("fails", body), ("denied", other), ("senseless", body and {**body, "endTime": "noon"})):
            reply = viewer.send(method, f"/observer{path}", sent)
            if reply.status_code == 200:
                continue
            validate(document, error, reply.json(), f"{path} {name}")
            operation = operation_of(document, method, path.partition("?")[0])
            assert operation is not None and str(reply.status_code) in operation["responses"], (path, reply.status_code)
            statuses.add(reply.status_code)
    assert statuses == {400, 403, 500}


def test_what_adapters_are_asked_is_as_their_documents_say(
    viewer: ApiClient, full: AdapterServer, conformance: Path
) -> None:
    for method, path, body in questions():
        viewer.send(method, f"/observer{path}", body)
    documents = [load(conformance, name) for name in ADAPTERS]
    for method, path, given, _ in full.asked:
        found = [(document, operation_of(document, method, path)) for document in documents]
        document, operation = next((pair for pair in found if pair[1] is not None), (None, None))
        assert document is not None and operation is not None, f"no adapter has {method} {path}"
        if method == "POST":
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            validate(document, schema, given, path)
            continue
        known = {parameter["name"]: parameter for parameter in (of(document, each) for each in operation["parameters"])}
        assert set(given) <= set(known), (path, given)
        needed = {name for name, parameter in known.items() if parameter.get("required") and parameter["in"] == "query"}
        assert needed <= set(given), (path, given)
    assert len(full.asked) >= 12


def of(document: Document, reference: Document) -> Document:
    """A parameter, or what it refers to."""
    if "$ref" not in reference:
        return reference
    found: Document = document["components"]["parameters"][reference["$ref"].rpartition("/")[2]]
    return found
