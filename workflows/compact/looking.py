"""status, logs, events, observe: what became of things, and what programs say.

`status` reads the same documents as the contract's tools and keeps of them what answers "is it well, and if not why".
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from catalog import store
from portal.access.endpoint import Call
from portal.mcp.arguments import NUMBER, OBJECT, TEXT, BadArguments, described, one_of
from portal.mcp.registry import Arguments, Document
from portal.wire.responses import Refusal
from workflows.compact.deploying import AT, binding_at, visible_component
from workflows.compact.dispatching import read
from workflows.compact.tool import CompactTool, Picked, actions_behind, contract_tool
from workflows.compact.verbs import SPARING
from workflows.observer.adapters import configured
from workflows.observer.tools import TIME
from workflows.observer.windows import moment_of

WELL = ("Healthy", "Suspended")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
LOG_LINES = 20
UNSEEN = "not looked at yet"
"""The reason of what has been changed a moment ago."""
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


# status ---------------------------------------------------------------------------------------------------------------


def status(call: Call, given: Arguments) -> Document:
    """Of a run, a resource or a component; with an environment there, else in all of them."""
    if given.get("run"):
        return read(call, "get_workflow_run_status", run_named(given))
    if given.get("resource"):
        return status_of_resource(call, given)
    if not given.get("component"):
        raise BadArguments("status: give component, resource or run")
    if given.get("environment"):
        return status_in(call, given)
    located = {"namespace_name": given["namespace"], "component_name": given["component"]}
    bindings = read(call, "list_release_bindings", located)["bindings"]
    return {"environments": [short_binding(given["namespace"], item) for item in bindings] or "deployed nowhere"}


def is_current(kind: str, namespace: str, name: str) -> bool:
    """Whether what an object says of itself is about what it is now: after a change it takes a moment."""
    held = store.get_or_none(kind, namespace, name)
    conditions = [] if held is None else held.status.get("conditions") or []
    seen = [item.get("observedGeneration") for item in conditions if item.get("type") == "Ready"]
    return held is not None and seen == [held.generation]


def short_binding(namespace: str, item: Document) -> Document:
    status = item.get("status") if is_current("ReleaseBinding", namespace, item["name"]) else UNSEEN
    shown = {name: item[name] for name in ("environment", "releaseName", "state") if item.get(name)}
    return {**shown, "status": status or UNSEEN, "healthy": "yes" if status == "Ready" else "no"}


def status_in(call: Call, given: Arguments) -> Document:
    """A deployment: its release, whether it is well, and if not the conditions and objects that are to blame."""
    component = visible_component(call, given)
    held = binding_at(call, component, given["environment"])
    if not is_current("ReleaseBinding", given["namespace"], held["name"]):
        held = {**held, "status": UNSEEN}
    is_well = held.get("status") == "Ready"
    shown: Document = {
        "component": component.name,
        "environment": given["environment"],
        "healthy": "yes" if is_well else "no",
        "reason": held.get("status") or UNSEEN,
        "release": held.get("releaseName"),
        "state": held.get("state"),
        "urls": urls_of(held),
    }
    if is_well:
        return shown
    shown["conditions"] = [
        {name: condition.get(name) for name in ("type", "reason", "message")}
        for condition in held.get("conditions") or ()
        if condition.get("status") != "True"
    ]
    return {**shown, **objects_to_blame(call, given["namespace"], held["name"])}


def urls_of(held: Document) -> list[str]:
    """The addresses of a binding's endpoints, from outside first."""
    found: list[str] = []
    for endpoint in held.get("endpoints") or ():
        for field in ("externalURLs", "internalURLs", "serviceURL"):
            value = endpoint.get(field)
            if value:
                found += texts_in(value)[:1]
                break
    return found


