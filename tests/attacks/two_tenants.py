"""One object of every kind for each of two tenants, and what a tenant must never see of the other: a canary."""

from __future__ import annotations

from typing import Any

from catalog.kinds.base import PlatformObject
from catalog.kinds.registry import BY_KIND, KINDS
from tests.catalog.access.conftest import apply

CANARY = "canary-of-the-other-tenant"
OWNER = {"projectName": "shop", "componentName": "object"}
TEMPLATE = [{"id": "main", "template": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}}]
DEPLOYMENT = [
    {"id": "deployment", "template": {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}}}
]
AGENT = {"clientCA": {"value": "none"}}
SPECS: dict[str, dict[str, Any]] = {
    "Project": {
        "deploymentPipelineRef": {"name": "default"},
        "type": {"kind": "ClusterProjectType", "name": "default"},
    },
    "Component": {
        "owner": {"projectName": "shop"},
        "componentType": {"kind": "ClusterComponentType", "name": "deployment/worker"},
    },
    "Workload": {"owner": OWNER, "container": {"image": "x"}},
    "Resource": {"owner": {"projectName": "shop"}, "type": {"kind": "ClusterResourceType", "name": "t"}},
    "SecretReference": {
        "template": {"type": "Opaque"},
        "data": [{"secretKey": "p", "remoteRef": {"key": "db", "property": "p"}}],
    },
    "WorkflowRun": {"workflow": {"name": "build"}},
    "ComponentRelease": {
        "owner": OWNER,
        "componentType": {
            "kind": "ComponentType",
            "name": "t",
            "spec": {"workloadType": "deployment", "resources": DEPLOYMENT},
        },
        "workload": {"container": {"image": "x"}},
    },
    "ReleaseBinding": {"owner": OWNER, "environment": "object"},
    "ProjectRelease": {
        "owner": {"projectName": "shop"},
        "projectType": {"kind": "ProjectType", "name": "t", "spec": {"resources": TEMPLATE}},
    },
    "ProjectReleaseBinding": {"owner": {"projectName": "shop"}, "environment": "object"},
    "ResourceRelease": {
        "owner": {"projectName": "shop", "resourceName": "object"},
        "resourceType": {"kind": "ResourceType", "name": "t", "spec": {"resources": TEMPLATE}},
    },
    "ResourceReleaseBinding": {
        "owner": {"projectName": "shop", "resourceName": "object"},
        "environment": "object",
    },
    "RenderedRelease": {"owner": OWNER, "environmentName": "object"},
    "ComponentType": {"workloadType": "deployment", "resources": DEPLOYMENT},
    "ProjectType": {"resources": TEMPLATE},
    "ResourceType": {"resources": TEMPLATE},
    "Workflow": {
        "runTemplate": {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"name": "${metadata.workflowRunName}", "namespace": "${metadata.namespace}"},
        }
    },
    "Trait": {},
    "Environment": {},
    "DeploymentPipeline": {},
    "DataPlane": {"clusterAgent": AGENT},
    "WorkflowPlane": {"clusterAgent": AGENT},
    "ObservabilityPlane": {"clusterAgent": AGENT, "observerURL": "https://observer.example"},
    "ObservabilityAlertRule": {
        "name": "r",
        "source": {"type": "log", "query": "x"},
        "condition": {"window": "5m", "interval": "1m", "operator": "gt", "threshold": 1},
        "actions": {"notifications": {"channels": ["object"]}},
    },
    "ObservabilityAlertsNotificationChannel": {
        "environment": "object",
        "type": "webhook",
        "webhookConfig": {"url": "https://hook.example"},
    },
    "AuthzRole": {"actions": ["component:view"]},
    "AuthzRoleBinding": {
        "entitlement": {"claim": "groups", "value": "some"},
        "roleMappings": [{"roleRef": {"kind": "AuthzRole", "name": "object"}}],
    },
}
NAMESPACED = [model for model in KINDS if model.namespaced]


def name_of(model: type[PlatformObject]) -> str:
    """Every object is called `object`, save the project that the others belong to."""
    return "shop" if model.kind == "Project" else "object"


def make_tenant(namespace: str, canary: str = "") -> None:
    """A namespace with one object of every kind. The canary is in their annotations."""
    marks = {"annotations": {"openchoreo.dev/description": canary, "openchoreo.dev/display-name": canary}}
    extra = marks if canary else {}
    apply("Namespace", namespace, {}, **extra)
    labels = {"openchoreo.dev/project": "shop", "openchoreo.dev/component": "object"}
    for model in NAMESPACED:
        owned = {"labels": labels} if model.kind == "WorkflowRun" else {}
        apply(model.kind, name_of(model), SPECS[model.kind], namespace, **owned, **extra)


def make_cluster_objects(canary: str) -> None:
    """One object of every cluster kind that has a twin in namespaces."""
    for model in KINDS:
        twin = model.kind.removeprefix("Cluster")
        if model.namespaced or twin == model.kind or model.kind.startswith("ClusterAuthz"):
            continue
        spec = dict(SPECS[twin])
        if "planeID" in model.spec_schema.get("required", ()):
            spec["planeID"] = "object"
        apply(model.kind, "object", spec, annotations={"openchoreo.dev/description": canary})


def state_of(namespace: str) -> dict[str, Any]:
    """Everything that is in a namespace, to see later that nobody has touched it."""
    found: dict[str, Any] = {}
    for model in NAMESPACED:
        rows = model.objects.system("what a tenant has").filter(namespace_id=namespace)
        columns = ("name", "uid", "generation", "spec", "labels", "annotations", "deleted_at")
        found[model.kind] = list(rows.order_by("name").values_list(*columns))
    found["Namespace"] = list(
        BY_KIND["Namespace"]
        .objects.system("what a tenant has")
        .filter(name=namespace)
        .values_list("uid", "generation", "deleted_at")
    )
    return found
