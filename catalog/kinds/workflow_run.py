"""WorkflowRun: one execution of a workflow, with the parameters it was started with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.kinds import refs
from catalog.kinds.base import Document, FieldError, Namespaced, Ref, reference_to
from catalog.kinds.rules import immutable
from catalog.kinds.schema import enum, obj, raw_object
from catalog.kinds.shapes import name
from catalog.kinds.workflow import time_to_live


class WorkflowRun(Namespaced):
    kind = "WorkflowRun"
    plural = "workflowruns"
    finalizer = "openchoreo.dev/workflowrun-cleanup"
    spec_required = True
    spec_schema = obj(
        {
            "workflow!": obj(
                {
                    "kind": enum("Workflow", "ClusterWorkflow", default="ClusterWorkflow"),
                    "name!": name(),
                    "parameters": raw_object(),
                }
            ),
            "ttlAfterCompletion": time_to_live(),
        }
    )

    workflow = reference_to("Workflow")
    cluster_workflow = reference_to("ClusterWorkflow")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        yield from refs.to_typed(spec.get("workflow"), namespace)

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterator[FieldError]:
        for field in ("kind", "name"):
            yield from immutable(cls.spec_schema, old, new, f"spec.workflow.{field}", f"{field} is immutable")