def texts_in(value: Any) -> list[str]:
    """The addresses within: of text, or of objects of scheme, host and path."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict) and value.get("host"):
        port = f":{value['port']}" if value.get("port") else ""
        return [f"{value.get('scheme', 'http')}://{value['host']}{port}{value.get('path', '')}"]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in items for text in texts_in(item)]


def objects_to_blame(call: Call, namespace: str, binding: str) -> Document:
    """The objects on the plane that are not well, with what is known of each."""
    try:
        found = read(call, "get_resource_tree", {"namespace_name": namespace, "release_binding_name": binding})
    except Refusal as refusal:
        return {"objects": f"cannot be looked at: {refusal}"}
    blamed = []
    for release in found["rendered_releases"]:
        for node in release["nodes"]:
            health = node.get("health")
            health = health if isinstance(health, dict) else {"status": health}
            if health.get("status") and health["status"] not in (*WELL, "Unknown"):
                blamed.append(
                    {
                        "kind": node.get("kind"),
                        "name": node.get("name"),
                        "health": health["status"],
                        "message": health.get("message"),
                    }
                )
    return {"objects": blamed} if blamed else {}


def status_of_resource(call: Call, given: Arguments) -> Document:
    """A managed resource: where it is bound, its outputs by name, and what it waits for."""
    located = {"namespace_name": given["namespace"], "resource_name": given["resource"]}
    rows = read(call, "list_resource_release_bindings", located)["resource_release_bindings"]
    wanted = [row for row in rows if not given.get("environment") or row.get("environment") == given["environment"]]
    if not wanted:
        return {"resource": given["resource"], "environments": "bound nowhere"}
    return {
        "resource": given["resource"],
        "environments": [resource_binding(call, given["namespace"], row) for row in wanted],
    }


def resource_binding(call: Call, namespace: str, row: Document) -> Document:
    held = read(call, "get_resource_release_binding", {"namespace_name": namespace, "name": row["name"]})
    if not is_current("ResourceReleaseBinding", namespace, row["name"]):
        held = {**held, "status": UNSEEN}
    is_well = held.get("status") == "Ready"
    faults = [
        f"{condition.get('type')}: {condition.get('reason')}: {condition.get('message')}"
        for condition in held.get("conditions") or ()
        if condition.get("status") != "True"
    ]
    return {
        "environment": held.get("environment"),
        "ready": "yes" if is_well else "no",
        "reason": held.get("status") or UNSEEN,
        "release": held.get("resourceRelease"),
        "outputs": ", ".join(output["name"] for output in held.get("outputs") or () if output.get("name")),
        "waits_for": [] if is_well else faults,
    }


def run_named(given: Arguments) -> Document:
    return {"namespace_name": given["namespace"], "run_name": given["run"]}


def pick_status(given: Arguments) -> Picked:
    if given.get("run"):
        return "get_workflow_run_status", run_named(given)
    if given.get("resource"):
        return "list_resource_release_bindings", {
            "namespace_name": given["namespace"],
            "resource_name": given["resource"],
        }
    located = {"namespace_name": given["namespace"], "component_name": given["component"]}
    return "get_release_binding" if given.get("environment") else "list_release_bindings", located


# logs, events ---------------------------------------------------------------------------------------------------------


def logs(call: Call, given: Arguments) -> Document:
    """Of a run, of a pod as it is now, or, where logs are kept, of a component over time."""
    if given.get("run"):
        more = {"task": given.get("task"), "since_seconds": seconds_of(given)}
        return read(call, "get_workflow_run_logs", {**run_named(given), **present(more)})
    if not given.get("component"):
        raise BadArguments("logs: give component or run")
    if given.get("pod"):
        binding = binding_at(call, visible_component(call, given), require_environment(given))["name"]
        return {"lines": pod_lines(call, given, binding, given["pod"])}
    name, arguments = pick_logs(given)
    if not configured("logs"):
        return live_logs(call, given)
    found = read(call, name, {**arguments, "project": project_of(call, given)})
    return {"lines": [kept_line(entry) for entry in found["logs"]]} | {"of": found["total"]}


def live_logs(call: Call, given: Arguments) -> Document:
    """Where nobody keeps logs: what the pods have to say now."""
    component = visible_component(call, given)
    binding = binding_at(call, component, require_environment(given))["name"]
    tree = read(call, "get_resource_tree", {"namespace_name": given["namespace"], "release_binding_name": binding})
    nodes = [node for release in tree["rendered_releases"] for node in release["nodes"] if node.get("kind") == "Pod"]
    lines = [line for node in nodes for line in pod_lines(call, given, binding, node["name"])]
    words = [str(given[name]) for name in ("level", "search") if given.get(name)]
    found = [line for line in lines if all(word in line["log"] for word in words)]
    newest = sorted(found, key=lambda line: str(line.get("time")), reverse=True)[: given.get("limit") or LOG_LINES]
    return {"lines": newest or "none", "pods": len(nodes), "note": "from the pods that run now: no logs are kept"}


def pod_lines(call: Call, given: Arguments, binding: str, pod: str) -> list[Document]:
    asked = {"namespace_name": given["namespace"], "release_binding_name": binding, "pod_name": pod}
    more = present({"container": given.get("container"), "since_seconds": seconds_of(given)})
    entries = read(call, "get_resource_logs", {**asked, **more})["logEntries"]
    return [{"time": item.get("timestamp"), "pod": pod, "log": item.get("log")} for item in entries]


def kept_line(entry: Document) -> Document:
    about = entry.get("metadata") or {}
    return {
        "time": entry.get("timestamp"),
        "level": entry.get("level"),
        "pod": about.get("podName"),
        "log": entry["log"],
    }


def pick_logs(given: Arguments) -> Picked:
    if given.get("run"):
        return "get_workflow_run_logs", run_named(given)
    if given.get("pod"):
        return "get_resource_logs", {"namespace_name": given["namespace"], "component_name": given["component"]}
    names = {name: given[name] for name in ("namespace", "component", "environment") if given.get(name)}
    more = {
        "search_phrase": given.get("search"),
        "log_levels": [given["level"]] if given.get("level") else None,
        "limit": given.get("limit") or LOG_LINES,
    }
    return "query_component_logs", {**names, **window_of(given), **present(more)}


def events(call: Call, given: Arguments) -> Document:
    """Of a run, of one object of a deployment, or, where events are kept, of a component over time."""
    if given.get("run"):
        return read(call, "get_workflow_run_events", {**run_named(given), **present({"task": given.get("task")})})
    if not given.get("component"):
        raise BadArguments("events: give component or run")
    if given.get("object"):
        binding = binding_at(call, visible_component(call, given), require_environment(given))["name"]
        asked = {"namespace_name": given["namespace"], "release_binding_name": binding}
        return read(call, "get_resource_events", {**asked, **object_named(given["object"])})
    name, arguments = pick_events(given)
    found = read(call, name, {**arguments, "project": project_of(call, given)})
    rows = [
        {
            "time": item.get("timestamp"),
            "type": item.get("type"),
            "reason": item.get("reason"),
            "object": "/".join(
                filter(None, ((item.get("metadata") or {}).get(k) for k in ("objectKind", "objectName")))
            ),
            "message": item["message"],
        }
        for item in found["events"]
    ]
    return {"events": rows, "of": found["total"]}


def object_named(text: str) -> Document:
    """`apps/v1/Deployment/web` or `v1/Pod/web-1` as the contract's four arguments. Raises `BadArguments`."""
    parts = text.split("/")
    if len(parts) not in (3, 4):
        raise BadArguments(
            f"object {text!r}: write group/version/Kind/name, such as apps/v1/Deployment/web or v1/Pod/web-1"
        )
    group, version, kind, name = parts if len(parts) == 4 else ["", *parts]
    return {"group": group, "version": version, "kind": kind, "resource_name": name}


