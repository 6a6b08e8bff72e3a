"""WorkflowRun: checked, prepared, and kept until its time is over.

Sets WorkflowCompleted (False with WorkflowPending, WorkflowPlaneNotFound; True with WorkflowFailed,
ComponentValidationFailed) and, when the run is over, WorkflowRunning and WorkflowFailed. Status: `startedAt`,
`completedAt`. A run whose component or workflow is wrong has failed for good; one that lacks a plane or cannot be
rendered waits, and its condition says for what.

No workflow plane can be connected yet, so a run goes no further than Pending, and says that.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from catalog import store
from catalog.controllers.conditions import Condition, with_conditions
from catalog.controllers.registry import Result, controller
from catalog.kinds.base import PlatformObject
from catalog.kinds.workflow_run import WorkflowRun
from catalog.store.documents import timestamp
from portal.accounts.actor import system
from workflows.runs.component_check import ComponentValidationFailed, check_component
from workflows.runs.conditions import failed, is_completed, waiting
from workflows.runs.preparation import NotReady, plane_of, render, workflow_of
from workflows.runs.time_to_live import expiry_of
from workflows.runs.watches import unfinished_runs

ACTOR = system("workflow-run-controller")
LONGEST_PAUSE = timedelta(days=30)
NOT_FOUND = "Workflow is not found in the cluster"


@controller("WorkflowRun", watches=unfinished_runs(), related=("workflow", "cluster_workflow"))
def reconcile(run: WorkflowRun) -> Result:
    """One look: judge, prepare, report; or let an old run go."""
    with store.transaction():
        if run.deleted_at is not None:
            # Nothing has been sent to a plane, so there is nothing to clean up.
            store.remove_finalizer(run, WorkflowRun.finalizer, ACTOR)
            return Result()
        if is_completed(run):
            return keep_or_delete(run)
        report(run, progress(run))
        return keep_or_delete(run) if is_completed(run) else Result()


def progress(run: WorkflowRun) -> list[Condition]:
    """Take the run as far as it goes now: what holds it, or ended it."""
    try:
        check_component(run)
    except ComponentValidationFailed as problem:
        return failed("ComponentValidationFailed", str(problem))
    workflow = workflow_of(run)
    if workflow is None:
        return failed("WorkflowFailed", NOT_FOUND)
    try:
        plane = plane_of(workflow, run.namespace_name)
        copy_time_to_live(run, workflow)
        render(run, workflow, plane)
    except NotReady as problem:
        return waiting(problem.reason, problem.message)
    return waiting("WorkflowPending", not_connected(plane))


def not_connected(plane: PlatformObject) -> str:
    """Why a run that could start does not."""
    return f'Workflow has not started: no workflow plane is connected as {plane.kind} "{plane.name}"'


def copy_time_to_live(run: WorkflowRun, workflow: PlatformObject) -> None:
    """A run without a time of its own is kept as long as its workflow says."""
    if run.spec.get("ttlAfterCompletion") or not workflow.spec.get("ttlAfterCompletion"):
        return
    document = store.to_document(run, with_status=False)
    document["spec"] = {**document["spec"], "ttlAfterCompletion": workflow.spec["ttlAfterCompletion"]}
    stored = store.put(document, ACTOR).obj
    run.spec, run.generation = stored.spec, stored.generation


def report(run: WorkflowRun, conditions: list[Condition]) -> None:
    """Write the conditions, and when the run was first looked at and when it ended."""
    status: dict[str, Any] = with_conditions(run, conditions)
    now = timestamp(timezone.now())
    status.setdefault("startedAt", now)
    if conditions[-1].status == "True":
        status.setdefault("completedAt", now)
    store.write_status(run, status, ACTOR)


def keep_or_delete(run: WorkflowRun) -> Result:
    """Delete a finished run whose time is over; else come back when it will be."""
    expiry = expiry_of(run.spec.get("ttlAfterCompletion") or "", run.status.get("completedAt") or "")
    if expiry is None:
        return Result()
    remaining = expiry - timezone.now()
    if remaining > timedelta(0):
        return Result(again_after=min(remaining, LONGEST_PAUSE))
    store.delete("WorkflowRun", run.namespace_name, run.name, ACTOR)
    return Result()
