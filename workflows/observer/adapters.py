"""Which adapter answers: of the observability plane that watches the environment, or the one of the settings.

A (Cluster)ObservabilityPlane may name its adapters in the annotations `stagecraft.dev/logs-adapter`,
`…/metrics-adapter`, `…/tracing-adapter` and `…/finops-adapter`. One that names none is served by the adapters of the
settings (`LOGS_ADAPTER_URL` …), unless its `observerURL` says that another observer watches it: then our answer would
be about something else, and the refusal names the address to ask instead.
"""

from __future__ import annotations

from django.conf import settings

from catalog import store
from catalog.controllers.planes import DEFAULT_PLANE, resolve_data_plane
from catalog.kinds.base import PlatformObject
from catalog.kinds.environment import Environment
from catalog.kinds.registry import kind_named
from catalog.kinds.workflow_run import WorkflowRun
from workflows.observer.asking import Adapter
from workflows.observer.refusals import ObserverRefusal, bad_request
from workflows.observer.scopes import Found, Scope
from workflows.runs.preparation import DEFAULT_PLANE as DEFAULT_WORKFLOW_PLANE
from workflows.runs.preparation import NotReady, plane_of, workflow_of

ROLES = ("logs", "metrics", "tracing", "finops")
ANNOTATION = "stagecraft.dev/{role}-adapter"
Plane = PlatformObject | None


def adapter_for(role: str, found: Found, code: str = "") -> Adapter:
    """The adapter that answers for a scope. Raises the refusal: 400 if the scope has several, 500 if it has none."""
    adapters = list(dict.fromkeys(adapter_of(role, plane, code) for plane in planes_of(found)))
    if len(adapters) > 1:
        text = f"{adapters[0].label} and {adapters[1].label} would both have to answer; name an environment"
        raise bad_request(text, code)
    return adapters[0]


def all_adapters(role: str) -> list[Adapter]:
    """Every adapter of that role, for the one question that names no place: those of the settings, then the planes'."""
    found = [Adapter(role, configured(role))] if configured(role) else []
    for kind in ("ClusterObservabilityPlane", "ObservabilityPlane"):
        for plane in kind_named(kind).objects.system("who could know a span").order_by("pk"):
            if annotated(role, plane):
                found.append(Adapter(role, annotated(role, plane), name_of(plane)))
    return found


def adapter_of(role: str, plane: Plane, code: str = "") -> Adapter:
    """The adapter of a plane, or of the settings. Raises the refusal."""
    own = annotated(role, plane) if plane is not None else ""
    if plane is not None and own:
        return Adapter(role, own, name_of(plane))
    watched_by = str(plane.spec.get("observerURL") or "") if plane is not None else ""
    if plane is not None and watched_by and not is_ours(watched_by):
        raise ObserverRefusal(
            500,
            f"{name_of(plane)} is watched by another observer: ask {watched_by}, or, to have it answered here, set its "
            f"observerURL to {our_address()} or its annotation {ANNOTATION.format(role=role)}",
            code,
        )
    if not configured(role):
        where = f"{role.upper()}_ADAPTER_URL" + (
            f" or the annotation {ANNOTATION.format(role=role)} of {name_of(plane)}" if plane is not None else ""
        )
        raise ObserverRefusal(500, f"no {role} adapter is configured; whoever runs the platform may set {where}", code)
    return Adapter(role, configured(role))


def configured(role: str) -> str:
    return str(getattr(settings, f"{role.upper()}_ADAPTER_URL"))


def annotated(role: str, plane: PlatformObject) -> str:
    return str((plane.annotations or {}).get(ANNOTATION.format(role=role)) or "")


def name_of(plane: PlatformObject) -> str:
    return f"{plane.kind} {plane.namespace_name + '/' if plane.namespace_name else ''}{plane.name}"


def our_address() -> str:
    """What planes that are watched from here have as their `observerURL`."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/observer"


def is_ours(address: str) -> bool:
    return address.rstrip("/") == our_address()


# Which plane watches --------------------------------------------------------------------------------------------------


def planes_of(found: Found) -> list[Plane]:
    """The observability planes of a scope; None stands for the lack of one. Never empty."""
    if found.scope.is_workflow:
        return [watcher_of(workflow_plane_of(found.scope))]
    if isinstance(found.environment, Environment):
        environments = [found.environment]
    else:
        rows = Environment.objects.system("to find the adapters of what the caller may ask about")
        environments = list(rows.filter(namespace_id=found.scope.namespace).order_by("name"))
    planes = {plane and plane.uid: plane for plane in map(watcher_of, map(resolve_data_plane, environments))}
    return list(planes.values()) or [watcher_of(None)]


def workflow_plane_of(scope: Scope) -> Plane:
    """The plane that a run is on; of all runs, or one that is gone, the default one."""
    run = store.get_or_none("WorkflowRun", scope.namespace, scope.run) if scope.run else None
    workflow = workflow_of(run) if isinstance(run, WorkflowRun) else None
    if workflow is not None:
        try:
            return plane_of(workflow, scope.namespace)
        except NotReady:
            return None
    return store.get_or_none(DEFAULT_WORKFLOW_PLANE["kind"], "", DEFAULT_WORKFLOW_PLANE["name"])


def watcher_of(plane: Plane) -> Plane:
    """The observability plane of a data or workflow plane: the one it names, else `default` beside it, else the
    cluster's `default`. A name that is not there resolves to nothing."""
    reference = (plane.spec.get("observabilityPlaneRef") if plane is not None else None) or {}
    name = str(reference.get("name") or DEFAULT_PLANE)
    namespace = plane.namespace_name if plane is not None else ""
    is_cluster = not namespace or reference.get("kind") == "ClusterObservabilityPlane"
    beside = None if is_cluster else store.get_or_none("ObservabilityPlane", namespace, name)
    if beside is not None or (reference.get("name") and not is_cluster):
        return beside
    return store.get_or_none("ClusterObservabilityPlane", "", name)