def pick_events(given: Arguments) -> Picked:
    if given.get("run"):
        return "get_workflow_run_events", run_named(given)
    if given.get("object"):
        return "get_resource_events", {"namespace_name": given["namespace"], "component_name": given["component"]}
    names = {name: given[name] for name in ("namespace", "component", "environment") if given.get(name)}
    return "query_component_events", {**names, **window_of(given), "limit": given.get("limit") or LOG_LINES}


def project_of(call: Call, given: Arguments) -> str:
    """The project of a component that the caller may see: the contract's queries want it named."""
    return str(visible_component(call, given).spec["owner"]["projectName"])


def require_environment(given: Arguments) -> str:
    if not given.get("environment"):
        raise BadArguments("give environment: each has its own pods")
    return str(given["environment"])


# Times ----------------------------------------------------------------------------------------------------------------


def window_of(given: Arguments) -> Document:
    """`since` (`30m`, `2h`, `7d`, or a time) until now, as the contract's two times. Raises `BadArguments`."""
    end = datetime.now(UTC)
    return {"start_time": wire_time(beginning_of(given, end)), "end_time": wire_time(end)}


def beginning_of(given: Arguments, now: datetime) -> datetime:
    text = str(given.get("since") or "1h")
    if text[:-1].isdecimal() and text[-1:] in UNITS and len(text) < 8:
        return now - timedelta(**{UNITS[text[-1]]: int(text[:-1])})
    try:
        return moment_of(text)
    except ValueError:
        raise BadArguments(f"since {text!r}: write 30m, 2h, 7d, or a time such as 2026-05-01T10:00:00Z") from None


