"""run, and wait: start a workflow, and be told when something is so instead of asking again and again.

A wait looks again every second or so until it is so, until it has failed for good, or until its time is up; then it
says how things stand, and the agent may wait again. It holds one of the server's threads meanwhile, so few may wait at
once; who comes too much is told how things stand at once. The caller's token and rights are asked for at every look.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import BoundedSemaphore

from django.conf import settings

from catalog import store
from portal.access.bearer import Unauthenticated, authenticate
from portal.access.endpoint import Call
from portal.accounts.issuer.claims import issuer
from portal.mcp.arguments import NUMBER, OBJECT, TEXT, BadArguments, described, one_of
from portal.mcp.registry import Arguments, Document
from portal.wire.responses import Refusal
from workflows.compact.dispatching import arguments_of, read, write
from workflows.compact.kinds import kinds_with
from workflows.compact.status import UNSEEN, run_named, status_in, status_of_resource
from workflows.compact.tool import CompactTool, Picked, actions_behind
from workflows.compact.verbs import SPARING

RUNS = ("trigger_workflow_run", "create_workflow_run")
DEFAULT_SECONDS, MOST_SECONDS = 20, 25
"""Less than most clients and proxies wait for an answer."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 2.0
AT_ONCE = max(1, settings.REQUESTS_AT_ONCE // 4)
PATH = "/mcp/compact"
PROGRESSING = frozenset(
    (
        *("ReleaseSynced", "ResourcesProgressing", "ResourcesNotReady", "ResourceDependenciesPending"),
        *("ConnectionsPending", "JobRunning", "ResourcesUnknown", "ProjectReleaseNotSet", "NamespaceProgressing"),
        *(UNSEEN, "Progressing", "Pending", "Running", "ReleaseProgressing", ""),
    )
)
"""Reasons of a binding that is on its way, as the contract's portal has them; any other is a failure."""
waiting = BoundedSemaphore(AT_ONCE)


# run ------------------------------------------------------------------------------------------------------------------


def run(call: Call, given: Arguments) -> Document:
    """A component's own workflow, or any by its name."""
    return write(call, *pick_run(given))


def pick_run(given: Arguments) -> Picked:
    namespace = {"namespace_name": given["namespace"]}
    if given.get("workflow"):
        more = {"parameters": given["parameters"]} if given.get("parameters") else {}
        return "create_workflow_run", {**namespace, "name": given["workflow"], **more}
    if not given.get("component"):
        raise BadArguments("run: give component, or workflow")
    project = given.get("project") or owner_of(given)
    commit = {"commit": given["commit"]} if given.get("commit") else {}
    named = {"project_name": project, "component_name": given["component"]}
    return "trigger_workflow_run", {**namespace, **named, **commit}


def owner_of(given: Arguments) -> str:
    """The component's project, "" where there is no such component: the contract's tool then says so."""
    found = store.get_or_none("Component", given["namespace"], given["component"])
    return "" if found is None else str(found.spec["owner"]["projectName"])


# wait -----------------------------------------------------------------------------------------------------------------


def wait(call: Call, given: Arguments) -> Document:
    """How things stand when it is so, when it has failed, or when the time is up."""
    until = given.get("until") or "ready"
    look = looking_for(given)
    deadline = time.monotonic() + max(1, min(int(given.get("timeout") or DEFAULT_SECONDS), MOST_SECONDS))
    found, verdict = judged(look, call, until)
    if verdict:
        return {"result": verdict, **found}
    if not waiting.acquire(blocking=False):
        return {"result": "not yet: too many wait already, ask again in some seconds", **found}
    try:
        pause = FIRST_PAUSE
        while time.monotonic() < deadline:
            time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
            pause = min(pause * 1.5, LONGEST_PAUSE)
            found, verdict = judged(look, again(call), until)
            if verdict:
                return {"result": verdict, **found}
    finally:
        waiting.release()
    return {"result": "not yet: wait again, or see status", **found}


Look = Callable[[Call], Document]


def judged(look: Look, call: Call, until: str) -> tuple[Document, str]:
    """How it stands, and what that means for who waits: "" to go on. Raises the refusal unless to be gone is wanted."""
    try:
        found = look(call)
    except Refusal as refusal:
        if refusal.status == 404 and until == "gone":
            return {}, "gone"
        raise
    state = state_of(found)
    if until == "gone":
        return found, ""
    if state == "ready":
        return found, until
    return found, "failed" if state == "failed" else ""


def again(call: Call) -> Call:
    """The same caller, signed in anew: a token or a grant may have ended meanwhile. Raises the refusal."""
    try:
        return Call(call.request, authenticate(call.request, f"{issuer()}{PATH}"), surface=call.surface)
    except Unauthenticated as error:
        raise Refusal(401, f"{error.message}; the wait has ended") from None


def looking_for(given: Arguments) -> Look:
    """How to look at what is waited for. Raises `BadArguments`."""
    if given.get("run"):
        return lambda call: read(call, "get_workflow_run_status", run_named(given))
    if given.get("resource"):
        if not given.get("environment"):
            return lambda call: read(
                call, "get_resource", {"namespace_name": given["namespace"], "name": given["resource"]}
            )
        return lambda call: status_of_resource(call, given)
    if given.get("component") and given.get("environment"):
        return lambda call: status_in(call, given)
    if given.get("kind") and given.get("name"):
        name, arguments = arguments_of(given["kind"], "get", {key: given.get(key) for key in ("name", "namespace")})
        return lambda call: short(read(call, name, arguments))
    raise BadArguments("wait: give component and environment, resource, run, or kind and name")


def short(found: Document) -> Document:
    """What matters of an object that is waited for."""
    kept = ("name", "status", "latestRelease", "conditions")
    return {name: found[name] for name in kept if found.get(name)}


def state_of(found: Document) -> str:
    """ready, failed, or "" for on its way: of a deployment, a resource, a run, or any object with a status."""
    if "healthy" in found:
        return "ready" if found["healthy"] == "yes" else by_reason(str(found.get("reason") or ""))
    if isinstance(found.get("environments"), list):
        rows = found["environments"]
        if all(row["ready"] == "yes" for row in rows):
            return "ready"
        return (
            "failed" if any(by_reason(str(row["reason"])) == "failed" for row in rows if row["ready"] != "yes") else ""
        )
    status = str(found.get("status") or "")
    if status in ("Ready", "Succeeded"):
        return "ready"
    return "failed" if status in ("Failed", "Error") else ""


def by_reason(reason: str) -> str:
    return "" if reason in PROGRESSING else "failed"


def pick_wait(given: Arguments) -> Picked:
    namespace = {"namespace_name": given["namespace"]}
    if given.get("run"):
        return "get_workflow_run_status", run_named(given)
    if given.get("resource"):
        if not given.get("environment"):
            return "get_resource", {**namespace, "name": given["resource"]}
        return "list_resource_release_bindings", {**namespace, "resource_name": given["resource"]}
    if given.get("component"):
        return "get_release_binding", {**namespace, "component_name": given["component"]}
    return arguments_of(given["kind"], "get", {key: given.get(key) for key in ("name", "namespace")})


WAITED = (
    *("get_release_binding", "list_resource_release_bindings", "get_resource", "get_workflow_run_status"),
    *(contract_name for contract_name in (f"get_{kind}" for kind in kinds_with("get"))),
)


def tools() -> Iterator[CompactTool]:
    """The two."""
    yield CompactTool(
        "run",
        "Run a workflow",
        "Build a component by its own workflow, or run any workflow by name.",
        run,
        actions_behind(*RUNS),
        (),
        arguments={
            "namespace": TEXT,
            "component": TEXT,
            "commit": TEXT,
            "workflow": TEXT,
            "parameters": described(OBJECT, "with workflow"),
        },
        required=("namespace",),
        effect="start",
        covers=RUNS,
        pick=pick_run,
    )
    behind = tuple(dict.fromkeys(WAITED))
    yield CompactTool(
        "wait",
        "Wait",
        "Wait until a deployment, resource, run or object is ready (or gone); answers once it is, or has failed.",
        wait,
        actions_behind(*behind),
        (),
        arguments={
            "namespace": TEXT,
            "component": TEXT,
            "environment": TEXT,
            "resource": TEXT,
            "run": TEXT,
            "kind": TEXT,
            "name": TEXT,
            "until": one_of("ready", "gone"),
            "timeout": described(NUMBER, f"seconds, at most {MOST_SECONDS}"),
            **SPARING,
        },
        required=(),
        covers=behind,
        pick=pick_wait,
    )
