"""What a schema cannot know: names of objects that exist, expressions that mean something, schemas of parameters.

By the place in the body, beginning with the operation's kind; `*` in its place is any kind.
"""

from __future__ import annotations

from typing import Any

from tests.contract.values import ABSENT

SCHEMA = {
    "type": "object",
    "properties": {"tier": {"type": "string", "default": "gold"}, "count": {"type": "integer", "default": 1}},
}
NAMESPACE_OBJECT = {
    "apiVersion": "v1",
    "kind": "Namespace",
    "metadata": {"name": "${metadata.namespace}", "labels": "${metadata.labels}"},
}
JOB_TEMPLATE = {
    "spec": {"template": {"spec": {"containers": [{"name": "main", "image": "${workload.container.image}"}]}}}
}
CRON_JOB = {
    "apiVersion": "batch/v1",
    "kind": "CronJob",
    "metadata": {"name": "${metadata.name}", "namespace": "${metadata.namespace}"},
    "spec": {"schedule": "1 * * * *", "jobTemplate": JOB_TEMPLATE},
}
CONFIG_MAP = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "${metadata.name}-extra", "namespace": "${metadata.namespace}"},
    "data": {"key": "value"},
}
RESOURCE_CONFIG_MAP = {**CONFIG_MAP, "metadata": {"name": "${metadata.name}", "namespace": "${metadata.namespace}"}}
RUN = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "metadata": {"name": "${metadata.workflowRunName}", "namespace": "${metadata.namespace}"},
}
RUN_CONFIG = {**CONFIG_MAP, "metadata": RUN["metadata"]}
RULE, EACH = "${1 < 2}", "${[1]}"
EXTRA = {**CONFIG_MAP, "metadata": {**CONFIG_MAP["metadata"], "name": "${metadata.name}-${item}"}}  # type: ignore[dict-item]
TARGET = {"group": "batch", "version": "v1", "kind": "CronJob", "where": "${resource.metadata.name != ''}"}
OUTPUTS = [
    {"name": "host", "value": "${metadata.name}"},
    {"name": "password", "secretKeyRef": {"name": "${metadata.name}", "key": "password"}},
    {"name": "ca", "configMapKeyRef": {"name": "${metadata.name}", "key": "ca.crt"}},
]
CELL, CONFIG = [{"id": "cell", "template": NAMESPACE_OBJECT}], [{"id": "config", "template": RESOURCE_CONFIG_MAP}]
COMPONENT_TYPE = {"workloadType": "cronjob", "resources": [{"id": "cronjob", "template": CRON_JOB}]}

FOR_ALL: dict[str, Any] = {
    "*.metadata.namespace": "acme",
    "*.metadata.labels": {"text": "text"},
    "*.spec.parameters.openAPIV3Schema": SCHEMA,
    "*.spec.environmentConfigs.openAPIV3Schema": SCHEMA,
    "*.spec.validations[].rule": RULE,
    "*.spec.preRenderValidations[].rule": RULE,
    "*.spec.postRenderValidations[].rule": RULE,
    "*.spec.postRenderValidations[].when": RULE,
    "*.spec.postRenderValidations[].forEach": EACH,
    "*.spec.postRenderValidations[].var": "item",
    "*.spec.postRenderValidations[].target": {"group": "", "version": "v1", "kind": "ConfigMap"},
    "*.spec.resources[].includeWhen": RULE,
    "*.spec.resources[].forEach": ABSENT,
    "*.spec.resources[].var": ABSENT,
    "*.spec.owner.projectName": "full",
    "*.spec.owner.componentName": "full",
    "*.spec.owner.resourceName": "full",
    "*.spec.environment": "full",
    "*.spec.observabilityPlaneRef.name": "full",
    "*.spec.ttlAfterCompletion": "1d",
    "*.spec.runTemplate": RUN,
}
"""What means the same in every kind."""

