"""Runs of workflows: a run needs its workflow."""

from __future__ import annotations

from catalog.api.collection import Collection, Draft, OwnerFilter
from catalog.kinds.workflow_run import WorkflowRun
from catalog.store import get_or_none
from portal.wire.responses import Refusal


def require_workflow(draft: Draft) -> None:
    """The named workflow must exist; without a kind it is looked for in the namespace, as upstream does."""
    reference = draft.spec["workflow"]
    kind = reference.get("kind") or "Workflow"
    namespace = "" if kind == "ClusterWorkflow" else draft.namespace
    can_be_looked_up = reference["name"] and kind in ("Workflow", "ClusterWorkflow")
    if can_be_looked_up and get_or_none(kind, namespace, reference["name"]) is None:
        raise Refusal(404, "Workflow not found")


COLLECTION = Collection(
    WorkflowRun,
    filters={"workflow": OwnerFilter(("workflow", "cluster_workflow"))},
    on_create=require_workflow,
)
