"""ClusterWorkflow: a Workflow that all namespaces may run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.compiler.admission import workflow_errors
from catalog.kinds import refs
from catalog.kinds.base import ClusterScoped, Document, FieldError, Ref, reference_to
from catalog.kinds.rules import from_compiler
from catalog.kinds.workflow import force_service_account, workflow_spec, workflow_violations


class ClusterWorkflow(ClusterScoped):
    kind = "ClusterWorkflow"
    plural = "clusterworkflows"
    printer_columns = (("Age", "metadata.creationTimestamp"),)
    spec_schema = workflow_spec(plane_kinds=("ClusterWorkflowPlane",))

    cluster_workflow_plane = reference_to("ClusterWorkflowPlane")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        # Its external references are looked up in the namespace of each run, so here they name no object.
        yield from refs.to_typed(spec.get("workflowPlaneRef"), namespace)

    @classmethod
    def prepare(cls, old: Document | None, new: Document) -> None:
        force_service_account(new["spec"])

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return workflow_violations(cls.spec_schema, old, new)

    @classmethod
    def content_violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return from_compiler(workflow_errors(new["spec"]))
