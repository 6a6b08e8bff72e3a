"""The conditions of a run, in the words of the contract.

WorkflowCompleted tells most: False while the run waits or works, and its reason says for what; True once it is over.
WorkflowRunning, WorkflowSucceeded and WorkflowFailed appear with the event that they name.
"""

from __future__ import annotations

from catalog.controllers.conditions import Condition, false, true
from catalog.kinds.workflow_run import WorkflowRun

COMPLETED, RUNNING = "WorkflowCompleted", "WorkflowRunning"
PENDING = "Workflow has not completed yet"


def waiting(reason: str, message: str) -> list[Condition]:
    """The run is not over, and waits for what the message says."""
    return [false(COMPLETED, reason, message)]


def failed(reason: str, message: str) -> list[Condition]:
    """The run is over before it began, for good."""
    return [
        false("WorkflowRunning", "WorkflowRunning", message),
        true("WorkflowFailed", reason, message),
        true(COMPLETED, reason, message),
    ]


def by_phase(phase: str) -> list[Condition]:
    """What Argo's phase of a submitted run means; Error is a failure too."""
    if phase == "Running":
        return [*waiting("WorkflowPending", PENDING), true(RUNNING, RUNNING, "Argo Workflow is running")]
    if phase == "Succeeded":
        return [
            *waiting_is_over(),
            true("WorkflowSucceeded", "WorkflowSucceeded", "Workflow completed successfully"),
            true(COMPLETED, "WorkflowSucceeded", "Workflow has completed successfully"),
        ]
    if phase in ("Failed", "Error"):
        return [
            *waiting_is_over(),
            true("WorkflowFailed", "WorkflowFailed", "Workflow execution failed"),
            true(COMPLETED, "WorkflowFailed", "Workflow has completed with failure"),
        ]
    return waiting("WorkflowPending", PENDING)


def waiting_is_over() -> list[Condition]:
    return [false(RUNNING, RUNNING, "Argo Workflow running has completed")]


def is_completed(run: WorkflowRun) -> bool:
    """Whether the run is over, one way or the other."""
    condition = run.condition(COMPLETED)
    return condition is not None and condition["status"] == "True"
