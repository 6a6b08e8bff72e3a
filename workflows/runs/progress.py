"""`GET …/workflowruns/{name}/{status,logs,events}`: how a run fares.

The status is computed from what is stored: the run's conditions and tasks. Logs and events are read from the workflow
plane, of the pods that the run has brought forth there and no others; a run that is not there (yet, or any more) has
none. The observer keeps them afterwards.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.http import HttpResponse, QueryDict

from catalog.api import workflow
from catalog.api.binding_objects import answered, key_of
from catalog.api.crud import existing, in_words_of
from catalog.api.noted_reads import note_read
from catalog.delivery.plane import LogLine, NoSuchContainer, NotThere, Plane, PlaneNotConfigured, require_capability
from catalog.kinds.base import Document, PlatformObject
from catalog.kinds.workflow_run import WorkflowRun
from portal.access import guard
from portal.access.endpoint import Call
from portal.wire import responses
from portal.wire.query import integer_parameter, text_parameter
from workflows.runs.argo import step_index
from workflows.runs.controller import engine_of

RUNS = workflow.COLLECTION
STATUS_OF_CONDITION = (
    ("WorkflowFailed", "Failed"),
    ("WorkflowSucceeded", "Succeeded"),
    ("WorkflowRunning", "Running"),
)
"""The first of these conditions that is true tells the status; none: Pending."""
ENGINES_OWN = frozenset({"wait", "init"})
"""Containers that Argo adds to each pod; their logs are nobody's."""
NODE_NAME = "workflows.argoproj.io/node-name"
MOST_LINES = 10_000
STEP_PHASES = frozenset({"Pending", "Running", "Succeeded", "Failed", "Skipped", "Error"})


def bind_task(query: QueryDict) -> str:
    """The task that is asked for, "" for all."""
    return text_parameter(query, "task")


class LogsWanted(NamedTuple):
    """Of which task, and how many seconds back; "" and None mean all."""

    task: str
    since_seconds: int | None


def bind_logs(query: QueryDict) -> LogsWanted:
    """Task and age from the query; no seconds mean all that there is. Raises `Unreadable`."""
    seconds = integer_parameter(query, "sinceSeconds")
    return LogsWanted(text_parameter(query, "task"), seconds if seconds and seconds > 0 else None)


def show_status(call: Call, namespace: str, name: str) -> HttpResponse:
    """200 with status, steps and whether live logs are to be had; 404 for a run that does not exist."""
    return responses.json_body(progress_of(visible_run(call, namespace, name)))


def progress_of(run: WorkflowRun) -> Document:
    """How a run fares: status, steps, and whether live logs are to be had."""
    steps = [step_of(task) for task in run.status.get("tasks") or ()]
    return {"status": status_of(run), "steps": steps, "hasLiveObservability": is_on_a_plane(run)}


def show_logs(call: Call, namespace: str, name: str) -> HttpResponse:
    """200 with a bare list of `{timestamp?, log}`, task after task; 501 where the plane shows none."""
    return responses.json_body(logs_of(call, visible_run(call, namespace, name), call.query))


def logs_of(call: Call, run: WorkflowRun, wanted: LogsWanted) -> list[Document]:
    """The lines of a run that the caller may see; the read is written down. Raises `Refusal`."""
    with answered():
        plane = plane_with(run, "streams_logs")
        lines = [] if plane is None else list(log_lines(plane, run, wanted))
    note_read(call, "logs:view", run, task=wanted.task)
    return [entry_of(line) for line in lines if line.text.strip()]


def show_events(call: Call, namespace: str, name: str) -> HttpResponse:
    """200 with a bare list of `{timestamp, type, reason, message}`, oldest first; 501 where the plane shows none."""
    return responses.json_body(events_of(visible_run(call, namespace, name), call.query))


def events_of(run: WorkflowRun, task: str) -> list[Document]:
    """The events of a run that the caller may see, or of one of its tasks. Raises `Refusal`."""
    with answered():
        plane = plane_with(run, "reports_events")
        pods = [] if plane is None else pods_of(plane, run, task)
        reported = [event for pod in pods for event in plane.events(key_of(pod))] if plane else []
    entries = [entry for event in reported if (entry := event_of(event))["timestamp"]]
    return sorted(entries, key=lambda entry: str(entry["timestamp"]))