def wire_time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def seconds_of(given: Arguments) -> int | None:
    if not given.get("since"):
        return None
    now = datetime.now(UTC)
    return max(1, round((now - beginning_of(given, now)).total_seconds()))


def present(arguments: Document) -> Document:
    return {name: value for name, value in arguments.items() if value not in (None, "", [])}


# observe --------------------------------------------------------------------------------------------------------------


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
    """The four."""
    looks = ("get_release_binding", "list_release_bindings", "get_resource_tree", "get_workflow_run_status")
    resources = ("list_resource_release_bindings", "get_resource_release_binding")
    yield CompactTool(
        "status",
        "Status",
        "Whether a component is well in an environment, and if not which condition and object is to blame; or how a "
        "resource or a workflow run stands.",
        status,
        actions_behind(*looks, *resources),
        (),
        arguments={**AT, "resource": TEXT, "run": TEXT, **SPARING},
        required=("namespace",),
        covers=(*looks, *resources),
        pick=pick_status,
    )
    said = ("query_component_logs", "get_resource_logs", "get_workflow_run_logs")
    since = described(TEXT, "30m, 2h, 7d or RFC 3339; default 1h")
    yield CompactTool(
        "logs",
        "Logs",
        "Log lines, newest first: of a component, of one pod as it runs, or of a workflow run.",
        logs,
        actions_behind(*said),
        (),
        arguments={
            **AT,
            "pod": TEXT,
            "container": TEXT,
            "run": TEXT,
            "task": TEXT,
            "level": one_of("DEBUG", "INFO", "WARN", "ERROR"),
            "search": TEXT,
            "since": since,
            "limit": NUMBER,
            **SPARING,
        },
        required=("namespace",),
        covers=said,
        pick=pick_logs,
    )
    happened = ("query_component_events", "get_resource_events", "get_workflow_run_events")
    yield CompactTool(
        "events",
        "Events",
        "Kubernetes events of a component, of one of its objects, or of a workflow run.",
        events,
        actions_behind(*happened),
        (),
        arguments={
            **AT,
            "object": described(TEXT, "group/version/Kind/name"),
            "run": TEXT,
            "task": TEXT,
            "since": since,
            "limit": NUMBER,
            **SPARING,
        },
        required=("namespace",),
        covers=happened,
        pick=pick_events,
    )
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
