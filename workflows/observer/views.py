"""The observer's REST routes: they read requests, and hand them to the functions that the MCP tools call too.

Questions go by POST and change nothing, so the audit hears of them through `scopes.note` (who has read what, once a
minute) and of refusals, not of every request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict

from portal.access.endpoint import Call, Handler, endpoint
from portal.access.engine import Access
from portal.audit import operation as audit
from portal.wire import gojson, responses
from workflows.observer import alerts, costs, logs, metrics, traces
from workflows.observer.answers import Entry
from workflows.observer.refusals import bad_request

Query = Callable[[Access, Mapping[str, Any]], Entry]
MALFORMED = "Invalid request format"
COST_PARAMETERS = ("project", "component", "startTime", "endTime", "granularity")


def asking(query: Query, action: str, code: str = "") -> Callable[..., Any]:
    """The view of a question by POST."""

    def ask(call: Call) -> HttpResponse:
        audit.rehearses()
        return responses.json_body(query(call.access, body_of(call, code)))

    return endpoint(post=Handler(ask, action=action))


def body_of(call: Call, code: str = "") -> dict[str, Any]:
    """The JSON object of a request. Raises the 400 in the observer's shape."""
    content_type = call.request.headers.get("Content-Type", "")
    if content_type and not content_type.startswith("application/json"):
        raise bad_request(MALFORMED, code)
    try:
        body = gojson.decode(call.request.body)
    except gojson.UndecodableJSON as error:
        raise bad_request(f"{MALFORMED}: {error}", code) from None
    if not isinstance(body, dict):
        raise bad_request(MALFORMED, code)
    return body


def show_spans(call: Call, trace: str) -> HttpResponse:
    """200 with the spans of a trace."""
    audit.rehearses()
    return responses.json_body(traces.query_spans(call.access, trace, body_of(call)))


def show_span(call: Call, trace: str, span: str) -> HttpResponse:
    """200 with one span, 404 for one that is not there or not to be seen."""
    return responses.json_body(traces.get_span(call.access, trace, span))


def change_incident(call: Call, incident: str) -> HttpResponse:
    """200 with the incident as it is now."""
    return responses.json_body(alerts.update_incident(call.access, incident, body_of(call, "INVALID_REQUEST_BODY")))


def bind_cost(query: QueryDict) -> dict[str, str]:
    return {name: query.get(name, "") for name in COST_PARAMETERS}


def show_costs(call: Call, namespace: str, environment: str) -> HttpResponse:
    """200 with what components cost."""
    given = {**call.query, "namespace": namespace, "environment": environment}
    return responses.json_body(costs.query_costs(call.access, given))


def show_recommendations(call: Call, namespace: str, environment: str) -> HttpResponse:
    """200 with what components could do with."""
    given = {**call.query, "namespace": namespace, "environment": environment}
    return responses.json_body(costs.query_recommendations(call.access, given))


def health(request: HttpRequest) -> HttpResponse:
    """200: this process answers. Whether adapters do is told by their own errors."""
    return responses.json_body({"status": "healthy"})


ask_logs = asking(logs.query_logs, "logs:view")
ask_events = asking(logs.query_events, "events:view")
ask_metrics = asking(metrics.query_metrics, "metrics:view")
ask_topology = asking(metrics.query_topology, "metrics:view")
ask_traces = asking(traces.query_traces, "traces:view")
ask_alerts = asking(alerts.query_alerts, "alerts:view", "INVALID_REQUEST_BODY")
ask_incidents = asking(alerts.query_incidents, "incidents:view", "INVALID_REQUEST_BODY")
