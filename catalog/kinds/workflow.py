"""Workflow: what a run does, as a template for the engine on its plane. ClusterWorkflow is its cluster twin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from catalog.compiler.admission import workflow_errors
from catalog.kinds import refs
from catalog.kinds.base import Document, FieldError, Namespaced, Ref, reference_to
from catalog.kinds.rules import from_compiler, immutable, invalid
from catalog.kinds.schema import Schema, array, enum, obj, raw_object, string
from catalog.kinds.shapes import name, schema_section, short_name
from catalog.kinds.templating import single_template

RUN_SERVICE_ACCOUNT = "workflow-sa"
"""The only identity that runs have on the workflow plane, whatever the author wrote."""


def time_to_live() -> Schema:
    """How long a finished run is kept: days, hours, minutes, seconds, in this order."""
    return string(pattern=r"^(\d+d)?(\d+h)?(\d+m)?(\d+s)?$")


def workflow_spec(*, plane_kinds: tuple[str, ...]) -> Schema:
    """The spec of Workflow and ClusterWorkflow, which differ in the planes that they may run on."""
    external_ref = obj(
        {
            "id!": string(pattern="^[a-z][a-z0-9-]*[a-z0-9]$", min_length=2, max_length=63),
            "apiVersion!": name(),
            "kind!": enum("SecretReference"),
            "name!": name(),
        }
    )
    plane_ref = obj(
        {"kind!": enum(*plane_kinds), "name!": short_name()},
        default={"kind": "ClusterWorkflowPlane", "name": "default"},
    )
    return obj(
        {
            "workflowPlaneRef": plane_ref,
            "parameters": schema_section(),
            "runTemplate!": raw_object(),
            "resources": array(single_template()),
            "externalRefs": array(external_ref, keyed_by="id"),
            "ttlAfterCompletion": time_to_live(),
        }
    )


def force_service_account(spec: dict[str, Any]) -> None:
    """Run as the platform's service account: set it in the run template, in place of what the author wrote."""
    run_template = spec.get("runTemplate")
    if not isinstance(run_template, dict):
        return
    run_spec = run_template.get("spec", {})
    if isinstance(run_spec, dict):
        # The template may be shared with the document that the caller sent: that stays as it is.
        spec["runTemplate"] = {**run_template, "spec": {**run_spec, "serviceAccountName": RUN_SERVICE_ACCOUNT}}


def workflow_violations(spec_schema: Schema, old: Document | None, new: Document) -> Iterator[FieldError]:
    """The rules of both workflow kinds."""
    yield from immutable(spec_schema, old, new, "spec.workflowPlaneRef", "spec.workflowPlaneRef is immutable")
    run_spec = new["spec"]["runTemplate"].get("spec")
    if not isinstance(run_spec, dict):
        yield invalid("spec.runTemplate.spec", "must be an object, to hold the service account of runs", run_spec)


class Workflow(Namespaced):
    kind = "Workflow"
    plural = "workflows"
    spec_required = True
    spec_schema = workflow_spec(plane_kinds=("WorkflowPlane", "ClusterWorkflowPlane"))

    workflow_plane = reference_to("WorkflowPlane")
    cluster_workflow_plane = reference_to("ClusterWorkflowPlane")

    @classmethod
    def references_of(cls, namespace: str, spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Ref]:
        yield from refs.to_typed(spec.get("workflowPlaneRef"), namespace)
        for external in spec.get("externalRefs") or ():
            # A name may also be an expression over the run's parameters; then the object is known only at run time.
            if "${" not in external.get("name", ""):
                yield from refs.to_typed(external, namespace)

    @classmethod
    def prepare(cls, old: Document | None, new: Document) -> None:
        force_service_account(new["spec"])

    @classmethod
    def violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return workflow_violations(cls.spec_schema, old, new)

    @classmethod
    def content_violations(cls, old: Document | None, new: Document) -> Iterable[FieldError]:
        return from_compiler(workflow_errors(new["spec"]))
