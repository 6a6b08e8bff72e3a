"""Tools that look at what a deployment has become on its plane: objects, events, logs."""

from __future__ import annotations

from catalog.api import pod_logs, resource_events, resource_tree
from catalog.api.binding_objects import visible_binding
from catalog.api.permitted import require_at_object
from catalog.kinds.release_binding import ReleaseBinding
from catalog.mcp.declare import NAMESPACE, one
from portal.access.endpoint import Call
from portal.mcp.arguments import ITEMS, NUMBER, TEXT
from portal.mcp.registry import Arguments, Document, Tool

BINDING: Document = {**NAMESPACE, "release_binding_name": TEXT}
OBJECT_NAMES = ("group", "version", "kind", "resource_name")


def get_resource_tree(call: Call, given: Arguments) -> Document:
    """The objects without their manifests, which an agent can do without."""
    trees = resource_tree.trees_of(binding_of(call, given))
    return {
        "rendered_releases": [
            {
                "name": tree["name"],
                "target_plane": tree["targetPlane"],
                "nodes": [bare_node(node) for node in tree["nodes"]],
            }
            for tree in trees
        ]
    }


def bare_node(node: Document) -> Document:
    names = ("group", "version", "kind", "name", "namespace", "health")
    found = {name: node[name] for name in names if node.get(name)}
    if node.get("createdAt"):
        found["created_at"] = node["createdAt"]
    if node.get("parentRefs"):
        kept = ("kind", "name", "uid", "namespace")
        found["parent_refs"] = [{name: ref[name] for name in kept if ref.get(name)} for ref in node["parentRefs"]]
    return found


def get_resource_events(call: Call, given: Arguments) -> Document:
    wanted = resource_events.Wanted(*(given[name] for name in OBJECT_NAMES))
    return {"events": resource_events.events_of(binding_of(call, given), wanted)}


def get_resource_logs(call: Call, given: Arguments) -> Document:
    """Asks for `logs:view` too, which REST does not: this much is the contract's."""
    binding = binding_of(call, given)
    require_at_object(call.access, "logs:view", binding, environment_of(binding))
    seconds = given.get("since_seconds")
    wanted = pod_logs.Wanted(
        given["pod_name"], given.get("container", ""), seconds if seconds and seconds > 0 else None
    )
    return {"logEntries": pod_logs.entries_of(call, binding, wanted)}


def environment_of(binding: ReleaseBinding) -> dict[str, str]:
    """What conditions on the environment look at."""
    return {"environment": f"{binding.namespace_name}/{binding.spec['environment']}"}


def binding_of(call: Call, given: Arguments) -> ReleaseBinding:
    return visible_binding(call, given["namespace_name"], given["release_binding_name"])


TOOLS = (
    Tool(
        "get_resource_tree",
        "Get a deployment's objects",
        "The Kubernetes objects of a deployment and their health.",
        get_resource_tree,
        one("releasebinding:view"),
        ("pe",),
        arguments=BINDING,
        required=tuple(BINDING),
        result={"rendered_releases": ITEMS},
        always=("rendered_releases",),
    ),
    Tool(
        "get_resource_events",
        "Get an object's events",
        "What the cluster reports of one object; names from get_resource_tree.",
        get_resource_events,
        one("releasebinding:view"),
        ("pe",),
        arguments={**BINDING, **dict.fromkeys(OBJECT_NAMES, TEXT)},
        required=(*BINDING, *OBJECT_NAMES),
        result={"events": ITEMS},
        always=("events",),
    ),
    Tool(
        "get_resource_logs",
        "Get a pod's logs",
        "The log of a pod of a deployment.",
        get_resource_logs,
        one("logs:view"),
        ("pe",),
        arguments={**BINDING, "pod_name": TEXT, "container": TEXT, "since_seconds": NUMBER},
        required=(*BINDING, "pod_name"),
        result={"logEntries": ITEMS},
        always=("logEntries",),
    ),
)
