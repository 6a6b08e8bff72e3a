"""status: whether things are well, and if not what is to blame.

The same documents are read as by the contract's tools, and of them what answers that question is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalog import store
from portal.access.endpoint import Call
from portal.mcp.arguments import TEXT, BadArguments
from portal.mcp.registry import Arguments, Document
from portal.wire.responses import Refusal
from workflows.compact.deploying import AT, binding_at, visible_component
from workflows.compact.dispatching import read
from workflows.compact.tool import CompactTool, Picked, actions_behind
from workflows.compact.verbs import SPARING

WELL = ("Healthy", "Suspended")
UNSEEN = "not looked at yet"
"""The reason of what has been changed a moment ago."""


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


def tools() -> Iterator[CompactTool]:
    """The one."""
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
