"""Metrics: what containers use, how requests fare, and who talks to whom."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from portal.access.engine import Access
from workflows.observer.adapters import adapter_for
from workflows.observer.answers import Entry, broken, entries_of, numbers, part_of, texts, times
from workflows.observer.asking import Adapter, AdapterFailed, NotOffered, ask, path_of
from workflows.observer.refusals import ObserverRefusal, bad_request
from workflows.observer.scopes import note, permit, read_scope, resolve
from workflows.observer.windows import Window, step_of

SERIES = {
    "resource": (
        *("cpuUsage", "cpuRequests", "cpuLimits", "memoryUsage", "memoryRequests", "memoryLimits"),
        *("networkReceiveBytes", "networkTransmitBytes", "diskReadBytes", "diskWriteBytes"),
    ),
    "http": (
        *("requestCount", "successfulRequestCount", "unsuccessfulRequestCount"),
        *("meanLatency", "latencyP50", "latencyP90", "latencyP99"),
    ),
}
EDGE_METRICS = ("requestCount", "unsuccessfulRequestCount", "meanLatency", "latencyP50", "latencyP90", "latencyP99")
NODES = {
    "component": {"component": "component", "componentUid": "componentUid"},
    "gateway": {"gatewayName": "name"},
    "external": {"externalHost": "host", "component": "component", "componentUid": "componentUid"},
}
"""Kind of a node → the adapter's fields and what they are called here, besides those that all have."""


def query_metrics(access: Access, given: Mapping[str, Any]) -> Entry:
    """Series by name, each `[{timestamp, value}]`: of containers with `metric: resource`, of requests with `http`.

    `given` has `searchScope`, `startTime`, `endTime`, `metric` and `step`. Raises `ObserverRefusal`.
    """
    metric = given.get("metric")
    if not metric:
        raise bad_request("metric is required")
    if metric not in SERIES:
        raise bad_request("metric must be either resource or http")
    window, scope, step = Window.read(given), read_scope(given), step_of(given)
    permit(access, "metrics:view", scope)
    found = resolve(scope, "OBS-V1-M-04")
    adapter = adapter_for("metrics", found, "OBS-V1-M-03")
    question = {"metric": metric, "startTime": window.start, "endTime": window.end, "searchScope": found.for_adapter}
    question |= {"step": step} if step else {}
    try:
        answer = ask(adapter, "POST", path_of("api", "v1", "metrics", "query"), body=question)
        series = {name: series_of(adapter, answer, name) for name in SERIES[metric] if answer.get(name) is not None}
    except AdapterFailed as error:
        raise ObserverRefusal(500, f"Failed to retrieve metrics: {error}", "OBS-V1-M-05") from error
    note(access, "metrics:view", scope)
    return series


def series_of(adapter: Adapter, answer: Mapping[str, Any], name: str) -> list[Entry]:
    return [
        {**times(adapter, point, ("timestamp",)), **numbers(adapter, point, ("value",))}
        for point in entries_of(adapter, answer, name)
    ]


def query_topology(access: Access, given: Mapping[str, Any]) -> Entry:
    """`{nodes, edges, summary}`: the traffic of a project in an environment. Raises `ObserverRefusal`."""
    scope = read_scope(given)
    for field in ("project", "environment"):
        if not getattr(scope, field):
            raise bad_request(f"searchScope.{field} is required")
    window = Window.read(given)
    permit(access, "metrics:view", scope)
    found = resolve(scope, "OBS-V1-RG-04")
    adapter = adapter_for("metrics", found, "OBS-V1-RG-03")
    question: Entry = {"searchScope": found.for_adapter, "startTime": window.start, "endTime": window.end}
    for field in ("includeGateways", "includeExternal"):
        if given.get(field) is not None:
            if not isinstance(given[field], bool):
                raise bad_request(f"{field} must be true or false")
            question[field] = given[field]
    try:
        answer = ask(adapter, "POST", path_of("api", "v1alpha1", "metrics", "runtime-topology"), body=question)
        nodes = [node_of(adapter, node) for node in entries_of(adapter, answer, "nodes")]
        edges = [edge_of(adapter, edge) for edge in entries_of(adapter, answer, "edges")]
        summary = times(adapter, part_of(adapter, answer, "summary"), ("startTime", "endTime", "generatedAt"))
    except NotOffered as error:
        text = "Runtime topology is not implemented by the configured metrics adapter"
        raise ObserverRefusal(501, text, "OBS-V1-RG-05") from error
    except AdapterFailed as error:
        raise ObserverRefusal(500, f"Failed to retrieve runtime topology: {error}", "OBS-V1-RG-05") from error
    note(access, "metrics:view", scope)
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    filled = {"startTime": window.start, "endTime": window.end, "generatedAt": now, **summary}
    return {"nodes": nodes, "edges": edges, "summary": filled}


def node_of(adapter: Adapter, node: Mapping[str, Any]) -> Entry:
    """A node in the observer's words, with its metrics if it has any."""
    return {**reference_of(adapter, node), **metrics_of(adapter, node)}


def reference_of(adapter: Adapter, node: Mapping[str, Any]) -> Entry:
    kind = node.get("kind")
    if kind not in NODES:
        raise broken(adapter, f"a node's kind must be one of {', '.join(NODES)}")
    named = texts(adapter, node, NODES[kind])
    shown = {NODES[kind][field]: value for field, value in named.items()}
    return {"kind": kind, **shown, **texts(adapter, node, ("projectUid", "namespace"))}


def edge_of(adapter: Adapter, edge: Mapping[str, Any]) -> Entry:
    ends = {end: reference_of(adapter, part_of(adapter, edge, end)) for end in ("source", "target")}
    return {**texts(adapter, edge, ("id", "protocol")), **ends, **metrics_of(adapter, edge)}


def metrics_of(adapter: Adapter, holder: Mapping[str, Any]) -> Entry:
    if holder.get("metrics") is None:
        return {}
    given = numbers(adapter, part_of(adapter, holder, "metrics"), EDGE_METRICS)
    return {"metrics": {name: given.get(name, 0) for name in EDGE_METRICS}}
