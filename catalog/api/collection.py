"""What makes the REST collection of one kind different from the others.

Most kinds need nothing: `Collection(model)` is complete. The files of this package that are named after a kind each
hold one `COLLECTION` with the kind's filters, defaults and server-set labels; `collections_by_route` gathers them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from catalog.kinds.base import Document, PlatformObject

PROJECT_LABEL = "openchoreo.dev/project"
COMPONENT_LABEL = "openchoreo.dev/component"
RESOURCE_LABEL = "openchoreo.dev/resource"

# The two spellings are upstream's own, and clients print them.
LABELS_404 = {
    "ComponentType": "Component type",
    "ProjectType": "Project type",
    "ResourceType": "Resource type",
    "ClusterAuthzRole": "Cluster role",
    "ClusterAuthzRoleBinding": "Cluster role binding",
    "AuthzRole": "Namespace role",
    "AuthzRoleBinding": "Namespace role binding",
}
LABELS_409 = {
    **LABELS_404,
    "ClusterComponentType": "Cluster component type",
    "ClusterProjectType": "Cluster project type",
    "ClusterResourceType": "Cluster resource type",
    "ClusterTrait": "Cluster trait",
    "ClusterWorkflow": "Cluster workflow",
    "DeploymentPipeline": "Deployment pipeline",
    "SecretReference": "Secret reference",
    "ObservabilityAlertsNotificationChannel": "Observability alerts notification channel",
}
# These answer 400 where all others answer 422.
INVALID_IS_400 = frozenset(
    {
        "Resource",
        "ResourceType",
        "ClusterResourceType",
        "ProjectType",
        "ClusterProjectType",
        "ProjectRelease",
        "ProjectReleaseBinding",
        "ResourceRelease",
        "ResourceReleaseBinding",
    }
)
SNAPSHOTS = frozenset({"ComponentRelease", "ProjectRelease", "ResourceRelease"})
# A list of these is refused whole; of other kinds, what may not be seen is left out.
ROLE_KINDS = frozenset({"AuthzRole", "ClusterAuthzRole", "AuthzRoleBinding", "ClusterAuthzRoleBinding"})
# Fields of a status that are for controllers: stored and shown elsewhere, but not part of the contract's REST schemas.
INTERNAL_STATUS = {
    "DeploymentPipeline": frozenset({"observedGeneration"}),
    "ReleaseBinding": frozenset(
        {"connectionTargets", "pendingResourceDependencies", "resourceDependencyTargets", "secretReferenceNames"}
    ),
}
# All others show `status: {}` until there is something in it.
WITHOUT_EMPTY_STATUS = ROLE_KINDS | {"Workflow", "WorkflowRun"}


@dataclass
class Draft:
    """A document on its way in: what the client sent, before admission. Hooks change it in place."""

    namespace: str
    name: str
    body_namespace: str
    labels: dict[str, str]
    annotations: dict[str, str]
    spec: dict[str, Any]
    held: PlatformObject | None = None
    """The stored object on replace, None on create."""


@dataclass(frozen=True)
class OwnerFilter:
    """A query parameter that keeps what belongs to one object.

    `roles` are those of the references that count. With `must_exist` an unknown owner is 404 instead of an empty list.
    """

    roles: tuple[str, ...]
    must_exist: str = ""


Hook = Callable[[Draft], None]


def nothing_special(draft: Draft) -> None:
    """The hook of kinds that need none."""


@dataclass(frozen=True)
class Collection:
    """One kind as the API serves it.

    `shape` makes a sent document what the reference's typed client would have made of it, on create and replace.
    `on_create` and `on_replace` then check it and set defaults and labels; they raise `Refusal`.
    `present` changes the finished document on its way out.
    """

    model: type[PlatformObject]
    filters: Mapping[str, OwnerFilter] = field(default_factory=dict)
    shape: Hook = nothing_special
    on_create: Hook = nothing_special
    on_replace: Hook = nothing_special
    present: Callable[[Document], Document] | None = None
    visible_by: Mapping[str, str] = field(default_factory=dict)
    """Labels without which an object does not exist for the API."""
    name_required: str = ""
    """The 400 for a create without a name, where it is checked before all else."""

    @property
    def kind(self) -> str:
        return self.model.kind

    @property
    def not_found(self) -> str:
        return f"{LABELS_404.get(self.kind, self.kind)} not found"

    @property
    def already_exists(self) -> str:
        return f"{LABELS_409.get(self.kind, self.kind)} already exists"

    def shows(self, obj: PlatformObject) -> bool:
        """Whether the object exists for the API."""
        return all(obj.labels.get(key) == value for key, value in self.visible_by.items())

    @property
    def internal_status(self) -> frozenset[str]:
        return INTERNAL_STATUS.get(self.kind, frozenset())

    @property
    def keeps_empty_status(self) -> bool:
        return self.kind not in WITHOUT_EMPTY_STATUS

    @property
    def invalid_status(self) -> int:
        return 400 if self.kind in INVALID_IS_400 else 422

    @property
    def is_replaceable(self) -> bool:
        return self.kind not in SNAPSHOTS
