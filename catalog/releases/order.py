"""The order of promotion, enforced where the pipeline asks for it.

    stagecraft.dev/enforce-order: "true"     a release enters an environment only after one that promotes to it
    stagecraft.dev/enforce-order: ready      and only while it is Ready there

OpenChoreo lets everybody bind any release anywhere; so do we unless the pipeline says otherwise. Judged where bindings
are written, so no surface gets around it. An environment may always return to a release that it ran before: a rollback
needs no detour. The environment that releases enter first, and one that the pipeline does not have, take any release.
"""

from __future__ import annotations

from typing import Any

from catalog import store
from catalog.kinds.base import FieldError
from catalog.kinds.deployment_pipeline import DeploymentPipeline
from catalog.kinds.release_binding import ReleaseBinding
from catalog.releases.pipeline import sources_of
from catalog.store.changes import Change

ENFORCE = "stagecraft.dev/enforce-order"
ORDER, READY = "true", "ready"


def require_order(change: Change) -> None:
    """Listens to the store: refuses a binding that jumps the queue. Raises `store.Invalid`."""
    binding = change.obj
    if not isinstance(binding, ReleaseBinding) or change.action not in ("created", "changed"):
        return
    wanted = binding.spec.get("releaseName") or ""
    before = ((change.before or {}).get("spec") or {}).get("releaseName") or ""
    if not wanted or wanted == before:
        return
    pipeline = pipeline_of(binding)
    mode = "" if pipeline is None else str(pipeline.annotations.get(ENFORCE, "")).lower()
    if pipeline is None or mode not in (ORDER, READY):
        return
    sources = sources_of(pipeline, binding.spec["environment"])
    if not sources or has_run(binding, wanted) or any(has_passed(binding, source, wanted, mode) for source in sources):
        return
    state = "is Ready" if mode == READY else "has run"
    message = (
        f'pipeline "{pipeline.name}" enforces its order: release "{wanted}" may enter environment '
        f'"{binding.spec["environment"]}" once it {state} in {" or ".join(sources)}'
    )
    raise store.Invalid(binding.kind, binding.name, [FieldError("spec.releaseName", "Forbidden", message)])


def pipeline_of(binding: ReleaseBinding) -> DeploymentPipeline | None:
    project: Any = binding.project
    return None if project is None else project.deployment_pipeline


def has_run(binding: ReleaseBinding, release: str) -> bool:
    """Whether this very binding has named the release before."""
    rows = store.history("ReleaseBinding", binding.namespace_name, binding.name).filter(uid=binding.uid)
    return any(
        (document.get("spec") or {}).get("releaseName") == release
        for document in rows.values_list("after", flat=True)
        if document is not None
    )


def has_passed(binding: ReleaseBinding, source: str, release: str, mode: str) -> bool:
    """Whether the release has been in that environment, or is Ready there."""
    rows = ReleaseBinding.objects.system("promotion order").filter(
        component_id=binding.component_id,
        environment__name=source,
    )
    for other in rows:
        runs = other.spec.get("releaseName") == release
        if mode == READY and runs and other.ready == "True" and other.spec.get("state") != "Undeploy":
            return True
        if mode == ORDER and (runs or has_run(other, release)):
            return True
    return False
