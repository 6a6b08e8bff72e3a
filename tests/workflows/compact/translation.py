"""A call of the contract's, as the call of compact mode that does the same: what parity is tested with."""

from __future__ import annotations

from typing import Any

from portal.mcp.registry import TOOLS
from workflows.compact.dispatching import OWNERS
from workflows.compact.kinds import KINDS

Arguments = dict[str, Any]
BEHIND = {tool: (kind.name, verb) for kind in KINDS.values() for verb, tool in kind.tools.items()}


def compact_call(tool: str, given: Arguments) -> tuple[str, Arguments]:
    """The compact tool and its arguments."""
    if tool in BEHIND:
        kind, verb = BEHIND[tool]
        if verb in ("schema", "authoring"):
            return "schema", {
                "kind": kind,
                "of": "spec" if verb == "authoring" else "parameters",
                **placed(tool, kind, given),
            }
        return verb, {"kind": kind, **placed(tool, kind, given)}
    return special(tool, given)


def placed(tool: str, kind: str, given: Arguments) -> Arguments:
    """Names where compact mode has them; what is left goes into `fields`."""
    verb = BEHIND[tool][1]
    named = KINDS[kind].made if verb == "create" else KINDS[kind].named
    found: Arguments = {}
    fields: Arguments = {}
    beside = {"namespace_name": "namespace", "limit": "limit", **{long: short for short, long in OWNERS.items()}}
    if verb == "create":
        beside["environment"] = "environment"
    for name, value in given.items():
        if name == named and name in TOOLS.tools[tool].arguments:
            found["name"] = value
        elif name in beside:
            found[beside[name]] = value
        elif name != "scope":
            fields[name] = value
    if given.get("scope") == "cluster":
        found.pop("namespace", None)
    elif verb == "authoring":
        found["namespace"] = "default"
    return {**found, "fields": fields} if fields else found


def special(tool: str, given: Arguments) -> tuple[str, Arguments]:
    """The tools that no verb and kind stands for."""
    namespace = {"namespace": given.get("namespace_name", "")}
    run = {**namespace, "run": given.get("run_name", "")}
    task = {"task": given["task"]} if "task" in given else {}
    component, _, environment = str(given.get("release_binding_name", "")).rpartition("-")
    deployment = {**namespace, "component": component, "environment": environment}
    match tool:
        case "trigger_workflow_run":
            commit = {"commit": given["commit"]} if "commit" in given else {}
            return "run", {**namespace, "component": given["component_name"], **commit}
        case "create_workflow_run":
            parameters = {"parameters": given["parameters"]} if "parameters" in given else {}
            return "run", {**namespace, "workflow": given["name"], **parameters}
        case "get_workflow_run_status":
            return "status", run
        case "get_workflow_run_logs":
            return "logs", {**run, **task}
        case "get_workflow_run_events":
            return "events", {**run, **task}
        case "get_resource_tree":
            return "status", deployment
        case "get_resource_events":
            parts = [given[name] for name in ("group", "version", "kind", "resource_name")]
            return "events", {**deployment, "object": "/".join(part for part in parts if part)}
        case "get_resource_logs":
            return "logs", {**deployment, "pod": given["pod_name"]}
        case "evaluate_authz":
            return "access", {"ask": "check", "requests": given["requests"]}
        case "list_authz_actions":
            return "access", {"ask": "actions"}
    raise LookupError(f"nothing in compact mode does {tool}")
