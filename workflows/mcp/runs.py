"""Tools about builds and other runs of workflows."""

from __future__ import annotations

import secrets

from catalog import store
from catalog.api.trigger import ALPHABET
from catalog.compiler import labels
from catalog.kinds.component import Component
from catalog.mcp import objects
from catalog.mcp.declare import NAMESPACE, PAGE, WRITTEN_ALWAYS, one, page_of, writes
from portal.access import guard
from portal.access.endpoint import Call
from portal.access.place import Place
from portal.mcp.arguments import FLAG, ITEMS, NUMBER, OBJECT, TEXT, described
from portal.mcp.registry import Arguments, Document, Tool
from portal.wire.kubernetes_names import label_value_problems
from portal.wire.responses import Refusal
from workflows.runs import progress
from workflows.webhooks.builds import Refused, run_document
from workflows.webhooks.sources import workflow_spec_of

KIND = "WorkflowRun"
IN_BUILD = ("build",)
NAMED: Document = {**NAMESPACE, "run_name": TEXT}
NAME_LIMIT = 63
BELONGS = {"project_name": labels.PROJECT, "component_name": labels.COMPONENT}


def trigger_workflow_run(call: Call, given: Arguments) -> Document:
    """A run of the component's own workflow with its own parameters, of that commit if one is given."""
    component = component_of(call, given)
    configured = component.spec.get("workflow")
    if not configured:
        raise Refusal(400, f"component {component.name} does not have a workflow configured")
    commit = given.get("commit", "")
    try:
        document = run_document(component, workflow_spec_of(component) or {}, commit)
    except Refused as reason:
        raise Refusal(400, str(reason)) from None
    if commit and not holds(document["spec"], commit):
        document["spec"]["workflow"].setdefault("parameters", {})["commit"] = commit
    metadata = document["metadata"]
    name = generated(f"{component.name}-workflow-")
    made = objects.created(call, KIND, given, name, document["spec"], metadata["labels"])
    return objects.written(made, "triggered", workflowName=configured["name"])


def component_of(call: Call, given: Arguments) -> Component:
    """The component in its project. Raises the refusal of one that is not there, or that the caller cannot build."""
    namespace, project, name = given["namespace_name"], given["project_name"], given["component_name"]
    found = store.get_or_none("Component", namespace, name)
    if found is None or found.spec["owner"]["projectName"] != project:
        guard.require_at(call.access, "workflowrun:create", Place(namespace, project, name), kind=KIND)
        raise Refusal(404, "Component not found")
    return found  # type: ignore[return-value]


def holds(value: object, text: str) -> bool:
    """Whether the text is one of the values within."""
    if isinstance(value, dict):
        return any(holds(item, text) for item in value.values())
    return value == text


def create_workflow_run(call: Call, given: Arguments) -> Document:
    """A run of a workflow by name: the namespace's, else the platform's."""
    name = given["name"]
    is_own = store.get_or_none("Workflow", given["namespace_name"], name) is not None
    reference = {"kind": "Workflow" if is_own else "ClusterWorkflow", "name": name}
    spec = {"workflow": {**reference, **objects.given_fields(given, parameters="parameters")}}
    made = objects.created(call, KIND, {**given, "description": ""}, generated(f"{name}-run-"), spec)
    return objects.written(made, "created", workflowName=name)


def generated(prefix: str) -> str:
    """A name that nobody has: the prefix, cut so that it fits, and five random characters."""
    return prefix[: NAME_LIMIT - 5] + "".join(secrets.choice(ALPHABET) for _ in range(5))


def list_workflow_runs(call: Call, given: Arguments) -> Document:
    wanted = {label: given[name] for name, label in BELONGS.items() if given.get(name)}
    for value in wanted.values():
        if label_value_problems(value):
            raise Refusal(400, f"{value[:100]!r} is no name of a project or component")
    selector = ",".join(f"{label}={value}" for label, value in wanted.items())
    return objects.listed(call, KIND, given, "workflow_runs", selector=selector)


