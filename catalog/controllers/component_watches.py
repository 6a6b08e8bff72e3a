"""Whose changes concern a component: all that its checks read and all that its controller has made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from catalog.compiler import labels
from catalog.controllers.registry import Watch, by_others, owner_of, referrers
from catalog.kinds.component import Component
from catalog.store.changes import Change
from catalog.store.references import referrers as references_to
from portal.accounts.actor import Actor

CONTENT_CHANGES = ("created", "changed", "deleted")
TYPE_FIELDS = {"ComponentType": "component_type", "ClusterComponentType": "cluster_component_type"}


def watches(actor: Actor) -> list[Watch]:
    """The Component controller's watches; `actor` is the controller itself."""
    return [
        referrers("ComponentType", actions=CONTENT_CHANGES),
        referrers("ClusterComponentType", actions=CONTENT_CHANGES),
        users_of_trait("Trait"),
        users_of_trait("ClusterTrait"),
        referrers("Workflow", actions=("created", "deleted")),
        referrers("ClusterWorkflow", actions=("created", "deleted")),
        referrers("Project", role="project", actions=CONTENT_CHANGES),
        components_of_pipeline(),
        owner_of("Workload", "component", actions=CONTENT_CHANGES),
        by_others(actor, owner_of("ComponentRelease", "component", actions=("deleted",))),
        by_others(actor, owner_of("ReleaseBinding", "component", actions=CONTENT_CHANGES)),
        finalizing_owner_of_run(),
    ]


def users_of_trait(kind: str) -> Watch:
    """A trait concerns the components that use it and those whose type embeds it."""

    def mapping(change: Change, watcher: str) -> Iterable[int]:
        users = references_to(kind, change.obj.namespace_name, change.obj.name)
        concerned = Q(pk__in=users.filter(source_kind="Component").values("source_id"))
        embedding = users.filter(source_kind__in=TYPE_FIELDS, role__in=("trait", "cluster_trait"))
        for type_kind, field in TYPE_FIELDS.items():
            concerned |= Q(**{f"{field}__in": embedding.filter(source_kind=type_kind).values("source_id")})
        return Component.objects.system("reconcile").filter(concerned).values_list("id", flat=True)

    return Watch(kind, mapping, frozenset(CONTENT_CHANGES))


def components_of_pipeline() -> Watch:
    """A pipeline concerns the components of the projects that follow it."""

    def mapping(change: Change, watcher: str) -> Iterable[int]:
        pipeline = change.obj
        projects: Any = references_to("DeploymentPipeline", pipeline.namespace_name, pipeline.name)
        followers = projects.filter(source_kind="Project").values("source_id")
        return Component.objects.system("reconcile").filter(project_id__in=followers).values_list("id", flat=True)

    return Watch("DeploymentPipeline", mapping, frozenset(CONTENT_CHANGES))


def finalizing_owner_of_run() -> Watch:
    """The end of a workflow run concerns its component, if that waits for it."""

    def mapping(change: Change, watcher: str) -> Iterable[int]:
        name = change.obj.labels.get(labels.COMPONENT)
        if not name:
            return ()
        rows = Component.objects.system("reconcile").filter(
            namespace_id=change.obj.namespace_name, name=name, deleted_at__isnull=False
        )
        return rows.values_list("id", flat=True)

    return Watch("WorkflowRun", mapping, frozenset({"deleted"}))
