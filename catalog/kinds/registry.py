"""The list of kinds. Adding a kind is one new file and one line here."""

from __future__ import annotations

from catalog.kinds.authz_role import AuthzRole
from catalog.kinds.authz_role_binding import AuthzRoleBinding
from catalog.kinds.base import PlatformObject
from catalog.kinds.cluster_authz_role import ClusterAuthzRole
from catalog.kinds.cluster_authz_role_binding import ClusterAuthzRoleBinding
from catalog.kinds.cluster_component_type import ClusterComponentType
from catalog.kinds.cluster_data_plane import ClusterDataPlane
from catalog.kinds.cluster_observability_plane import ClusterObservabilityPlane
from catalog.kinds.cluster_project_type import ClusterProjectType
from catalog.kinds.cluster_resource_type import ClusterResourceType
from catalog.kinds.cluster_trait import ClusterTrait
from catalog.kinds.cluster_workflow import ClusterWorkflow
from catalog.kinds.cluster_workflow_plane import ClusterWorkflowPlane
from catalog.kinds.component import Component
from catalog.kinds.component_release import ComponentRelease
from catalog.kinds.component_type import ComponentType
from catalog.kinds.data_plane import DataPlane
from catalog.kinds.deployment_pipeline import DeploymentPipeline
from catalog.kinds.environment import Environment
from catalog.kinds.namespace import Namespace
from catalog.kinds.observability_alert_rule import ObservabilityAlertRule
from catalog.kinds.observability_alerts_notification_channel import ObservabilityAlertsNotificationChannel
from catalog.kinds.observability_plane import ObservabilityPlane
from catalog.kinds.project import Project
from catalog.kinds.project_release import ProjectRelease
from catalog.kinds.project_release_binding import ProjectReleaseBinding
from catalog.kinds.project_type import ProjectType
from catalog.kinds.release_binding import ReleaseBinding
from catalog.kinds.rendered_release import RenderedRelease
from catalog.kinds.resource import Resource
from catalog.kinds.resource_release import ResourceRelease
from catalog.kinds.resource_release_binding import ResourceReleaseBinding
from catalog.kinds.resource_type import ResourceType
from catalog.kinds.secret_reference import SecretReference
from catalog.kinds.trait import Trait
from catalog.kinds.workflow import Workflow
from catalog.kinds.workflow_plane import WorkflowPlane
from catalog.kinds.workflow_run import WorkflowRun
from catalog.kinds.workload import Workload

KINDS: tuple[type[PlatformObject], ...] = (
    Namespace,
    # What developers write.
    Project,
    Component,
    Workload,
    Resource,
    SecretReference,
    WorkflowRun,
    # What is released, and where.
    ComponentRelease,
    ReleaseBinding,
    ProjectRelease,
    ProjectReleaseBinding,
    ResourceRelease,
    ResourceReleaseBinding,
    RenderedRelease,
    # What platform engineers write: types,
    ComponentType,
    ClusterComponentType,
    Trait,
    ClusterTrait,
    ProjectType,
    ClusterProjectType,
    ResourceType,
    ClusterResourceType,
    Workflow,
    ClusterWorkflow,
    # places,
    Environment,
    DeploymentPipeline,
    DataPlane,
    ClusterDataPlane,
    WorkflowPlane,
    ClusterWorkflowPlane,
    ObservabilityPlane,
    ClusterObservabilityPlane,
    # alerts,
    ObservabilityAlertRule,
    ObservabilityAlertsNotificationChannel,
    # and permissions.
    AuthzRole,
    ClusterAuthzRole,
    AuthzRoleBinding,
    ClusterAuthzRoleBinding,
)

BY_KIND = {model.kind: model for model in KINDS}
BY_PLURAL = {(model.plural, model.namespaced): model for model in KINDS}


class UnknownKind(LookupError):
    """There is no such kind; the text is for users."""

    def __init__(self, kind: str, api_version: str = "") -> None:
        self.kind, self.api_version = kind, api_version
        where = f" in {api_version}" if api_version else ""
        super().__init__(f"unknown kind {kind!r}{where}: not a kind of this platform")


def kind_named(kind: str) -> type[PlatformObject]:
    """The model of a kind, by its name ("ClusterTrait"). Raises `UnknownKind`."""
    try:
        return BY_KIND[kind]
    except KeyError:
        raise UnknownKind(kind) from None


def kind_of_plural(plural: str, namespaced: bool) -> type[PlatformObject]:
    """The model of a kind, by its name in paths ("clustertraits") and its scope. Raises `UnknownKind`."""
    try:
        return BY_PLURAL[plural, namespaced]
    except KeyError:
        raise UnknownKind(plural) from None