def get_workflow_run(call: Call, given: Arguments) -> Document:
    return objects.detailed(call, KIND, given, given["run_name"])


def get_workflow_run_status(call: Call, given: Arguments) -> Document:
    return progress.progress_of(progress.visible_run(call, given["namespace_name"], given["run_name"]))


def get_workflow_run_logs(call: Call, given: Arguments) -> Document:
    seconds = given.get("since_seconds")
    wanted = progress.LogsWanted(given.get("task", ""), seconds if seconds and seconds > 0 else None)
    run = progress.visible_run(call, given["namespace_name"], given["run_name"])
    return {"logs": progress.logs_of(call, run, wanted)}


def get_workflow_run_events(call: Call, given: Arguments) -> Document:
    run = progress.visible_run(call, given["namespace_name"], given["run_name"])
    return {"events": progress.events_of(run, given.get("task", ""))}


TOOLS = (
    Tool(
        "trigger_workflow_run",
        "Build a component",
        "Run a component's own workflow with its parameters, of a commit if one is given.",
        trigger_workflow_run,
        one("workflowrun:create"),
        IN_BUILD,
        arguments={**NAMESPACE, "project_name": TEXT, "component_name": TEXT, "commit": TEXT},
        required=("namespace_name", "project_name", "component_name"),
        result=writes(workflowName=TEXT),
        always=WRITTEN_ALWAYS,
        effect="start",
    ),
    Tool(
        "create_workflow_run",
        "Run a workflow",
        "Run a workflow by name.",
        create_workflow_run,
        one("workflowrun:create"),
        IN_BUILD,
        arguments={
            **NAMESPACE,
            "name": described(TEXT, "of the workflow"),
            "parameters": described(OBJECT, "see get_workflow_schema"),
        },
        required=("namespace_name", "name"),
        result=writes(workflowName=TEXT),
        always=WRITTEN_ALWAYS,
        effect="start",
    ),
    Tool(
        "list_workflow_runs",
        "List workflow runs",
        "Runs of workflows, of a project or component if one is given.",
        list_workflow_runs,
        one("workflowrun:view"),
        IN_BUILD,
        arguments={**NAMESPACE, "project_name": TEXT, "component_name": TEXT, **PAGE},
        required=("namespace_name",),
        result=page_of("workflow_runs"),
        always=("workflow_runs",),
    ),
    Tool(
        "get_workflow_run",
        "Get a workflow run",
        "One run: parameters, tasks, conditions.",
        get_workflow_run,
        one("workflowrun:view"),
        IN_BUILD,
        arguments=NAMED,
        required=tuple(NAMED),
        result={"name": TEXT, "workflowName": TEXT, "status": TEXT, "tasks": ITEMS},
        always=("name",),
    ),
    Tool(
        "get_workflow_run_status",
        "Get a run's status",
        "Whether a run is pending, running, succeeded or failed, and its steps.",
        get_workflow_run_status,
        one("workflowrun:view"),
        IN_BUILD,
        arguments=NAMED,
        required=tuple(NAMED),
        result={"status": TEXT, "steps": ITEMS, "hasLiveObservability": FLAG},
        always=("status", "steps"),
    ),
    Tool(
        "get_workflow_run_logs",
        "Get a run's logs",
        "The log of a run that is on its plane, or of one task.",
        get_workflow_run_logs,
        one("workflowrun:view"),
        IN_BUILD,
        arguments={**NAMED, "task": TEXT, "since_seconds": NUMBER},
        required=tuple(NAMED),
        result={"logs": ITEMS},
        always=("logs",),
    ),
    Tool(
        "get_workflow_run_events",
        "Get a run's events",
        "What the cluster reports of a run, or of one task.",
        get_workflow_run_events,
        one("workflowrun:view"),
        IN_BUILD,
        arguments={**NAMED, "task": TEXT},
        required=tuple(NAMED),
        result={"events": ITEMS},
        always=("events",),
    ),
)
