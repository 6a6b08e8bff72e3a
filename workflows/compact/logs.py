"""logs, events: what programs say, and what clusters report of them."""

from __future__ import annotations

from collections.abc import Iterator

from portal.access.endpoint import Call
from portal.mcp.arguments import NUMBER, TEXT, BadArguments, described, one_of
from portal.mcp.registry import Arguments, Document
from workflows.compact.deploying import AT, binding_at, visible_component
from workflows.compact.dispatching import read
from workflows.compact.since import SINCE, present, seconds_of, window_of
from workflows.compact.status import run_named
from workflows.compact.tool import CompactTool, Picked, actions_behind
from workflows.compact.verbs import SPARING
from workflows.observer.adapters import configured

LOG_LINES = 20


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


def tools() -> Iterator[CompactTool]:
    """The two."""
    said = ("query_component_logs", "get_resource_logs", "get_workflow_run_logs")
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
            "since": SINCE,
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
            "since": SINCE,
            "limit": NUMBER,
            **SPARING,
        },
        required=("namespace",),
        covers=happened,
        pick=pick_events,
    )
