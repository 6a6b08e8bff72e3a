"""WorkflowRun: checked, prepared, submitted to its workflow plane, followed, and kept until its time is over.

Sets WorkflowCompleted (False with WorkflowPending, WorkflowPlaneNotFound; True with WorkflowSucceeded, WorkflowFailed,
ComponentValidationFailed), WorkflowRunning, WorkflowSucceeded and WorkflowFailed. Status: `startedAt`, `completedAt`,
`runReference` and `resources` (what lies on the plane), `tasks`. A run whose component or workflow is wrong has failed
for good; one that lacks a plane, or whose plane runs no workflows, waits, and its condition says for what.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from django.utils import timezone

from catalog import store
from catalog.compiler.workflow import WorkflowOutput
from catalog.controllers.conditions import Condition, with_conditions
from catalog.controllers.registry import Result, controller
from catalog.delivery.drivers import location_of, plane_at, runs_workflows
from catalog.delivery.plane import Plane, PlaneError, PlaneNotConfigured
from catalog.kinds.base import PlatformObject
from catalog.kinds.workflow_run import WorkflowRun
from catalog.store.documents import timestamp
from portal.accounts.actor import system
from workflows.runs import argo
from workflows.runs.component_check import ComponentValidationFailed, check_component
from workflows.runs.conditions import COMPLETED, PENDING, by_phase, failed, is_completed, waiting
from workflows.runs.preparation import NotReady, plane_of, render, workflow_of
from workflows.runs.time_to_live import expiry_of
from workflows.runs.watches import unfinished_runs

ACTOR = system("workflow-run-controller")
LONGEST_PAUSE = timedelta(days=30)
NOT_FOUND = "Workflow is not found in the cluster"
LOOK_AGAIN = timedelta(seconds=5)
log = logging.getLogger("stagecraft.workflows")


class Report(NamedTuple):
    """What a look has found: the conditions, and other fields of the status."""

    conditions: list[Condition]
    fields: Mapping[str, Any] = MappingProxyType({})


@controller("WorkflowRun", watches=unfinished_runs(), related=("workflow", "cluster_workflow"))
def reconcile(run: WorkflowRun) -> Result:
    """One look: judge, submit, follow; or let an old run go. Planes are asked outside of transactions."""
    if run.deleted_at is not None:
        clean_up(run)
        with store.transaction():
            store.remove_finalizer(run, WorkflowRun.finalizer, ACTOR)
        return Result()
    if is_completed(run):
        return keep_or_delete(run)
    found = follow(run) if run.status.get("runReference") else progress(run)
    with store.transaction():
        report(run, found)
        if is_completed(run):
            return keep_or_delete(run)
    return Result(again_after=LOOK_AGAIN if run.status.get("runReference") else None)


def progress(run: WorkflowRun) -> Report:
    """Take the run as far as it goes now: what holds it, or ended it, or where it has been submitted."""
    try:
        check_component(run)
    except ComponentValidationFailed as problem:
        return Report(failed("ComponentValidationFailed", str(problem)))
    workflow = workflow_of(run)
    if workflow is None:
        return Report(failed("WorkflowFailed", NOT_FOUND))
    try:
        plane = plane_of(workflow, run.namespace_name)
        with store.transaction():
            copy_time_to_live(run, workflow)
        output = render(run, workflow, plane)
    except NotReady as problem:
        return Report(waiting(problem.reason, problem.message))
    return submitted(run, plane, output)


def submitted(run: WorkflowRun, plane: PlatformObject, output: WorkflowOutput) -> Report:
    """Put the run on its plane. What hinders that is told in the plane's words, and tried again."""
    if not runs_workflows(plane):
        return Report(waiting("WorkflowPending", not_connected(plane)))
    try:
        found = argo.submit(plane_at(location_of(plane)), run, output)
    except argo.NotSubmittable as problem:
        return Report(waiting("WorkflowPending", f"Workflow cannot be submitted: {problem}"))
    except PlaneError as error:
        with store.transaction():
            report(run, Report(waiting("WorkflowPending", f"Workflow cannot be submitted: {error}")))
        raise
    fields: dict[str, Any] = {"runReference": found.reference, "resources": found.resources}
    return Report(waiting("WorkflowPending", PENDING), {field: value for field, value in fields.items() if value})


def follow(run: WorkflowRun) -> Report:
    """How a submitted run fares; one that has vanished from its plane has failed."""
    found = argo.look(engine_of(run), run.status["runReference"])
    if found is None:
        return Report(failed("WorkflowFailed", NOT_FOUND))
    fields = {"tasks": found.tasks} if found.tasks else {}
    return Report(by_phase(found.phase), fields)


def engine_of(run: WorkflowRun) -> Plane:
    """The plane that a run was submitted to. Raises `PlaneError`."""
    workflow = workflow_of(run)
    if workflow is None:
        raise PlaneNotConfigured(f"{run}: its workflow is gone, and with it the word on which plane it runs")
    try:
        return plane_at(location_of(plane_of(workflow, run.namespace_name)))
    except NotReady as problem:
        raise PlaneNotConfigured(problem.message) from None


def clean_up(run: WorkflowRun) -> None:
    """Take off the plane what the run has there. Where the workflow or its plane is gone, nobody can."""
    references = list(run.status.get("resources") or ())
    if reference := run.status.get("runReference"):
        references.append(reference)
    if not references:
        return
    try:
        argo.take_away(engine_of(run), references)
    except PlaneNotConfigured as error:
        log.warning("%s: left on its plane: %s (%s)", run, ", ".join(item["name"] for item in references), error)


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


def report(run: WorkflowRun, found: Report) -> None:
    """Write the conditions and what was found, and when the run was first looked at and when it ended."""
    conditions = found.conditions
    status: dict[str, Any] = {**with_conditions(run, conditions), **found.fields}
    now = timestamp(timezone.now())
    status.setdefault("startedAt", now)
    if any(condition.type == COMPLETED and condition.status == "True" for condition in conditions):
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
