"""Which changes concern runs that are not over: those of their workflow, its plane, and secrets they may wait for."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from catalog.controllers.registry import Watch
from catalog.kinds.workflow_run import WorkflowRun
from catalog.store.changes import Change
from catalog.store.references import referrers

CHANGES = frozenset({"created", "changed", "deleted"})


def unfinished_runs() -> list[Watch]:
    """The watches of the run controller. Finished runs, of which there are many, are not woken."""
    return [
        *(Watch(kind, runs_of_workflow, CHANGES) for kind in ("Workflow", "ClusterWorkflow")),
        *(Watch(kind, runs_on_plane, CHANGES) for kind in ("WorkflowPlane", "ClusterWorkflowPlane")),
        Watch("SecretReference", runs_in_namespace, CHANGES),
    ]


def unfinished() -> QuerySet[WorkflowRun]:
    """`ready` mirrors WorkflowCompleted for this kind."""
    return WorkflowRun.objects.system("reconcile").exclude(ready="True")


def runs_of_workflow(change: Change, watcher: str) -> Iterable[int]:
    workflow = change.obj
    rows = referrers(workflow.kind, workflow.namespace_name, workflow.name).filter(source_kind=watcher)
    return unfinished().filter(pk__in=rows.values("source_id")).values_list("id", flat=True)


def runs_on_plane(change: Change, watcher: str) -> Iterable[int]:
    plane = change.obj
    rows = referrers(plane.kind, plane.namespace_name, plane.name)
    namespaced = rows.filter(source_kind="Workflow").values("source_id")
    cluster = rows.filter(source_kind="ClusterWorkflow").values("source_id")
    runs = unfinished().filter(Q(workflow_id__in=namespaced) | Q(cluster_workflow_id__in=cluster))
    return runs.values_list("id", flat=True)


def runs_in_namespace(change: Change, watcher: str) -> Iterable[int]:
    """A run names its secrets by expressions, so every waiting run of the namespace may be meant."""
    return unfinished().filter(namespace_id=change.obj.namespace_name).values_list("id", flat=True)
