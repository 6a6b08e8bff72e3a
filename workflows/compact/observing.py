"""observe: what the observer's tools tell beside logs and events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from portal.access.endpoint import Call
from portal.mcp.arguments import NUMBER, OBJECT, TEXT, BadArguments, one_of
from portal.mcp.registry import Arguments, Document
from workflows.compact.dispatching import read
from workflows.compact.since import beginning_of, wire_time
from workflows.compact.tool import CompactTool, Picked, actions_behind, contract_tool
from workflows.compact.verbs import SPARING
from workflows.observer.tools import TIME

OBSERVED = {
    "resource_metrics": "query_resource_metrics",
    "http_metrics": "query_http_metrics",
    "traces": "query_traces",
    "spans": "query_trace_spans",
    "span": "get_span_details",
    "alerts": "query_alerts",
    "incidents": "query_incidents",
    "costs": "query_costs",
    "recommendations": "query_recommendations",
    "workflow_logs": "query_workflow_logs",
    "workflow_events": "query_workflow_events",
}


def observe(call: Call, given: Arguments) -> Document:
    """What the observer's tools tell; series of the same times as one table."""
    name, arguments = pick_observed(given)
    found = read(call, name, arguments)
    return series_table(found) if given["what"].endswith("_metrics") else found


def pick_observed(given: Arguments) -> Picked:
    name = OBSERVED[given["what"]]
    tool = contract_tool(name)
    if "start_time" in tool.arguments:
        end = datetime.now(UTC)
        times = {"start_time": wire_time(beginning_of(given, end)), "end_time": wire_time(end)}
    else:
        times = {}
    fields = dict(given.get("fields") or {})
    unknown = sorted(set(fields) - set(tool.arguments))
    if unknown:
        able = ", ".join(field for field in tool.arguments if field not in TIME)
        raise BadArguments(f"{given['what']} has no field {', '.join(unknown)}; it takes {able}")
    names = {field: given[field] for field in ("namespace", "project", "component", "environment") if given.get(field)}
    limit = {"limit": given["limit"]} if given.get("limit") and "limit" in tool.arguments else {}
    return name, {
        **times,
        **{field: value for field, value in names.items() if field in tool.arguments},
        **limit,
        **fields,
    }


def series_table(found: Document) -> Document:
    """Series as rows of one time each."""
    rows: dict[str, Document] = {}
    for name, points in found.items():
        for point in points:
            rows.setdefault(str(point.get("timestamp")), {})[name] = point.get("value")
    return {"points": [{"time": moment, **values} for moment, values in sorted(rows.items())] or "none"}


def tools() -> Iterator[CompactTool]:
    """The one."""
    yield CompactTool(
        "observe",
        "Observe",
        "Metrics, traces, alerts, incidents, costs; fields: step, granularity, trace_id, span_id, workflow_run_name.",
        observe,
        actions_behind(*OBSERVED.values()),
        (),
        arguments={
            "what": one_of(*OBSERVED),
            "namespace": TEXT,
            "project": TEXT,
            "component": TEXT,
            "environment": TEXT,
            "since": TEXT,
            "limit": NUMBER,
            "fields": OBJECT,
            **SPARING,
        },
        required=("what",),
        covers=tuple(OBSERVED.values()),
        pick=pick_observed,
    )