def visible_run(call: Call, namespace: str, name: str) -> WorkflowRun:
    """The run; raises the 404, and the refusal of who may not see it."""
    run = existing(RUNS, namespace, name)
    with in_words_of(RUNS):
        guard.require(call.access, "view", run)
    return run  # type: ignore[return-value]


def is_on_a_plane(run: PlatformObject) -> bool:
    """Whether the run has been submitted, and was there when it was last looked at."""
    completed = run.condition("WorkflowCompleted") or {}
    return bool(run.status.get("runReference")) and completed.get("message") != "Workflow is not found in the cluster"


def status_of(run: PlatformObject) -> str:
    """Pending, Running, Succeeded or Failed."""
    for condition_type, status in STATUS_OF_CONDITION:
        condition = run.condition(condition_type)
        if condition is not None and condition.get("status") == "True":
            return status
    return "Pending"


def step_of(task: Mapping[str, Any]) -> Document:
    """A task as the contract shows a step. Argo's Omitted is Skipped; a phase that nobody knows is Error."""
    phase = task.get("phase") or "Pending"
    phase = "Skipped" if phase == "Omitted" else phase
    step: Document = {"name": task.get("name", ""), "phase": phase if phase in STEP_PHASES else "Error"}
    for field, source in (("startedAt", "startedAt"), ("finishedAt", "completedAt")):
        if task.get(source):
            step[field] = task[source]
    return step


# On the plane ---------------------------------------------------------------------------------------------------------


def plane_with(run: WorkflowRun, capability: str) -> Plane | None:
    """The plane that a run was submitted to, None for none. Raises `Unsupported` unless it can do that."""
    if not run.status.get("runReference"):
        return None
    try:
        plane = engine_of(run)
    except PlaneNotConfigured:
        return None  # its workflow or the plane has gone; so have the logs
    require_capability(plane, capability)
    return plane


def pods_of(plane: Plane, run: WorkflowRun, task: str) -> list[Document]:
    """The pods of a run, or of one of its tasks, in the order of the steps. Raises `PlaneError`."""
    reference = run.status["runReference"]
    submitted = plane.find(
        reference["apiVersion"], reference["kind"], reference.get("namespace", ""), reference["name"]
    )
    if submitted is None:
        return []
    pods = [item for item in plane.offspring(submitted) if item.get("kind") == "Pod" and is_of_task(item, task)]
    return sorted(
        pods, key=lambda pod: (step_index({"name": node_name(pod)}), pod["metadata"].get("creationTimestamp"))
    )


def is_of_task(pod: Document, task: str) -> bool:
    """Whether a pod works on a task: Argo names its nodes `run[1].task`."""
    name = node_name(pod)
    return not task or name == task or name.rpartition(".")[2] == task or (not name and task in pod["metadata"]["name"])


def node_name(pod: Document) -> str:
    return str((pod["metadata"].get("annotations") or {}).get(NODE_NAME) or "")


def log_lines(plane: Plane, run: WorkflowRun, wanted: LogsWanted) -> Iterator[LogLine]:
    """The lines of the tasks' containers; one that has no log (yet, or any more) is passed over."""
    for pod in pods_of(plane, run, wanted.task):
        for container in (pod.get("spec") or {}).get("containers") or ():
            if container["name"] in ENGINES_OWN:
                continue
            try:
                yield from deque(plane.read_log(pod, container["name"], wanted.since_seconds), MOST_LINES)
            except (NotThere, NoSuchContainer):
                continue


def entry_of(line: LogLine) -> Document:
    return {"log": line.text, **({"timestamp": line.timestamp} if line.timestamp else {})}


def event_of(event: Document) -> Document:
    """A core/v1 Event as the contract shows it here."""
    moment = event.get("eventTime") or event.get("firstTimestamp") or event.get("lastTimestamp")
    return {"timestamp": moment, **{name: event.get(name) or "" for name in ("type", "reason", "message")}}
