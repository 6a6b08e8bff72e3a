"""`GET …/workflowruns/{name}/{status,logs,events}`: how a run fares, from what is stored of it.

The status is computed from the run's conditions and tasks. Logs and events live on the workflow plane while the run is
there, and with the observer afterwards; neither is asked yet, so both are empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse, QueryDict

from catalog.api import workflow
from catalog.api.crud import existing, in_words_of
from catalog.kinds.base import Document, PlatformObject
from portal.access import guard
from portal.access.endpoint import Call
from portal.wire import responses
from portal.wire.query import integer_parameter, text_parameter

RUNS = workflow.COLLECTION
STATUS_OF_CONDITION = (
    ("WorkflowFailed", "Failed"),
    ("WorkflowSucceeded", "Succeeded"),
    ("WorkflowRunning", "Running"),
)
"""The first of these conditions that is true tells the status; none: Pending."""
STEP_PHASES = frozenset({"Pending", "Running", "Succeeded", "Failed", "Skipped", "Error"})


def bind_task(query: QueryDict) -> str:
    """The task that is asked for, "" for all."""
    return text_parameter(query, "task")


def bind_logs(query: QueryDict) -> tuple[str, int | None]:
    """Task, and the age in seconds of the oldest line that is wanted."""
    return text_parameter(query, "task"), integer_parameter(query, "sinceSeconds")


def show_status(call: Call, namespace: str, name: str) -> HttpResponse:
    """200 with status, steps and whether live logs are to be had; 404 for a run that does not exist."""
    run = visible_run(call, namespace, name)
    steps = [step_of(task) for task in run.status.get("tasks") or ()]
    return responses.json_body({"status": status_of(run), "steps": steps, "hasLiveObservability": is_on_a_plane(run)})


def show_logs(call: Call, namespace: str, name: str) -> HttpResponse:
    """200 with a bare list of `{timestamp?, log}`."""
    visible_run(call, namespace, name)
    return responses.json_body([])


def show_events(call: Call, namespace: str, name: str) -> HttpResponse:
    """200 with a bare list of `{timestamp, type, reason, message}`."""
    visible_run(call, namespace, name)
    return responses.json_body([])


def visible_run(call: Call, namespace: str, name: str) -> PlatformObject:
    """The run; raises the 404, and the refusal of who may not see it."""
    run = existing(RUNS, namespace, name)
    with in_words_of(RUNS):
        guard.require(call.access, "view", run)
    return run


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
