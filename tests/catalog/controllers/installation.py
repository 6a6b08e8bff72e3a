"""A small installation to test controllers on: one plane, three environments, a pipeline, a project type.

`settle` runs the work list for the kinds under test only; `plane_reports` stands for delivery: it writes the status
of a rendered release as a plane's report would.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from catalog import store
from catalog.controllers import runtime, work
from catalog.controllers.conditions import false, true, with_conditions
from catalog.controllers.models import WorkItem
from catalog.controllers.registry import controller_of
from catalog.kinds.base import API_VERSION
from catalog.kinds.registry import kind_named
from catalog.kinds.rendered_release import RenderedRelease
from portal.accounts.actor import Actor, system

TESTER = Actor("tester", surface="cli")
DELIVERY = system("rendered-release-controller")
ENVIRONMENTS = ("development", "staging", "production")

CELL = {
    "id": "cell",
    "template": {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": "${metadata.namespace}", "labels": "${metadata.labels}"},
    },
}


def apply(kind: str, name: str, spec: dict[str, Any] | None = None, namespace: str = "default", **metadata: Any) -> Any:
    """Apply an object as a user does."""
    model = kind_named(kind)
    document: dict[str, Any] = {
        "apiVersion": "v1" if kind == "Namespace" else API_VERSION,
        "kind": kind,
        "metadata": {"name": name, **({"namespace": namespace} if model.namespaced else {}), **metadata},
    }
    if spec is not None:
        document["spec"] = spec
    return store.apply(document, TESTER).obj


def install(namespace: str = "default") -> None:
    """What a platform engineer sets up before the first project."""
    apply("Namespace", namespace)
    apply_project_type()
    apply_data_plane()
    for environment in ENVIRONMENTS:
        apply("Environment", environment, {"dataPlaneRef": {"kind": "ClusterDataPlane", "name": "default"}}, namespace)
    apply_pipeline(namespace=namespace)


def apply_project_type(*resources: dict[str, Any]) -> Any:
    return apply("ClusterProjectType", "default", {"resources": list(resources) or [CELL]})


def apply_data_plane(driver: str = "kubernetes", **spec: Any) -> Any:
    """The plane of all environments, by default of a sort that reports health."""
    agent = {"clientCA": {"value": "a certificate"}}
    annotations = {"stagecraft.dev/driver": driver}
    return apply(
        "ClusterDataPlane", "default", {"planeID": "default", "clusterAgent": agent, **spec}, annotations=annotations
    )


def apply_pipeline(*environments: str, name: str = "default", namespace: str = "default") -> Any:
    names = environments or ENVIRONMENTS
    paths = [
        {"sourceEnvironmentRef": {"name": source}, "targetEnvironmentRefs": [{"name": target}]}
        for source, target in pairwise(names)
    ]
    if len(names) == 1:
        paths = [{"sourceEnvironmentRef": {"name": names[0]}, "targetEnvironmentRefs": []}]
    return apply("DeploymentPipeline", name, {"promotionPaths": paths}, namespace)


def apply_project(name: str = "shop", namespace: str = "default", type_name: str = "default", **metadata: Any) -> Any:
    spec = {
        "deploymentPipelineRef": {"name": "default"},
        "type": {"kind": "ClusterProjectType", "name": type_name},
    }
    return apply("Project", name, spec, namespace, **metadata)


RESOURCE_TYPE: dict[str, Any] = {
    "parameters": {"openAPIV3Schema": {"type": "object", "properties": {"size": {"type": "integer"}}}},
    "environmentConfigs": {
        "openAPIV3Schema": {"type": "object", "properties": {"memory": {"type": "string", "default": "64Mi"}}}
    },
    "outputs": [
        {"name": "host", "value": "${metadata.name}.example"},
        {"name": "password", "secretKeyRef": {"name": "${metadata.name}-creds", "key": "password"}},
        {"name": "address", "value": "${applied.store.status.address}"},
    ],
    "resources": [
        {
            "id": "store",
            "readyWhen": "${applied.store.status.readyReplicas == applied.store.status.replicas}",
            "template": {
                "apiVersion": "example.dev/v1",
                "kind": "Store",
                "metadata": {"name": "${metadata.name}", "namespace": "${metadata.namespace}"},
                "spec": {"size": "${parameters.size}", "memory": "${environmentConfigs.memory}"},
            },
        },
        {
            "id": "settings",
            "template": {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "${metadata.name}", "namespace": "${metadata.namespace}"},
            },
        },
    ],
}


def apply_resource_type(name: str = "cache", **changes: Any) -> Any:
    spec = {key: value for key, value in {**RESOURCE_TYPE, **changes}.items() if value is not None}
    return apply("ClusterResourceType", name, spec)


def apply_resource(name: str = "cache", type_name: str = "cache", size: int = 1, namespace: str = "default") -> Any:
    spec = {
        "owner": {"projectName": "shop"},
        "type": {"kind": "ClusterResourceType", "name": type_name},
        "parameters": {"size": size},
    }
    return apply("Resource", name, spec, namespace)


def apply_resource_binding(
    release: str = "", environment: str = "development", resource: str = "cache", retain: str = "", **metadata: Any
) -> Any:
    spec: dict[str, Any] = {
        "owner": {"projectName": "shop", "resourceName": resource},
        "environment": environment,
        **({"resourceRelease": release} if release else {}),
        **({"retainPolicy": retain} if retain else {}),
    }
    return apply("ResourceReleaseBinding", f"{resource}-{environment}", spec, **metadata)


def settle(*kinds: str) -> None:
    """Look at everything due of these kinds (all with a controller if none is named) until nothing is."""
    while batch := work.claim(100, "test:1:1"):
        for item in batch:
            wanted = item.kind in kinds if kinds else controller_of(item.kind) is not None
            if wanted:
                runtime.reconcile_one(item)
            else:
                work.finish(item, observed_generation=0, again_after=None)
    failed = WorkItem.objects.exclude(last_error="").values_list("kind", "last_error")
    assert not list(failed)


def look_again(kind: str, name: str, namespace: str = "default") -> None:
    """Let what would come due later be due now."""
    obj = store.get(kind, namespace, name)
    work.mark_due([(kind, int(obj.pk))])


def get(kind: str, name: str, namespace: str = "default") -> Any:
    return store.get(kind, namespace, name)


def gone(kind: str, name: str, namespace: str = "default") -> bool:
    return store.get_or_none(kind, namespace, name) is None


def state(obj: Any, condition: str) -> tuple[str, str]:
    """(status, reason) of a condition."""
    found = obj.condition(condition) or {"status": "absent", "reason": "absent"}
    return found["status"], found["reason"]


def message(obj: Any, condition: str) -> str:
    return str(obj.condition(condition)["message"])


def plane_reports(
    release: RenderedRelease, health: str = "Healthy", statuses: dict[str, Any] | None = None, **healths: str
) -> None:
    """Let the plane report every object of the release; `healths` and `statuses` by id differ from the rest."""
    release.refresh_from_db()
    resources = []
    for entry in release.full_spec()["resources"]:
        body = entry["object"]
        group, _, version = body["apiVersion"].rpartition("/")
        seen = {
            "id": entry["id"],
            "group": group,
            "version": version,
            "kind": body["kind"],
            "name": body["metadata"]["name"],
            "namespace": body["metadata"].get("namespace", ""),
            "healthStatus": healths.get(entry["id"], health),
        }
        if statuses and entry["id"] in statuses:
            seen["status"] = statuses[entry["id"]]
        resources.append(seen)
    applied = true("ResourcesApplied", "ApplySucceeded", "All resources applied")
    store.write_status(release, {**with_conditions(release, [applied]), "resources": resources}, DELIVERY)


def plane_refuses(release: RenderedRelease, reason: str) -> None:
    """Let the application of the release fail."""
    release.refresh_from_db()
    store.write_status(release, with_conditions(release, [false("ResourcesApplied", "ApplyFailed", reason)]), DELIVERY)


def release_of(binding: Any) -> RenderedRelease:
    """The RenderedRelease that a binding owns."""
    uid = str(binding.uid)
    (found,) = [
        row for row in RenderedRelease.objects.system("test") if any(o["uid"] == uid for o in row.owner_references)
    ]
    return found


def finish_cleanup() -> None:
    """Let the planes confirm that the releases being deleted have left nothing behind."""
    for release in RenderedRelease.objects.system("test").filter(deleted_at__isnull=False):
        store.remove_finalizer(release, release.finalizers[0], DELIVERY)