TYPES: dict[str, Any] = {
    place: value
    for kind in ("ComponentType", "ClusterComponentType")
    for place, value in {
        f"{kind}.spec.workloadType": "cronjob",
        f"{kind}.spec.validations": ABSENT,  # the older word for preRenderValidations; one of the two only
        f"{kind}.spec.resources": [
            {"id": "cronjob", "template": CRON_JOB},
            {
                "id": "more",
                "includeWhen": RULE,
                "forEach": EACH,
                "var": "item",
                "targetPlane": "dataplane",
                "template": EXTRA,
            },
        ],
        f"{kind}.spec.traits": [],
        f"{kind}.spec.allowedTraits[].name": "full",
        f"{kind}.spec.allowedWorkflows[].name": "full",
    }.items()
}
TRAITS: dict[str, Any] = {
    place: value
    for kind in ("Trait", "ClusterTrait")
    for place, value in {
        f"{kind}.spec.validations": ABSENT,
        f"{kind}.spec.creates[].forEach": EACH,
        f"{kind}.spec.creates[].var": "item",
        f"{kind}.spec.creates[].includeWhen": RULE,
        f"{kind}.spec.creates[].template": EXTRA,
        f"{kind}.spec.patches[].forEach": EACH,
        f"{kind}.spec.patches[].var": "item",
        f"{kind}.spec.patches[].target": TARGET,
        f"{kind}.spec.patches[].operations[].path": "/metadata/annotations/patched",
        f"{kind}.spec.patches[].operations[].value": "yes",
        f"{kind}.spec.removes[].forEach": EACH,
        f"{kind}.spec.removes[].var": "item",
        f"{kind}.spec.removes[].target": {**TARGET, "kind": "Secret"},
    }.items()
}
OTHER_TYPES: dict[str, Any] = {
    **{f"{kind}.spec.resources": CELL for kind in ("ProjectType", "ClusterProjectType")},
    **{f"{kind}.spec.resources[].template": RESOURCE_CONFIG_MAP for kind in ("ResourceType", "ClusterResourceType")},
    **{f"{kind}.spec.resources[].includeWhen": RULE for kind in ("ResourceType", "ClusterResourceType")},
    **{f"{kind}.spec.resources[].readyWhen": RULE for kind in ("ResourceType", "ClusterResourceType")},
    **{f"{kind}.spec.outputs": OUTPUTS for kind in ("ResourceType", "ClusterResourceType")},
    **{f"{kind}.spec.resources[].template": RUN_CONFIG for kind in ("Workflow", "ClusterWorkflow")},
    **{f"{kind}.spec.externalRefs": ABSENT for kind in ("Workflow", "ClusterWorkflow")},
    "Workflow.spec.workflowPlaneRef.kind": "ClusterWorkflowPlane",
}
SHOP: dict[str, Any] = {
    "Environment.spec.dataPlaneRef": {"kind": "ClusterDataPlane", "name": "full"},
    "DeploymentPipeline.spec.promotionPaths[].sourceEnvironmentRef.name": "full",
    "DeploymentPipeline.spec.promotionPaths[].targetEnvironmentRefs[].name": "small",
    "Project.spec.deploymentPipelineRef.name": "full",
    "Project.spec.type.name": "full",
    "Component.spec.componentType": {"kind": "ComponentType", "name": "cronjob/full"},
    "Component.spec.autoDeploy": False,
    "Component.spec.traits[].name": "full",
    "Component.spec.workflow.name": "full",
    "ComponentRelease.spec.componentType": {"kind": "ComponentType", "name": "full", "spec": COMPONENT_TYPE},
    "ComponentRelease.spec.traits": [],
    "ComponentRelease.spec.componentProfile.traits": ABSENT,
    "ComponentRelease.spec.workload": {"container": {"image": "shop:1"}},
    "ReleaseBinding.spec.releaseName": "full",
    "ProjectRelease.spec.projectType.name": "full",
    "ProjectRelease.spec.projectType.spec": {"resources": CELL},
    "ProjectReleaseBinding.spec.projectRelease": "full",
    "Resource.spec.type.name": "full",
    "ResourceRelease.spec.resourceType.name": "full",
    "ResourceRelease.spec.resourceType.spec": {"resources": CONFIG, "outputs": OUTPUTS[:1]},
    "ResourceReleaseBinding.spec.resourceRelease": "full",
    "WorkflowRun.spec.workflow.name": "full",
    # One of value and valueFrom only.
    "Workload.spec.container.env[].valueFrom": ABSENT,
    "Workload.spec.container.files[].valueFrom": ABSENT,
    "Workload.spec.dependencies": ABSENT,
    "ReleaseBinding.spec.workloadOverrides.container.env[].valueFrom": ABSENT,
    "ReleaseBinding.spec.workloadOverrides.container.files[].valueFrom": ABSENT,
    "SecretReference.spec.data[].remoteRef.key": "secret/acme/database",
    "SecretReference.spec.targetPlane": {"kind": "ClusterDataPlane", "name": "full"},
    "ObservabilityAlertsNotificationChannel.spec.emailConfig.to": ["b@example.com"],
    "ObservabilityAlertsNotificationChannel.spec.webhookConfig": ABSENT,
}
ACCESS: dict[str, Any] = {
    "ClusterRole.spec.actions": ["releasebinding:create"],
    "NamespaceRole.spec.actions": ["releasebinding:create"],
    "ClusterRoleBinding.spec.roleMappings[].roleRef.name": "full",
    "NamespaceRoleBinding.spec.roleMappings[].roleRef.name": "full",
    "ClusterRoleBinding.spec.roleMappings[].conditions[].actions": ["releasebinding:create"],
    "NamespaceRoleBinding.spec.roleMappings[].conditions[].actions": ["releasebinding:create"],
}
SECRETS: dict[str, Any] = {
    "CreateSecretRequest.targetPlane": {"kind": "ClusterDataPlane", "name": "vault"},
    "CreateSecretRequest.data": {"password": "not telling"},
    "UpdateSecretRequest.data": {"password": "other"},
    "CreateGitSecretRequest.workflowPlaneKind": "ClusterWorkflowPlane",
    "CreateGitSecretRequest.workflowPlaneName": "vault",
    "CreateGitSecretRequest.sshKey": ABSENT,
    "CreateGitSecretRequest.sshKeyId": ABSENT,
}
QUERY: dict[str, Any] = {
    **{f"?{name}": "full" for name in ("project", "component", "resource", "workflow", "environment")},
    "?labelSelector": "text=text,!deprecated",
}
KNOWN: dict[str, Any] = {**QUERY, **FOR_ALL, **TYPES, **TRAITS, **OTHER_TYPES, **SHOP, **ACCESS, **SECRETS}

NEEDED: frozenset[str] = frozenset(
    {
        "*.spec",
        "CreateGitSecretRequest.token",
        "*.spec.dataPlaneRef",
        "*.spec.planeID",
        "Workload.spec.owner",
        "Workload.spec.container",
        "Resource.spec.type.kind",
    }
)
"""Places that a schema calls optional and that no object can do without."""
