"""The conditions of a run, in the words of the contract.

WorkflowCompleted tells most: False while the run waits or works, and its reason says for what; True once it is over.
WorkflowRunning, WorkflowSucceeded and WorkflowFailed appear with the event that they name.
"""

from __future__ import annotations

from catalog.controllers.conditions import Condition, false, true
from catalog.kinds.workflow_run import WorkflowRun

COMPLETED = "WorkflowCompleted"


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


def is_completed(run: WorkflowRun) -> bool:
    """Whether the run is over, one way or the other."""
    condition = run.condition(COMPLETED)
    return condition is not None and condition["status"] == "True"
